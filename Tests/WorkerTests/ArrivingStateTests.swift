import ContentHash
import Foundation
import JobFile
import Logging
import Messaging
import ModelTransfer
import PoolCore
import Sampling
import Synchronization
import Testing

@testable import Worker

/// A worker, and its coordinator played by the test.
private final class WorkerUnderTest {
    let folder = FileManager.default.temporaryDirectory.path + "/rrr-worker-\(UUID().uuidString.prefix(8))"
    private let router: RouterSocket
    private let service: WorkerService
    private let thread: Thread
    private let wakeup = Wakeup()
    private var peer: PeerID = []

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        router = try RouterSocket(MessagingContext())
        let service = WorkerService(
            configuration: WorkerService.Configuration(
                coordinator: try router.bind(to: "ipc://\(folder)/socket"), slots: 1, version: "1",
                modelCache: ModelCache(folder: folder + "/models"), memory: 1 << 30),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        self.service = service
        thread = Thread { _ = try? service.run() }
        thread.start()
    }

    func stop() throws {
        service.stop()
        _ = try next { if case .goodbye = $0 { true } else { nil } }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The first message within 20 s that is wanted; heartbeats are answered meanwhile.
    func next<Found>(_ isWanted: (Message) -> Found?) throws -> Found? {
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            while let (peer, bytes) = try router.receive() {
                self.peer = peer
                let message = try Message.decode(bytes)
                if let found = isWanted(message) { return found }
                if case .heartbeat = message { try send(.heartbeat()) }
            }
            try router.wait(for: wakeup, atMost: .milliseconds(20))
        }
        return nil
    }

    func send(_ message: Message) throws { _ = try router.send(message.encoded(), to: peer) }

    /// Welcomes the worker when it registers.
    func welcome() throws {
        let number = try #require(try next { if case .registration(let it) = $0 { it.number } else { nil } })
        try send(.welcome(worker: 1, registration: number, heartbeat: .seconds(1), silence: .seconds(60)))
    }
}

/// States that come to a worker before the blocks that go on from them.
struct ArrivingStateTests {
    private let text = Array(
        """
        {"rrr": 1, "name": "small", "seed": 7, "models": {"g": {"kind": "gaussian", "mean": [0, 0], "std": 1}},
         "target": "g", "schedule": {"kind": "cosine", "levels": 8}, "block": 4, "chains": 4,
         "sampler": {"kind": "mala", "transitions": 2, "step_size": 0.01}}
        """.utf8)

    @Test(arguments: [[], [0], [1], [0, 1]])
    func `A block whose state has lost a piece on its way does not begin, and all of it is asked for again`(
        arriving: [Int]
    ) throws {
        let worker = try WorkerUnderTest()
        try worker.welcome()
        let job = SHA256.hash(of: text)
        let attempt = AttemptID(job: job, block: 0, attempt: 1)
        // No state that it could go on from, but a whole one: the block begins all the same, from its start.
        let state = [UInt8](repeating: 1, count: BlockState.longestPiece + 5)
        let pieces = BlockState(attempt: attempt, stepsDone: 3, state: state).pieces()
        for index in arriving { try worker.send(.checkpoint(pieces[index])) }
        try worker.send(
            .lease(
                Lease(
                    job: job, jobText: text, textDigest: job, blocks: [attempt], stateBytes: [0: state.count], number: 1
                )))
        let registers = try worker.next { message -> Bool? in
            switch message {
            case .registration(let registration):
                #expect(registration.holding.isEmpty)
                return true
            case .result: return false
            default: return nil
            }
        }
        #expect(registers == (arriving.count < 2))
        try worker.stop()
    }

    /// The pieces of the next checkpoint.
    private func checkpoint(of worker: WorkerUnderTest) throws -> [BlockState] {
        var pieces: [BlockState] = []
        return try worker.next { message -> [BlockState]? in
            guard case .checkpoint(let piece) = message else { return nil }
            pieces = piece.isFirst ? [piece] : pieces + [piece]
            return piece.isLast ? pieces : nil
        } ?? []
    }

    @Test func `What is stored of a block's states is not sent again, until its worker is welcomed anew`() throws {
        let worker = try WorkerUnderTest()
        try worker.welcome()
        // Its draws take minutes, and more than a piece each few checkpoints.
        let long = String(decoding: text, as: UTF8.self)
            .replacing(#""chains": 4,"#, with: #""chains": 4, "draws": 500000, "thin": 100,"#)
        let text = Array(long.utf8)
        let job = SHA256.hash(of: text)
        let attempt = AttemptID(job: job, block: 0, attempt: 1)
        try worker.send(
            .lease(
                Lease(
                    job: job, jobText: text, textDigest: job, blocks: [attempt], number: 1,
                    checkpointInterval: .milliseconds(50))))
        var first = try checkpoint(of: worker)
        while first.last?.settled == 0 { first = try checkpoint(of: worker) }
        let settled = try #require(first.last?.settled)
        #expect(first.first?.start == 0)
        try worker.send(.settled(attempt, bytes: settled))
        var next = try checkpoint(of: worker)
        while next.first?.start == 0 { next = try checkpoint(of: worker) }
        #expect(next.first?.start == settled)
        // The whole is one that a block goes on from.
        let plan = try Job.decode(text, file: "job").plan { _ in throw ModelTransferError(.unavailable, "none") }
        let whole = first.flatMap(\.state).prefix(settled) + next.flatMap(\.state)
        #expect(try plan.block(index: 0, chains: 4, resuming: Array(whole)).stepsDone == next.last?.stepsDone)
        try worker.send(.registerAgain(reason: "another coordinator"))
        try worker.welcome()
        while next.first?.start != 0 { next = try checkpoint(of: worker) }
        try worker.send(.revoke(job: job, blocks: []))
        try worker.stop()
    }
}
