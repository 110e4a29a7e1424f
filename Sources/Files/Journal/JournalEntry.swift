package import ContentHash

/// Something that must not be forgotten, once it is acknowledged.
package enum JournalEntry: Sendable, Equatable {
    /// A job was handed in. Its number is larger than that of every job before.
    case accepted(JobRecord)
    /// A block's rows are in the staging files, on the disk. Takes the block's checkpoint and reports away; for a block
    /// that is finished already nothing changes.
    case finished(job: Int, block: Int, FinishedBlock)
    /// The rows of finished blocks are not what they were: the blocks are not finished any more.
    case lost(job: Int, blocks: [Int])
    /// A finished block's rows came a second time from somebody else, and were the same.
    case verified(job: Int, block: Int)
    /// A piece of the state that an attempt has got to, long before the checkpoint that its last piece makes. The first one
    /// takes the place of another state that the attempt has begun and not ended. Of a block that is finished, or that
    /// has got as far, it changes nothing.
    case statePiece(job: Int, block: Int, attempt: Int, StatePiece)
    /// The state that an attempt has begun is not ended any more: its pieces go.
    case stateAbandoned(job: Int, block: Int, attempt: Int)
    /// All states of a job that were begun are not ended any more: their pieces go.
    case statesAbandoned(job: Int)
    /// A block's checkpoint can't be read: it goes.
    case stateLost(job: Int, block: Int)
    /// A block got so far. Replaces an earlier checkpoint of it, but for what no later one changes, and takes its reports
    /// away; one with no more steps than that, one whose start is not stored, or one of a block that is finished changes
    /// nothing.
    case checkpoint(job: Int, block: Int, StoredCheckpoint)
    /// An attempt took a block down.
    case report(job: Int, block: Int, FailureReport)
    /// What the provenance tells of a worker that did something for the job.
    case worker(job: Int, WorkerDescription)
    /// A job ended; `failure` says why, for people, and is empty otherwise. Unless it failed, its blocks, checkpoints,
    /// reports and workers go; a failed one keeps them, so that handing it in again goes on from there, but for states that
    /// were begun and not ended.
    case ended(job: Int, JobOutcome, failure: String, secondsElapsed: Double)
    /// No block of the job is to be handed out, or they are again.
    case paused(job: Int, Bool)
    /// The job has another priority.
    case priority(job: Int, Int)
    /// Nobody need watch the job any more.
    case detached(job: Int)
    /// A job that ended was handed in again, with this time and these options: it waits once more. Its reports go, the
    /// rest that is there stays.
    case resubmitted(JobRecord)
    /// A job is to start from nothing, with this time and these options: all that is known of its blocks goes.
    case restarted(JobRecord)
    /// A job goes, with everything that is known of it, except that its number is taken.
    case forgotten(job: Int)
}

/// A job as it was handed in.
package struct JobRecord: Sendable, Equatable {
    /// 1 or more; never used twice.
    package var number: Int
    /// SHA-256 of the text.
    package var hash: Digest
    /// The canonical job.
    package var text: [UInt8]
    /// Seconds since 1970.
    package var submittedAt: Double
    /// Larger ones go first.
    package var priority: Int
    /// Its part of the workers among jobs of the same priority, relative to theirs.
    package var share: Double
    /// Seconds; nil for no limit.
    package var timeLimit: Double?
    /// Seconds between checkpoints of a block; nil for the coordinator's own.
    package var checkpointInterval: Double?
    /// Whether nobody need watch it.
    package var isDetached: Bool
    /// Whether nobody has handed it in: another job needs what it finds.
    package var isPreliminary: Bool

    /// Every field as given.
    package init(
        number: Int, hash: Digest, text: [UInt8], submittedAt: Double, priority: Int = 0, share: Double = 1,
        timeLimit: Double? = nil, checkpointInterval: Double? = nil, isDetached: Bool = false,
        isPreliminary: Bool = false
    ) {
        self.number = number
        self.hash = hash
        self.text = text
        self.submittedAt = submittedAt
        self.priority = priority
        self.share = share
        self.timeLimit = timeLimit
        self.checkpointInterval = checkpointInterval
        self.isDetached = isDetached
        self.isPreliminary = isPreliminary
    }
}

/// How a job ended.
package enum JobOutcome: String, Sendable {
    case finished, failed, cancelled
}

/// What is kept of a block's result beside its rows.
package struct FinishedBlock: Sendable, Equatable {
    /// The attempt that brought the result, from 1.
    package var attempt: Int
    /// The worker's name.
    package var worker: String
    /// That the worker computed.
    package var seconds: Double
    /// Gradients evaluated, all its chains together.
    package var gradientEvaluations: Int
    /// Of its rows; nil where none is known.
    package var checksum: UInt64?
    /// Whether they are to come a second time from somebody else.
    package var isToBeVerified: Bool

    /// Every field as given.
    package init(
        attempt: Int, worker: String, seconds: Double, gradientEvaluations: Int, checksum: UInt64? = nil,
        isToBeVerified: Bool = false
    ) {
        self.attempt = attempt
        self.worker = worker
        self.seconds = seconds
        self.gradientEvaluations = gradientEvaluations
        self.checksum = checksum
        self.isToBeVerified = isToBeVerified
    }
}

/// A state from which a block can go on.
package struct StoredCheckpoint: Sendable, Equatable {
    /// The attempt that got so far, from 1.
    package var attempt: Int
    /// Of the block's steps.
    package var stepsDone: Int
    /// The state of its chains, as workers write it; of a long one the last piece.
    package var state: [UInt8]
    /// The place of that piece's first byte in the whole; 0 for what is no piece.
    package var offset: Int
    /// The place of the first byte that came with it: those before came with an earlier checkpoint.
    package var start: Int
    /// Bytes at the start of the whole that no later state changes; at most ``offset``.
    package var settled: Int
    /// Who answers for the worker that it is of, where results are verified; empty elsewhere.
    package var party: String

    /// Every field as given.
    package init(
        attempt: Int, stepsDone: Int, state: [UInt8], offset: Int = 0, start: Int = 0, settled: Int = 0,
        party: String = ""
    ) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.state = state
        self.offset = offset
        self.start = start
        self.settled = settled
        self.party = party
    }
}

/// A piece of the state of a block, but for the last one, which the checkpoint itself has.
package struct StatePiece: Sendable, Equatable {
    /// Of the block's steps.
    package var stepsDone: Int
    /// The place of its first byte in the state.
    package var offset: Int
    /// The bytes.
    package var data: [UInt8]
    /// Whether it is the first that came of its state; so it is of those that are written.
    package var isFirst: Bool
    /// Whether the state ends with it; so it is of those that are read.
    package var isLast: Bool

    /// Every field as given.
    package init(stepsDone: Int, offset: Int, data: [UInt8], isFirst: Bool = false, isLast: Bool = false) {
        self.stepsDone = stepsDone
        self.offset = offset
        self.data = data
        self.isFirst = isFirst
        self.isLast = isLast
    }
}

/// What took a block down.
package struct FailureReport: Sendable, Equatable {
    /// The attempt, from 1.
    package var attempt: Int
    /// The worker's name.
    package var worker: String
    /// For people.
    package var reason: String

    /// Every field as given.
    package init(attempt: Int, worker: String, reason: String) {
        self.attempt = attempt
        self.worker = worker
        self.reason = reason
    }
}

/// What the provenance of a job tells of a worker.
package struct WorkerDescription: Sendable, Equatable {
    /// The name that results come under.
    package var name: String
    /// The name of its machine.
    package var host: String
    /// Its process number there.
    package var process: Int
    /// Blocks that can run side by side.
    package var slots: Int
    /// Of the program.
    package var version: String
    /// Of its arithmetic.
    package var fingerprint: String
    /// Who answers for it: where results are verified, of two parties one checks the other.
    package var party: String

    /// Every field as given; what is not known is empty or 0.
    package init(
        name: String, host: String = "", process: Int = 0, slots: Int = 0, version: String = "",
        fingerprint: String = "", party: String = ""
    ) {
        self.name = name
        self.host = host
        self.process = process
        self.slots = slots
        self.version = version
        self.fingerprint = fingerprint
        self.party = party
    }
}
