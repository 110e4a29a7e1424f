/// All that the journal knows of a job.
///
/// Its size depends on the runs of neighbouring blocks, on checkpoints and on reports, not on the number of blocks.
package struct RecoveredJob: Sendable, Equatable {
    /// The job as it was handed in, or handed in last, with the priority it was given since.
    package var record: JobRecord
    /// Whether its blocks are not to be handed out.
    package var isPaused = false
    /// How it ended; nil while it waits or runs.
    package var outcome: JobOutcome?
    /// Why it failed, for people; empty otherwise.
    package var failure = ""
    /// Seconds it took; nil while it waits or runs.
    package var secondsElapsed: Double?
    /// Finished blocks: runs of neighbours, as long as can be, in order.
    package var finishedBlocks: [Range<Int>] = []
    /// Of the finished blocks, those that took more than one attempt.
    package var blocksRunAgain = 0
    /// Of the finished blocks, those whose rows came a second time from somebody else, and were the same, in order.
    package var verifiedBlocks: [Int] = []
    /// Of the finished blocks, those whose rows are to come a second time.
    package var unverifiedBlocks: [Int: UnverifiedBlock] = [:]
    /// Gradients evaluated, all finished blocks together.
    package var gradientEvaluations = 0
    /// Who did what, in the order of the names.
    package var workers: [WorkerShare] = []
    /// The latest checkpoints, by block; ``Journal/checkpoint(job:block:)`` reads their states.
    package var checkpoints: [Int: CheckpointMark] = [:]
    /// What took blocks down that are not finished, by block, in the order in which it happened.
    package var reports: [Int: [FailureReport]] = [:]

    /// Why what is kept of its blocks can't be relied on, for people; nil if it can. Then none of it is given.
    package var damage: String?

    /// A job of which nothing but its record is known.
    package init(record: JobRecord) {
        self.record = record
    }

    /// Why this can't be what is known of a job of so many blocks; nil if it can.
    package func problem(blocks: Int) -> String? {
        if let damage { return damage }
        // In order, so that the last one tells.
        if let last = finishedBlocks.last, last.upperBound > blocks {
            return "block \(last.upperBound - 1) is noted as finished, of \(blocks)"
        }
        for (what, noted) in [("a checkpoint", Array(checkpoints.keys)), ("a report", Array(reports.keys))] {
            if let block = noted.first(where: { $0 >= blocks }) {
                return "\(what) is noted of block \(block), of \(blocks)"
            }
        }
        return nil
    }

    /// The number of finished blocks.
    package var finishedCount: Int { finishedBlocks.reduce(0) { $0 + $1.count } }
}

/// A finished block whose rows are to come a second time from somebody else.
package struct UnverifiedBlock: Sendable, Equatable {
    /// Who has brought them.
    package var worker: WorkerDescription
    /// The attempt that did, from 1.
    package var attempt: Int

    /// Both as given.
    package init(worker: WorkerDescription, attempt: Int) { (self.worker, self.attempt) = (worker, attempt) }
}

/// What a worker did for a job.
package struct WorkerShare: Sendable, Equatable {
    /// What the provenance tells of it.
    package var worker: WorkerDescription
    /// Finished blocks.
    package var blocks: Int
    /// That it computed for them.
    package var seconds: Double

    /// Every field as given.
    package init(worker: WorkerDescription, blocks: Int, seconds: Double) {
        self.worker = worker
        self.blocks = blocks
        self.seconds = seconds
    }
}

/// A checkpoint without its state.
package struct CheckpointMark: Sendable, Equatable {
    /// The attempt that got so far, from 1.
    package var attempt: Int
    /// Of the block's steps.
    package var stepsDone: Int
    /// Bytes at the start of the state that no later one changes.
    package var settled: Int
    /// Who answers for the worker that it is of, where results are verified; empty elsewhere.
    package var party: String

    /// Every field as given.
    package init(attempt: Int, stepsDone: Int, settled: Int = 0, party: String = "") {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.settled = settled
        self.party = party
    }
}
