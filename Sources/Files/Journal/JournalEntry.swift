public import ContentHash

/// Something that must not be forgotten, once it is acknowledged.
public enum JournalEntry: Sendable, Equatable {
    /// A job was handed in. Its number is larger than that of every job before.
    case accepted(JobRecord)
    /// A block's rows are in the staging files, on the disk. Takes the block's checkpoint and reports away; for a block
    /// that is finished already nothing changes.
    case finished(job: Int, block: Int, FinishedBlock)
    /// The rows of finished blocks are not what they were: the blocks are not finished any more.
    case lost(job: Int, blocks: [Int])
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
    case checkpoint(job: Int, block: Int, BlockCheckpoint)
    /// An attempt took a block down.
    case report(job: Int, block: Int, FailureReport)
    /// What the provenance tells of a worker that did something for the job.
    case worker(job: Int, WorkerRecord)
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
public struct JobRecord: Sendable, Equatable {
    /// 1 or more; never used twice.
    public var number: Int
    /// SHA-256 of the text.
    public var hash: Digest
    /// The canonical job.
    public var text: [UInt8]
    /// Seconds since 1970.
    public var submittedAt: Double
    /// Larger ones go first.
    public var priority: Int
    /// Its part of the workers among jobs of the same priority, relative to theirs.
    public var share: Double
    /// Seconds; nil for no limit.
    public var timeLimit: Double?
    /// Seconds between checkpoints of a block; nil for the coordinator's own.
    public var checkpointInterval: Double?
    /// Whether nobody need watch it.
    public var isDetached: Bool

    /// Every field as given.
    public init(
        number: Int, hash: Digest, text: [UInt8], submittedAt: Double, priority: Int = 0, share: Double = 1,
        timeLimit: Double? = nil, checkpointInterval: Double? = nil, isDetached: Bool = false
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
    }
}

/// How a job ended.
public enum JobOutcome: String, Sendable {
    case finished, failed, cancelled
}

/// What is kept of a block's result beside its rows.
public struct FinishedBlock: Sendable, Equatable {
    /// The attempt that brought the result, from 1.
    public var attempt: Int
    /// The worker's name.
    public var worker: String
    /// That the worker computed.
    public var seconds: Double
    /// Gradients evaluated, all its chains together.
    public var gradientEvaluations: Int
    /// Of its rows; nil where none is known.
    public var checksum: UInt64?

    /// Every field as given.
    public init(
        attempt: Int, worker: String, seconds: Double, gradientEvaluations: Int, checksum: UInt64? = nil
    ) {
        self.attempt = attempt
        self.worker = worker
        self.seconds = seconds
        self.gradientEvaluations = gradientEvaluations
        self.checksum = checksum
    }
}

/// A state from which a block can go on.
public struct BlockCheckpoint: Sendable, Equatable {
    /// The attempt that got so far, from 1.
    public var attempt: Int
    /// Of the block's steps.
    public var stepsDone: Int
    /// The state of its chains, as workers write it; of a long one the last piece.
    public var state: [UInt8]
    /// The place of that piece's first byte in the whole; 0 for what is no piece.
    public var offset: Int
    /// The place of the first byte that came with it: those before came with an earlier checkpoint.
    public var start: Int
    /// Bytes at the start of the whole that no later state changes; at most ``offset``.
    public var settled: Int

    /// Every field as given.
    public init(
        attempt: Int, stepsDone: Int, state: [UInt8], offset: Int = 0, start: Int = 0, settled: Int = 0
    ) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.state = state
        self.offset = offset
        self.start = start
        self.settled = settled
    }
}

/// A piece of the state of a block, but for the last one, which the checkpoint itself has.
public struct StatePiece: Sendable, Equatable {
    /// Of the block's steps.
    public var stepsDone: Int
    /// The place of its first byte in the state.
    public var offset: Int
    /// The bytes.
    public var data: [UInt8]
    /// Whether it is the first that came of its state; so it is of those that are written.
    public var isFirst: Bool
    /// Whether the state ends with it; so it is of those that are read.
    public var isLast: Bool

    /// Every field as given.
    public init(stepsDone: Int, offset: Int, data: [UInt8], isFirst: Bool = false, isLast: Bool = false) {
        self.stepsDone = stepsDone
        self.offset = offset
        self.data = data
        self.isFirst = isFirst
        self.isLast = isLast
    }
}

/// What took a block down.
public struct FailureReport: Sendable, Equatable {
    /// The attempt, from 1.
    public var attempt: Int
    /// The worker's name.
    public var worker: String
    /// For people.
    public var reason: String

    /// Every field as given.
    public init(attempt: Int, worker: String, reason: String) {
        self.attempt = attempt
        self.worker = worker
        self.reason = reason
    }
}

/// What the provenance of a job tells of a worker.
public struct WorkerRecord: Sendable, Equatable {
    /// The name that results come under.
    public var name: String
    /// The name of its machine.
    public var host: String
    /// Its process number there.
    public var process: Int
    /// Blocks that can run side by side.
    public var slots: Int
    /// Of the program.
    public var version: String
    /// Of its arithmetic.
    public var fingerprint: String

    /// Every field as given; what is not known is empty or 0.
    public init(
        name: String, host: String = "", process: Int = 0, slots: Int = 0, version: String = "",
        fingerprint: String = ""
    ) {
        self.name = name
        self.host = host
        self.process = process
        self.slots = slots
        self.version = version
        self.fingerprint = fingerprint
    }
}
