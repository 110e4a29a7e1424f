import ContentHash
import Foundation
import JobFile
import Logging
import Messaging
import ModelTransfer
import Testing

@testable import Coordinator

/// An intake on a folder of its own, and what its reader has said.
private final class Desk {
    let folder = FileManager.default.temporaryDirectory.path + "/rrr-intake-\(UUID().uuidString.prefix(8))"
    let store: ModelStore
    private var intake: Intake
    private var readings: AsyncStream<(Int, JobReader<Int>.Outcome)>.Iterator

    init() throws {
        let store = try ModelStore(folder: folder, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (stream, continuation) = AsyncStream.makeStream(of: (Int, JobReader<Int>.Outcome).self)
        self.store = store
        intake = Intake(store: store, reader: JobReader(store: store) { continuation.yield(($0, $1)) })
        readings = stream.makeAsyncIterator()
    }

    var waiting: [PeerID] { intake.waiting }

    func handIn(_ text: [UInt8], by peer: PeerID) {
        intake.take(HandedIn(text: text, force: false, watch: true, peer: peer))
    }

    func take(_ chunk: ModelChunk, from peer: PeerID) -> Intake.Decision? { intake.take(chunk, from: peer, at: .zero) }

    func unavailable(_ model: Digest, from peer: PeerID) -> Intake.Decision? {
        intake.unavailable(model, reason: "moved", from: peer)
    }

    func cancel(_ job: Digest, _ peer: PeerID) -> Bool { intake.cancel(job, peer) }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Waits for the reader.
    func read(at now: Duration = .zero) async -> Intake.Decision? {
        guard let (number, outcome) = await readings.next(isolation: #isolation) else { return nil }
        return intake.take(outcome, of: number, at: now)
    }

    /// What a peer is asked for now.
    func requests(to peer: PeerID, at now: Duration = .zero) -> [ModelRequest] {
        intake.requests(at: now).messages.filter { $0.peer == peer }.flatMap(\.messages).compactMap {
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
        let desk = try Desk()
        defer { desk.remove() }
        let model = try SHA256.hash(ofFile: Self.fixture)
        let (honest, other): (PeerID, PeerID) = ([1], [2])
        for peer in [honest, other] {
            desk.handIn(text(model), by: peer)
            #expect(await desk.read().isOpen)
        }
        let first = desk.requests(to: honest)
        #expect(first == [ModelRequest(model: model, offset: 0, length: ModelChunk.longest)])
        var wrong = try chunk(first[0])
        wrong.data[100] ^= 1
        guard case .refused(other, exitStatus: 65, let reason) = desk.take(wrong, from: other) else {
            Issue.record("wrong bytes were not refused")
            return
        }
        #expect(reason.contains(model.hex))
        // Nobody else's pieces count, and neither do those of a model that was not asked for.
        #expect(desk.take(try chunk(first[0]), from: [3]).isOpen)
        var stranger = try chunk(first[0])
        stranger.model = SHA256.hash(of: [])
        #expect(desk.take(stranger, from: honest).isOpen)
        #expect(desk.take(try chunk(first[0]), from: honest).isOpen)
        guard case .accepted(let job, let submission) = await desk.read() else {
            Issue.record("the job was not accepted")
            return
        }
        #expect(job.modelDigests == [model])
        #expect(submission.peer == honest)
        #expect(desk.waiting.isEmpty)
    }

    @Test("a submitter that cannot send a model, or falls silent, is done with")
    func silence() async throws {
        let desk = try Desk()
        defer { desk.remove() }
        let model = try SHA256.hash(ofFile: Self.fixture)
        for peer: PeerID in [[1], [2]] {
            desk.handIn(text(model), by: peer)
            #expect(await desk.read().isOpen)
        }
        guard
            case .refused([1], exitStatus: 66, let reason) = desk.unavailable(model, from: [1])
        else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("moved"))
        #expect(desk.unavailable(model, from: [1]).isOpen)
        _ = desk.requests(to: [2], at: .seconds(29))
        #expect(desk.waiting == [[2]])
        _ = desk.requests(to: [2], at: .seconds(31))
        #expect(desk.waiting.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: desk.folder) == [])
    }

    @Test("the same job again changes nothing, another takes its place, and cancelling forgets it")
    func replacement() async throws {
        let desk = try Desk()
        defer { desk.remove() }
        let model = try SHA256.hash(ofFile: Self.fixture)
        let (one, two) = (text(model), text(model, chains: 5))
        desk.handIn(one, by: [1])
        desk.handIn(one, by: [1])
        desk.handIn(two, by: [1])
        // The first reading is of a job that nobody wants any more.
        #expect(await desk.read().isOpen)
        #expect(desk.requests(to: [1]).isEmpty)
        #expect(await desk.read().isOpen)
        #expect(desk.requests(to: [1]).count == 1)
        #expect(!desk.cancel(SHA256.hash(of: one), [1]))
        #expect(!desk.cancel(SHA256.hash(of: two), [2]))
        #expect(desk.cancel(SHA256.hash(of: two), [1]))
        #expect(desk.waiting.isEmpty)
    }
}
