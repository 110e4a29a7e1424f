import Messaging
import PoolCore

/// What the peers say to each other, in the jobs' places in the history.
enum Message {
    // From workers.
    case registration(UInt32, holding: [Attempt])
    case count(grant: UInt64, holding: Int)
    case progress(Attempt, fraction: Double)
    /// A piece of a state, the last one of which makes the checkpoint.
    case checkpoint(BlockState)
    case returned(Attempt)
    case result(Attempt)
    case failure(Attempt)
    /// The worker can't run the block, which is not the block's doing.
    case inability(Attempt)
    case goodbye

    // From the coordinator.
    case welcome(UInt32)
    case registerAgain
    /// A piece of what a block has come to that is about to be leased.
    case state(Attempt, offset: Int, [UInt8])
    case lease(SimulatedLease)
    case revocation(job: JobNumber, blocks: [Int])
    case recall(job: JobNumber, blocks: [Int])
    case taken(job: JobNumber, blocks: [Int])
    /// So many bytes at the start of a block's states are stored.
    case settled(Attempt, bytes: Int)
    case heartbeat
    case dismissal
}

/// Blocks of one job for a worker.
struct SimulatedLease {
    let number: UInt64
    let job: JobNumber
    let hasText: Bool
    let attempts: [Attempt]
    /// States that come with it, and the bytes of those that came before, by block.
    let states: [Int: [UInt8]]
    let stateBytes: [Int: Int]
}

/// What a block has come to, as bytes: its steps, over and over; where it has pieces, they follow a byte for each step,
/// which no later state changes.
enum SimulatedState {
    static let pieceBytes = 4

    static func settled(steps: Int, pieces: Int) -> Int { pieces > 1 ? steps : 0 }

    static func bytes(steps: Int, pieces: Int) -> [UInt8] {
        (0..<settled(steps: steps, pieces: pieces)).map { UInt8($0 + 1) }
            + [UInt8](repeating: UInt8(steps), count: pieces * pieceBytes)
    }

    static func steps(_ bytes: [UInt8]) -> Int { Int(bytes.last ?? 0) }
}
