import JobFile
import Messaging
import PoolCore
import Testing

@testable import Coordinator

/// States that are too long for a message, on their way from a worker to the next one.
struct LongStateTests {
    private let sampler = #""kind": "mala", "transitions": 2, "step_size": 0.01"#
    private let bytes = (0..<2 * BlockState.longestPiece + 5).map { UInt8(truncatingIfNeeded: $0 &* 37) }

    /// What a second worker gets, lease and pieces of the state, when the first one has sent `messages` of its block and
    /// leaves.
    private func handedOver(
        _ messages: (BlockState) -> [Message]
    ) throws -> (lease: Lease, pieces: [BlockState]) {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(sampler, chains: 4)
        desk.join([1], arithmetic: "a")
        desk.submit(job)
        try desk.work(until: { !desk.leases.isEmpty })
        let attempt = try #require(desk.leases.first?.lease.blocks.first)
        for message in messages(BlockState(attempt: attempt, stepsDone: 3, state: bytes)) {
            desk.take(message, from: [1])
        }
        desk.take(.goodbye(reason: "stopped"), from: [1])
        desk.join([2], arithmetic: "a")
        try desk.work(until: { desk.leases.contains { $0.peer == [2] } })
        #expect(desk.states.allSatisfy { $0.peer == [2] })
        return (try #require(desk.leases.first { $0.peer == [2] }?.lease), desk.states.map(\.state))
    }

    @Test func `A checkpoint in pieces comes to the next worker in pieces, before the block`() throws {
        let (lease, pieces) = try handedOver { $0.pieces.map { .checkpoint($0) } }
        #expect(pieces.map(\.offset) == [0, BlockState.longestPiece, 2 * BlockState.longestPiece])
        #expect(pieces.map(\.isLast) == [false, false, true])
        #expect(pieces.flatMap(\.state) == bytes)
        #expect(pieces.allSatisfy { $0.attempt == lease.blocks.first && $0.stepsDone == 3 })
        #expect(lease.checkpoints.isEmpty)
    }

    @Test func `So does the state of a block that is handed back`() throws {
        let (_, pieces) = try handedOver { state in
            state.pieces.dropLast().map { .checkpoint($0) } + state.pieces.suffix(1).map { .returned($0) }
        }
        #expect(pieces.flatMap(\.state) == bytes)
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
        let (lease, pieces) = try handedOver { state in order.map { .checkpoint(state.pieces[$0]) } }
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
            return state.pieces.dropLast().map { .checkpoint($0) } + later.pieces.map { .checkpoint($0) }
        }
        #expect(pieces.flatMap(\.state) == bytes.reversed())
        #expect(pieces.allSatisfy { $0.stepsDone == 4 })
    }
}
