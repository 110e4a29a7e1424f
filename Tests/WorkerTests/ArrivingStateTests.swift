import ContentHash
import Foundation
import JobFile
import Logging
import Messaging
import ModelTransfer
import PoolCore
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
        let pieces = BlockState(attempt: attempt, stepsDone: 3, state: state).pieces
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
}
