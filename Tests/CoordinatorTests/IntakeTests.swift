import ContentHash
import Foundation
import JobFile
import Logging
import Messaging
import ModelTransfer
import Testing

@testable import Coordinator
@testable import CoordinatorCore

/// An intake whose wishes are done in a folder of its own, and what its reader has said.
private final class IntakeUnderTest {
    let folder = FileManager.default.temporaryDirectory.path + "/rrr-intake-\(UUID().uuidString.prefix(8))"
    let store: ModelStore
    private var intake = Intake()
    private var reception: ModelReception
    private var readings: AsyncStream<(Int, JobReader<Int>.Outcome)>.Iterator

    init() throws {
        let store = try ModelStore(folder: folder, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (stream, continuation) = AsyncStream.makeStream(of: (Int, JobReader<Int>.Outcome).self)
        self.store = store
        reception = ModelReception(store: store, reader: JobReader(store: store) { continuation.yield(($0, $1)) })
        readings = stream.makeAsyncIterator()
    }

    var waiting: [PeerID] { intake.waiting }

    /// Does what the intake wants. - Returns: the decision that it has come to, there or before.
    private func perform(_ decision: Intake.Decision? = nil, at now: Duration = .zero) -> Intake.Decision? {
        var decision = decision
        for action in intake.takeActions() {
            guard let (number, became) = reception.perform(action) else { continue }
            decision = perform(intake.take(became, of: number, at: now), at: now) ?? decision
        }
        return decision
    }

    func handIn(_ text: [UInt8], by peer: PeerID) {
        intake.take(HandedIn(text: text, force: false, watch: true, peer: peer))
        _ = perform()
    }

    func take(_ chunk: ModelChunk, from peer: PeerID, at now: Duration = .zero) -> Intake.Decision? {
        perform(intake.take(chunk, from: peer, at: now), at: now)
    }

    func problem(of submission: HandedIn) -> String? { intake.problem(of: submission) }

    func step(at now: Duration) -> (messages: [(peer: PeerID, messages: [Message])], done: [Intake.Decision]) {
        let (messages, done) = intake.requests(at: now)
        let last = perform(at: now)
        return (messages, done + [last].compactMap(\.self))
    }

    func unavailable(_ model: Digest, from peer: PeerID) -> Intake.Decision? {
        perform(intake.unavailable(model, reason: "moved", from: peer))
    }

    func cancel(_ job: Digest, _ peer: PeerID) -> Bool {
        let isHere = intake.cancel(job, peer)
        _ = perform()
        return isHere
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Waits for the reader.
    func read(at now: Duration = .zero) async -> Intake.Decision? {
        guard let (number, outcome) = await readings.next(isolation: #isolation) else { return nil }
        return perform(intake.take(reception.reading(outcome, of: number), of: number, at: now), at: now)
    }

    /// What a peer is asked for now.
    func requests(to peer: PeerID, at now: Duration = .zero) -> [ModelRequest] {
        step(at: now).messages.filter { $0.peer == peer }.flatMap(\.messages).compactMap {
            if case .modelRequest(let request) = $0 { request } else { nil }
        }
    }
}

extension Intake.Decision? {
    /// Whether nothing is decided yet.
    fileprivate var isOpen: Bool { if case nil = self { true } else { false } }
}

@Suite("Taking in jobs and their models")
struct IntakeTests {
    private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("EnergyModelsTests/Fixtures/denoising.safetensors").path

    private func text(_ model: Digest, chains: Int = 4) -> [UInt8] {
        Array(
            """
            {"rrr": 1, "name": "net", "models": {"net": {"kind": "network", "sha256": "\(model.hex)"}}, "target": "net",
             "schedule": {"kind": "cosine", "levels": 10}, "sampler": {"kind": "ula", "step_size": 1}, "chains": \(chains)}
            """.utf8)
    }

    private func chunk(_ request: ModelRequest) throws -> ModelChunk {
        guard case .modelChunk(let chunk) = ModelUpload.answer(request, from: Self.fixture) else {
            throw CocoaError(.fileReadUnknown)
        }
        return chunk
    }

    @Test("one submitter's wrong bytes are nothing to another that sends the same model at the same time")
    func disturbance() async throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        let model = try SHA256.hash(ofFile: Self.fixture)
        let (honest, other): (PeerID, PeerID) = ([1], [2])
        for peer in [honest, other] {
            coordinator.handIn(text(model), by: peer)
            #expect(await coordinator.read().isOpen)
        }
        let first = coordinator.requests(to: honest)
        #expect(first == [ModelRequest(model: model, offset: 0, length: ModelChunk.longest)])
        var wrong = try chunk(first[0])
        wrong.data[100] ^= 1
        guard case .refused(other, exitStatus: 65, let reason) = coordinator.take(wrong, from: other) else {
            Issue.record("wrong bytes were not refused")
            return
        }
        #expect(reason.contains(model.hex))
        // Nobody else's pieces count, and neither do those of a model that was not asked for.
        #expect(coordinator.take(try chunk(first[0]), from: [3]).isOpen)
        var stranger = try chunk(first[0])
        stranger.model = SHA256.hash(of: [])
        #expect(coordinator.take(stranger, from: honest).isOpen)
        #expect(coordinator.take(try chunk(first[0]), from: honest).isOpen)
        guard case .accepted(let job, let submission) = await coordinator.read() else {
            Issue.record("the job was not accepted")
            return
        }
        #expect(job.modelDigests == [model])
        #expect(submission.peer == honest)
        #expect(coordinator.waiting.isEmpty)
    }

    @Test("a submitter that cannot send a model, or falls silent, is done with")
    func silence() async throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        let model = try SHA256.hash(ofFile: Self.fixture)
        for peer: PeerID in [[1], [2]] {
            coordinator.handIn(text(model), by: peer)
            #expect(await coordinator.read().isOpen)
        }
        guard
            case .refused([1], exitStatus: 66, let reason) = coordinator.unavailable(model, from: [1])
        else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("moved"))
        #expect(coordinator.unavailable(model, from: [1]).isOpen)
        _ = coordinator.requests(to: [2], at: .seconds(29))
        #expect(coordinator.waiting == [[2]])
        _ = coordinator.requests(to: [2], at: .seconds(31))
        #expect(coordinator.waiting.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: coordinator.folder) == [])
    }

    @Test("the same job again changes nothing, another takes its place, and cancelling forgets it")
    func replacement() async throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        let model = try SHA256.hash(ofFile: Self.fixture)
        let (one, two) = (text(model), text(model, chains: 5))
        coordinator.handIn(one, by: [1])
        coordinator.handIn(one, by: [1])
        coordinator.handIn(two, by: [1])
        // The first reading is of a job that nobody wants any more.
        #expect(await coordinator.read().isOpen)
        #expect(coordinator.requests(to: [1]).isEmpty)
        #expect(await coordinator.read().isOpen)
        #expect(coordinator.requests(to: [1]).count == 1)
        #expect(!coordinator.cancel(SHA256.hash(of: one), [1]))
        #expect(!coordinator.cancel(SHA256.hash(of: two), [2]))
        #expect(coordinator.cancel(SHA256.hash(of: two), [1]))
        #expect(coordinator.waiting.isEmpty)
    }
}

@Suite("Many who hand in jobs at once")
struct CrowdedIntakeTests {
    private func text(_ number: Int) -> [UInt8] {
        let model = SHA256.hash(of: [UInt8(number)])
        return Array(
            """
            {"rrr": 1, "name": "net", "models": {"net": {"kind": "network", "sha256": "\(model.hex)"}}, "target": "net",
             "schedule": {"kind": "cosine", "levels": 10}, "sampler": {"kind": "ula", "step_size": 1}, "chains": 4}
            """.utf8)
    }

    /// A piece of a model of `total` bytes.
    private func piece(_ number: Int, at offset: Int, of total: Int = 1 << 30, bytes: Int) -> ModelChunk {
        ModelChunk(
            model: SHA256.hash(of: [UInt8(number)]), offset: offset, total: total,
            data: [UInt8](repeating: 0, count: bytes))
    }

    @Test("who comes when all places are taken waits, hears so, and takes the place of the slowest")
    func turns() async throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        let places = Intake.mostDownloads
        for number in 0..<places {
            coordinator.handIn(text(number), by: [1, UInt8(number)])
            #expect(await coordinator.read().isOpen)
            // The seventh is the slowest.
            _ = coordinator.take(piece(number, at: 0, bytes: number == 7 ? 10 : 1_000), from: [1, UInt8(number)])
        }
        coordinator.handIn(text(200), by: [2])
        #expect(await coordinator.read().isOpen)
        var step = coordinator.step(at: .seconds(1))
        #expect(step.done.isEmpty)
        #expect(step.messages.first { $0.peer == [2] }?.messages == [.heartbeat()])
        #expect(coordinator.step(at: .seconds(2)).messages.contains { $0.peer == [2] } == false)
        step = coordinator.step(at: Intake.leastTurn + .seconds(1))
        guard case .refused([1, 7], exitStatus: 75, _)? = step.done.first else {
            Issue.record("\(step.done)")
            return
        }
        #expect(step.done.count == 1)
        guard case .modelRequest(let request)? = step.messages.first(where: { $0.peer == [2] })?.messages.first else {
            Issue.record("\(step.messages)")
            return
        }
        #expect(request.model == SHA256.hash(of: [200]))
    }

    @Test("who sends a little now and then is done with")
    func dribble() async throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        for number in 0..<2 {
            coordinator.handIn(text(number), by: [1, UInt8(number)])
            #expect(await coordinator.read().isOpen)
        }
        for second in 0..<31 {
            _ = coordinator.take(piece(0, at: second, bytes: 1), from: [1, 0], at: .seconds(second))
            let offset = second * Intake.leastProgress / 16
            let more = piece(1, at: offset, bytes: Intake.leastProgress / 16)
            _ = coordinator.take(more, from: [1, 1], at: .seconds(second))
            #expect(coordinator.step(at: .seconds(second)).done.isEmpty)
        }
        guard case .refused([1, 0], exitStatus: 75, let reason)? = coordinator.step(at: .seconds(31)).done.first else {
            Issue.record("it may go on for ever")
            return
        }
        #expect(reason.contains("too slowly"))
        #expect(coordinator.waiting == [[1, 1]])
    }

    @Test("texts that wait to be read are bounded, those that were replaced among them")
    func texts() throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        let size = PeerLimits().waitingTextBytes / 8
        for number in 0..<8 {
            let submission = HandedIn(
                text: [UInt8](repeating: UInt8(number), count: size), force: false, watch: true, peer: [1])
            #expect(coordinator.problem(of: submission) == nil)
            coordinator.handIn(submission.text, by: [1])
        }
        let last = HandedIn(text: [UInt8](repeating: 9, count: size), force: false, watch: true, peer: [2])
        #expect(coordinator.problem(of: last)?.contains("try again later") == true)
    }

    @Test("a log line that peers can cause is written a few times a minute, and then counted")
    func complaints() {
        var complaints = Complaints()
        let lines = (0..<20_000).count { complaints.admits(.unreadable, about: [UInt8($0 % 200)]) }
        #expect(lines == 60)
        let failures = (0..<100).count { _ in complaints.admits(.failure, about: [1]) }
        #expect(failures == 10)
        let early = complaints.summary(at: .seconds(59))
        #expect(early == nil)
        let summary = complaints.summary(at: .seconds(61))
        #expect(
            summary
                == "left out of the log of the last minute: 90 failures of blocks, 19940 messages that could not be read"
        )
        let isAdmittedAgain = complaints.admits(.unreadable, about: [1])
        #expect(isAdmittedAgain)
        let none = complaints.summary(at: .seconds(200))
        #expect(none == nil)
    }

    @Test("models are removed that were used least recently, but none that is needed")
    func modelStore() throws {
        let coordinator = try IntakeUnderTest()
        defer { coordinator.remove() }
        let models = (0..<4).map { SHA256.hash(of: [UInt8($0)]) }
        for (index, model) in models.enumerated() {
            try Data([UInt8](repeating: 0, count: 100)).write(
                to: URL(fileURLWithPath: coordinator.store.path(of: model)))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: Double(index))],
                ofItemAtPath: coordinator.store.path(of: model))
        }
        coordinator.store.makeRoom(within: 250) { $0 == models[0] }
        let left = models.map { FileManager.default.fileExists(atPath: coordinator.store.path(of: $0)) }
        #expect(left == [true, false, false, true])
        coordinator.store.remove(models[0])
        #expect(!FileManager.default.fileExists(atPath: coordinator.store.path(of: models[0])))
    }
}
