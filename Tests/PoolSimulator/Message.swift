import PoolCore

/// What the peers say to each other.
enum Message {
    // From workers.
    case registration(UInt32, holding: [Attempt])
    case count(grant: UInt64, holding: Int)
    case progress(Attempt, fraction: Double)
    case checkpoint(Attempt, steps: Int)
    case returned(Attempt)
    case result(Attempt)
    case failure(Attempt)
    /// The worker can't run the block, which is not the block's doing.
    case inability(Attempt)
    case goodbye

    // From the coordinator.
    case welcome(UInt32)
    case registerAgain
    /// With the steps behind each block's stored checkpoint.
    case lease(grant: UInt64, [Attempt], checkpoints: [Int])
    case revocation(job: JobNumber, blocks: [Int])
    case recall(job: JobNumber, blocks: [Int])
    case taken(job: JobNumber, block: Int)
    case heartbeat
    case dismissal
}
