/// A worker's session with the coordinator; never used twice.
public typealias WorkerID = UInt64

/// A job as the scheduler knows it; never used twice.
public typealias JobNumber = Int

/// One attempt at one block of a job.
public struct Attempt: Hashable, Sendable {
    /// The job that the block is of.
    public let job: JobNumber
    /// The block's number within the job, from 0.
    public let block: Int
    /// Counted from 1 for the block's first run.
    public let number: Int

    public init(job: JobNumber, block: Int, number: Int) {
        self.job = job
        self.block = block
        self.number = number
    }
}

/// The pool's three timers and its limits. Each timer has one meaning and stands alone.
public struct PoolConfiguration: Sendable, Equatable {
    /// Link: how often either side lets the other hear from it.
    public var heartbeat: Duration = .seconds(1)
    /// Link: a worker silent for this long has lost its leases.
    public var silence: Duration = .seconds(6)
    /// Progress: a block that reports nothing for this long while its worker lives is hung.
    public var stall: Duration = .seconds(300)
    /// A block that took down this many workers, or failed this often, ends its job as failed.
    public var crashLimit = 5
    /// The work that is queued at each slot of a worker, so that it never waits for a round trip.
    public var queuedWork: Duration = .milliseconds(100)
    /// The most blocks queued at each slot.
    public var deepestQueue = 256

    public init() {}
}
