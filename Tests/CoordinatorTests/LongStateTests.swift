import ContentHash
import Foundation
import GRDB
import JobFile
import Journal
import Messaging
import PoolCore
import RawPeers
import Testing

@testable import Coordinator

/// States that are too long for a message, on their way from a worker to the next one.
struct LongStateTests {
    private let sampler = #""kind": "mala", "transitions": 2, "step_size": 0.01"#
    private let bytes = (0..<2 * BlockState.longestPiece + 5).map { UInt8(truncatingIfNeeded: $0 &* 37) }

    /// One block, whose states are longer than those.
    private func longJob() throws -> Job { try SmallJobs.job(sampler, chains: 4, draws: 100_000) }

    /// The bytes of all pieces of states that are in a journal.
    private func pieceBytes(in folder: String) throws -> Int {
        let queue = try DatabaseQueue(path: folder + "/" + Journal.fileName)
        return try queue.read {
            try Int.fetchOne($0, sql: "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM state_piece") ?? 0
        }
    }

    /// What a second worker gets, lease and pieces of the state, when the first one has sent `messages` of its block and
    /// leaves.
    private func handedOver(
        _ messages: (BlockState) -> [Message]
    ) throws -> (lease: Lease, pieces: [BlockState]) {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try longJob()
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        let attempt = try #require(coordinator.leases.first?.lease.blocks.first)
        for message in messages(BlockState(attempt: attempt, stepsDone: 3, state: bytes)) {
            coordinator.take(message, from: [1])
        }
        coordinator.take(.goodbye(reason: "stopped"), from: [1])
        coordinator.join([2], arithmetic: "a")
        try coordinator.work(until: { coordinator.leases.contains { $0.peer == [2] } })
        #expect(coordinator.states.allSatisfy { $0.peer == [2] })
        return (try #require(coordinator.leases.first { $0.peer == [2] }?.lease), coordinator.states.map(\.state))
    }

    @Test func `A checkpoint in pieces comes to the next worker in pieces, before the block`() throws {
        let (lease, pieces) = try handedOver { $0.pieces().map { .checkpoint($0) } }
        #expect(pieces.map(\.offset) == [0, BlockState.longestPiece, 2 * BlockState.longestPiece])
        #expect(pieces.map(\.isLast) == [false, false, true])
        #expect(pieces.flatMap(\.state) == bytes)
        #expect(pieces.allSatisfy { $0.attempt == lease.blocks.first && $0.stepsDone == 3 })
        #expect(lease.checkpoints.isEmpty)
        #expect(lease.stateBytes == [0: bytes.count])
    }

    @Test(arguments: ["stays", "leaves", "is given another state's last piece", "finishes"])
    func `A worker that begins states and never ends one takes the room of one, and none once it is gone`(
        what: String
    ) throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try longJob()
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        let attempt = try #require(coordinator.leases.first?.lease.blocks.first)
        for steps in 1...9 {
            for piece in BlockState(attempt: attempt, stepsDone: steps, state: bytes).pieces().dropLast() {
                coordinator.take(.checkpoint(piece), from: [1])
            }
        }
        switch what {
        case "leaves": coordinator.take(.goodbye(reason: "stopped"), from: [1])
        case "finishes": coordinator.take(.result(try SmallJobs.result(of: job, block: 0, attempt: attempt)), from: [1])
        case "stays": break
        default:
            let other = BlockState(attempt: attempt, stepsDone: 10, state: bytes)
            coordinator.take(.checkpoint(try #require(other.pieces().last)), from: [1])
        }
        coordinator.close()
        #expect(try pieceBytes(in: coordinator.folder) == (what == "stays" ? 2 * BlockState.longestPiece : 0))
    }

    @Test func `What a killed coordinator had of a state that was not ended goes when the job goes on`() throws {
        let first = try CoordinatorUnderTest()
        defer { first.remove() }
        let job = try longJob()
        first.join([1], arithmetic: "a")
        first.submit(job)
        try first.work(until: { !first.leases.isEmpty })
        let attempt = try #require(first.leases.first?.lease.blocks.first)
        let state = BlockState(attempt: attempt, stepsDone: 3, state: bytes)
        for piece in state.pieces().dropLast() { first.take(.checkpoint(piece), from: [1]) }
        first.close()
        #expect(try pieceBytes(in: first.folder) > 0)
        let coordinator = try CoordinatorUnderTest(after: first)
        coordinator.join([1], arithmetic: "a")
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        coordinator.close()
        #expect(try pieceBytes(in: coordinator.folder) == 0)
    }

    @Test func `A state that is longer than any of its job is not kept`() throws {
        let (lease, pieces) = try handedOver { state in
            let long = [UInt8](repeating: 1, count: 9 << 20)
            return BlockState(attempt: state.attempt, stepsDone: 3, state: long).pieces().map { .checkpoint($0) }
        }
        #expect(pieces.isEmpty && lease.stateBytes.isEmpty)
    }

    @Test(arguments: [0, 1])
    func `A state that can't be read any more is told of, and its block begins from its start and is kept again`(
        lost: Int
    ) throws {
        let first = try CoordinatorUnderTest()
        defer { first.remove() }
        let job = try longJob()
        first.join([1], arithmetic: "a")
        first.submit(job)
        try first.work(until: { !first.leases.isEmpty })
        let attempt = try #require(first.leases.first?.lease.blocks.first)
        for piece in BlockState(attempt: attempt, stepsDone: 6, state: bytes).pieces() {
            first.take(.checkpoint(piece), from: [1])
        }
        first.close()
        let queue = try DatabaseQueue(path: first.folder + "/" + Journal.fileName)
        try queue.write {
            try $0.execute(sql: "DELETE FROM state_piece WHERE offset = \(lost * BlockState.longestPiece)")
        }
        try queue.close()
        let coordinator = try CoordinatorUnderTest(after: first)
        coordinator.join([2], arithmetic: "a")
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        let lease = try #require(coordinator.leases.first?.lease)
        #expect(lease.stateBytes.isEmpty && lease.checkpoints.isEmpty)
        // Of what had come before the worker keeps nothing.
        #expect(coordinator.states.last?.state.offset == 0 && coordinator.states.last?.state.state == [])
        #expect(coordinator.log.contains { $0.contains("has come to can't be read") })
        #expect(
            coordinator.log.contains {
                $0.contains("block 0 of job \(job.identity.hex.prefix(8)) begins from its start")
            })
        let again = try #require(lease.blocks.first)
        coordinator.take(.checkpoint(BlockState(attempt: again, stepsDone: 2, state: [1, 2])), from: [2])
        #expect(try coordinator.stored().first?.checkpoints.map(\.value.stepsDone) == [2])
    }

    @Test func `A worker that is still reading what it was sent gets a state later, not all of it anew`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(sampler, chains: 4)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        let attempt = try #require(coordinator.leases.first?.lease.blocks.first)
        coordinator.take(.checkpoint(BlockState(attempt: attempt, stepsDone: 3, state: [1, 2, 3])), from: [1])
        coordinator.take(.goodbye(reason: "stopped"), from: [1])

        // The second worker has a connection, over which far more is on its way than it has read.
        let router = try RouterSocket(MessagingContext())
        let reader = try #require(RawPeer(try router.bind(to: "tcp://127.0.0.1:*")))
        reader.introduce()
        let registration = Registration(
            session: [UInt8](repeating: 2, count: 16), host: "host", process: 2, slots: 1, version: "1",
            fingerprint: "a")
        reader.write(frames: [Message.registration(registration).encoded()])
        let wakeup = Wakeup()
        var received: Letter?
        while received == nil {
            try router.wait(for: wakeup, atMost: .milliseconds(10))
            received = try router.receiveLetter()
        }
        let (peer, connection) = (try #require(received?.peer), try #require(received?.connection))
        for _ in 0..<8 { _ = try router.offer([UInt8](repeating: 0, count: 8 << 20), to: peer) }
        while connection.bytesNotTaken ?? 0 == 0 { try router.wait(for: wakeup, atMost: .milliseconds(10)) }
        coordinator.owe(40 << 20, over: connection)
        coordinator.take(.registration(registration), from: peer, over: connection)
        var ticks = 0
        try coordinator.work(until: {
            ticks += 1
            return ticks > 50
        })
        #expect(coordinator.leases.count == 1)
        #expect(coordinator.registersAgain.isEmpty)

        while connection.bytesNotTaken ?? 0 > 0 {
            #expect(!reader.isEnded)
            try router.wait(for: wakeup, atMost: .milliseconds(10))
        }
        try coordinator.work(until: { coordinator.leases.count > 1 })
        #expect(coordinator.leases.last?.peer == peer)
        #expect(coordinator.leases.last?.lease.checkpoints == [0: [1, 2, 3]])
        #expect(coordinator.registersAgain.isEmpty)
    }

    @Test func `So does the state of a block that is handed back`() throws {
        let (_, pieces) = try handedOver { state in
            state.pieces().dropLast().map { .checkpoint($0) } + state.pieces().suffix(1).map { .returned($0) }
        }
        #expect(pieces.flatMap(\.state) == bytes)
    }

    @Test func `What is settled of a state is sent once, and comes to the next worker with the rest`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try longJob()
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        let attempt = try #require(coordinator.leases.first?.lease.blocks.first)
        func state(_ steps: Int, settled: Int) -> BlockState {
            BlockState(
                attempt: attempt, stepsDone: steps, state: Array(bytes.prefix(settled)) + [UInt8(steps)],
                settled: settled)
        }
        for piece in state(3, settled: 1_000).pieces() { coordinator.take(.checkpoint(piece), from: [1]) }
        try coordinator.work(until: { coordinator.settled.count == 1 })
        let later = state(4, settled: 1_500_000).pieces(from: 1_000)
        #expect(later.flatMap(\.state).count == 1_499_001)
        for piece in later { coordinator.take(.checkpoint(piece), from: [1]) }
        try coordinator.work(until: { coordinator.settled.count == 2 })
        #expect(coordinator.settled.map(\.bytes) == [1_000, 1_500_000])
        #expect(coordinator.settled.allSatisfy { $0.peer == [1] && $0.attempt == attempt })
        // Nothing new: the rest alone, and no more to be told.
        let last = state(5, settled: 1_500_000).pieces(from: 1_500_000)
        #expect(last.map(\.state) == [[5]])
        coordinator.take(.checkpoint(last[0]), from: [1])
        coordinator.take(.goodbye(reason: "stopped"), from: [1])
        coordinator.join([2], arithmetic: "a")
        try coordinator.work(until: { coordinator.leases.contains { $0.peer == [2] } })
        #expect(coordinator.settled.count == 2)
        #expect(coordinator.states.flatMap(\.state.state) == bytes.prefix(1_500_000) + [5])
        #expect(coordinator.leases.last?.lease.stateBytes == [0: 1_500_001])
    }

    @Test func `A worker that begins anew because a state is damaged sends all of its own, and the damage is gone`()
        throws
    {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(try longJob())
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        func send(_ bytes: [UInt8], steps: Int, settled: Int, from peer: PeerID) throws {
            let attempt = try #require(coordinator.leases.last { $0.peer == peer }?.lease.blocks.first)
            let start = coordinator.settled.last { $0.peer == peer }?.bytes ?? 0
            let state = BlockState(attempt: attempt, stepsDone: steps, state: bytes, settled: settled)
            for piece in state.pieces(from: start) { coordinator.take(.checkpoint(piece), from: peer) }
        }
        try send(Array(20..<40), steps: 9, settled: 12, from: [1])
        coordinator.take(.goodbye(reason: "stopped"), from: [1])
        coordinator.join([2], arithmetic: "a")
        try coordinator.work(until: { coordinator.leases.contains { $0.peer == [2] } })
        // It is behind what is stored for a while, which tells it nothing of what it may leave out.
        let sound = [UInt8](50..<70)
        try send(Array(sound.prefix(10)), steps: 3, settled: 8, from: [2])
        var looks = 0
        try coordinator.work(until: {
            looks += 1
            return looks > 5
        })
        #expect(coordinator.settled.map(\.peer) == [[1]])
        try send(sound, steps: 10, settled: 14, from: [2])
        try coordinator.work(until: { coordinator.settled.contains { $0.peer == [2] } })
        coordinator.take(.goodbye(reason: "stopped"), from: [2])
        coordinator.join([3], arithmetic: "a")
        try coordinator.work(until: { coordinator.leases.contains { $0.peer == [3] } })
        let states = coordinator.states.filter { $0.peer == [3] }
        #expect(states.flatMap(\.state.state) == sound)
    }

    @Test func `A state without a start that is not stored is not kept, and its worker is told`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(try longJob())
        try coordinator.work(until: { !coordinator.leases.isEmpty })
        let attempt = try #require(coordinator.leases.first?.lease.blocks.first)
        let state = BlockState(attempt: attempt, stepsDone: 3, state: Array(bytes.prefix(20)), settled: 12)
        for piece in state.pieces(from: 8) { coordinator.take(.checkpoint(piece), from: [1]) }
        try coordinator.work(until: { !coordinator.settled.isEmpty })
        #expect(coordinator.settled.allSatisfy { $0.bytes == 0 })
        for piece in state.pieces() { coordinator.take(.checkpoint(piece), from: [1]) }
        #expect(try coordinator.stored().first?.checkpoints.map(\.value.settled) == [12])
    }

    @Test func `A short state comes with the lease, as ever`() throws {
        let (lease, pieces) = try handedOver {
            [.checkpoint(BlockState(attempt: $0.attempt, stepsDone: 3, state: [1, 2, 3]))]
        }
        #expect(pieces.isEmpty)
        #expect(Array(lease.checkpoints.values) == [[1, 2, 3]])
    }

    @Test(arguments: [[1, 2], [0, 2], [0, 1], [0, 0, 2], [0, 1, 1, 2], [2]])
    func `What has lost a piece on its way is no state`(order: [Int]) throws {
        let (lease, pieces) = try handedOver { state in order.map { .checkpoint(state.pieces()[$0]) } }
        #expect(pieces.isEmpty)
        #expect(lease.checkpoints.isEmpty)
    }

    @Test func `A piece from beyond the end of every state is passed over`() throws {
        let (lease, pieces) = try handedOver { state in
            [true, false].map {
                .checkpoint(
                    BlockState(
                        attempt: state.attempt, stepsDone: 3, state: state.state, offset: .max - 1, isLast: $0))
            }
        }
        #expect(pieces.isEmpty && lease.checkpoints.isEmpty)
    }

    @Test func `A state that begins anew replaces the one that was on its way`() throws {
        let (_, pieces) = try handedOver { state in
            let later = BlockState(attempt: state.attempt, stepsDone: 4, state: state.state.reversed())
            return state.pieces().dropLast().map { .checkpoint($0) } + later.pieces().map { .checkpoint($0) }
        }
        #expect(pieces.flatMap(\.state) == bytes.reversed())
        #expect(pieces.allSatisfy { $0.stepsDone == 4 })
    }
}
