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

    /// Every field as given.
    public init(job: JobNumber, block: Int, number: Int) {
        self.job = job
        self.block = block
        self.number = number
    }
}
