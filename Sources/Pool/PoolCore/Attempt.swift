/// A worker's session with the coordinator; never used twice.
package typealias WorkerID = UInt64

/// A job as the scheduler knows it; never used twice.
package typealias JobNumber = Int

/// One attempt at one block of a job.
package struct Attempt: Hashable, Sendable {
    /// The job that the block is of.
    package let job: JobNumber
    /// The block's number within the job, from 0.
    package let block: Int
    /// Counted from 1 for the block's first run.
    package let number: Int

    /// Every field as given.
    package init(job: JobNumber, block: Int, number: Int) {
        self.job = job
        self.block = block
        self.number = number
    }
}
