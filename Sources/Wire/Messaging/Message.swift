public import ContentHash
public import RunFolder

/// Everything that coordinator, workers and submitters say; proto/rrr.proto has them field by field.
///
/// Equality is that of the fields, so that a message with a NaN in it equals none.
public enum Message: Sendable, Equatable {
    // Worker to coordinator.

    /// A worker introduces itself; answered with `welcome` or `drain`.
    case registration(Registration)
    /// "I am here", in both directions. A worker tells the number of the last lease that came and how many blocks
    /// wait or run there, so that a message that was lost shows.
    case heartbeat(lease: UInt64 = 0, holding: Int = 0)
    /// How far a running block is.
    case progress(BlockProgress)
    /// The state of a block that runs, to go on from if it is lost.
    case checkpoint(BlockState)
    /// A block that is handed back, planned; without a state if it has not begun.
    case returned(BlockState)
    /// A finished block. The worker keeps it until it is `taken`.
    case result(BlockReport)
    /// A block that cannot be finished, and why; with `isInability` for a reason of the worker's own, not the block's.
    case failure(AttemptID, text: String, isInability: Bool = false)
    /// A piece of a model file is wanted; a coordinator asks submitters in the same way.
    case modelRequest(ModelRequest)
    /// The worker leaves and hands back what it has not finished.
    case goodbye(reason: String)

    // Coordinator to worker.

    /// Answers the registration of that number: the worker is known now. It is to be heard every `heartbeat`, and is
    /// lost after `silence`.
    case welcome(worker: UInt64, registration: UInt32, heartbeat: Duration, silence: Duration)
    /// Blocks to run.
    case lease(Lease)
    /// The results of these blocks are stored, or not needed.
    case taken(job: Digest, blocks: [Int])
    /// Blocks not to run after all; all of the job's if none is named. With `handBack` what they have come to is
    /// wanted.
    case revoke(job: Digest, blocks: [Int], handBack: Bool = false)
    /// Answers `modelRequest`; a submitter answers a coordinator in the same way.
    case modelChunk(ModelChunk)
    /// Answers `modelRequest`: the file cannot be had, and why.
    case modelUnavailable(Digest, reason: String)
    /// Take nothing more, and end with this exit status.
    case drain(reason: String, exitStatus: Int32 = 0)
    /// The coordinator does not know who is speaking.
    case registerAgain(reason: String)

    // Submitter to coordinator.

    /// A job to run. `force` runs it again though it is finished; `watch` asks for events.
    case submit(jobText: [UInt8], force: Bool, watch: Bool, terms: SubmissionTerms = SubmissionTerms())
    /// How a job is, or all of them.
    case statusRequest(job: Digest?)
    /// Who works here.
    case workersRequest
    /// Stop a job.
    case cancel(job: Digest)
    /// Treat a job differently; answered with `poolStatus`.
    case control(job: Digest, JobControl)
    /// A piece of a file of a finished job.
    case fetch(job: Digest, file: String, offset: Int, length: Int)

    // Coordinator to submitter.

    /// The job runs, or has run already.
    case accepted(job: Digest, alreadyFinished: Bool)
    /// Answers `statusRequest`.
    case poolStatus(PoolStatus)
    /// A watched job has moved on.
    case event(JobStatus)
    /// Answers `workersRequest`.
    case workers([WorkerStatus])
    /// Answers `fetch`.
    case fileChunk(FileChunk)
    /// What was asked for cannot be had; the status to exit with, and why.
    case refusal(exitStatus: Int32, text: String)

    /// Both sides must speak the same version.
    public static let protocolVersion: UInt32 = 5
}

/// One attempt at one block of a job.
public struct AttemptID: Hashable, Sendable {
    /// The hash of the canonical job.
    public var job: Digest
    /// The block's place among its job's.
    public var block: Int
    /// Counts the times that the block was given out.
    public var attempt: Int

    /// Every field as given.
    public init(job: Digest, block: Int, attempt: Int) {
        self.job = job
        self.block = block
        self.attempt = attempt
    }
}

/// A worker introduces itself.
public struct Registration: Hashable, Sendable {
    /// 16 random bytes, new for every process.
    public var session: [UInt8]
    /// The name of its machine.
    public var host: String
    /// Its process number there.
    public var process: Int
    /// Blocks that can run side by side.
    public var slots: Int
    /// Of the program.
    public var version: String
    /// Of its arithmetic: equal ones give equal bytes.
    public var fingerprint: String
    /// Counts the registrations of the session.
    public var number: UInt32 = 0
    /// Blocks that wait or run there, or whose results were not taken yet.
    public var holding: [AttemptID] = []

    /// A registration of a worker that holds nothing.
    public init(session: [UInt8], host: String, process: Int, slots: Int, version: String, fingerprint: String) {
        self.session = session
        self.host = host
        self.process = process
        self.slots = slots
        self.version = version
        self.fingerprint = fingerprint
    }
}

/// How far a running block is.
public struct BlockProgress: Sendable, Equatable {
    /// What is reported on.
    public var attempt: AttemptID
    /// At most ``stepsTotal``.
    public var stepsDone: Int
    /// In the whole block.
    public var stepsTotal: Int
    /// At the level just done; NaN if there were no transitions.
    public var acceptance: Double

    /// Every field as given.
    public init(attempt: AttemptID, stepsDone: Int, stepsTotal: Int, acceptance: Double) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.stepsTotal = stepsTotal
        self.acceptance = acceptance
    }
}

/// What a block has come to, or a piece of it: a long state travels in pieces, in their order.
public struct BlockState: Sendable, Equatable {
    /// The most bytes of a piece.
    public static let longestPiece = 1 << 20

    /// What is reported on.
    public var attempt: AttemptID
    /// Of the whole block's.
    public var stepsDone: Int
    /// What it takes to go on from there, or a piece of that; empty if it has not begun.
    public var state: [UInt8]
    /// Where the piece begins; 0 for a whole state.
    public var offset: Int
    /// Whether nothing follows.
    public var isLast: Bool

    /// Every field as given.
    public init(attempt: AttemptID, stepsDone: Int, state: [UInt8], offset: Int = 0, isLast: Bool = true) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.state = state
        self.offset = offset
        self.isLast = isLast
    }

    /// Whether it is no piece of a longer state.
    public var isWhole: Bool { offset == 0 && isLast }

    /// A whole state as pieces of at most ``longestPiece`` bytes; one, even if it is empty.
    public var pieces: [BlockState] {
        guard state.count > Self.longestPiece else { return [self] }
        return stride(from: 0, to: state.count, by: Self.longestPiece).map { start in
            let end = min(start + Self.longestPiece, state.count)
            return BlockState(
                attempt: attempt, stepsDone: stepsDone, state: Array(state[start..<end]), offset: start,
                isLast: end == state.count)
        }
    }
}

/// How a job is to be treated; no part of its identity.
public struct SubmissionTerms: Sendable, Equatable {
    /// Jobs of a higher priority go first.
    public var priority = 0
    /// Jobs of one priority get the workers' time in proportion to their shares; above zero.
    public var share = 1.0
    /// The job fails if it is not finished after so long; nil for never.
    public var timeLimit: Duration?
    /// How often a running block's state is brought to the coordinator; nil for the coordinator's own interval.
    public var checkpointInterval: Duration?

    /// The defaults.
    public init() {}
}

/// A change to how a job is treated.
public enum JobControl: Sendable, Equatable {
    /// No block of it runs until it is resumed.
    case pause
    case resume
    case priority(Int)
}

/// A finished block.
public struct BlockReport: Sendable, Equatable {
    /// What is reported on.
    public var attempt: AttemptID
    /// Float32, little-endian, [chains, draws, …shape].
    public var samples: [UInt8]
    /// Its rows of the arrays that the job leaves beside the samples.
    public var statistics: StatisticRows
    /// Over all chains.
    public var gradientEvaluations: Int
    /// How long it ran.
    public var seconds: Double

    /// Every field as given.
    public init(
        attempt: AttemptID, samples: [UInt8], statistics: StatisticRows, gradientEvaluations: Int, seconds: Double
    ) {
        self.attempt = attempt
        self.samples = samples
        self.statistics = statistics
        self.gradientEvaluations = gradientEvaluations
        self.seconds = seconds
    }
}

/// Blocks of one job for a worker.
public struct Lease: Sendable, Equatable {
    /// The hash of the canonical job.
    public var job: Digest
    /// What to run, canonical: the job, with the numbers that were found for it first; empty if this session has had it before.
    public var jobText: [UInt8]
    /// The SHA-256 of the text that the blocks are to be run by, whether it is sent or known. It is not the job's where
    /// numbers were found first.
    public var textDigest: Digest
    /// What to run, in this order.
    public var blocks: [AttemptID]
    /// What some of the blocks have come to, by block.
    public var checkpoints: [Int: [UInt8]]
    /// Of blocks whose states came before the lease, in pieces, the bytes of these states, by block.
    public var stateBytes: [Int: Int]
    /// Counts the leases since the welcome, from 1.
    public var number: UInt64
    /// How often to send the state of a running block.
    public var checkpointInterval: Duration

    /// Every field as given.
    public init(
        job: Digest, jobText: [UInt8], textDigest: Digest, blocks: [AttemptID], checkpoints: [Int: [UInt8]] = [:],
        stateBytes: [Int: Int] = [:], number: UInt64 = 0, checkpointInterval: Duration = .seconds(10)
    ) {
        self.job = job
        self.jobText = jobText
        self.textDigest = textDigest
        self.blocks = blocks
        self.checkpoints = checkpoints
        self.stateBytes = stateBytes
        self.number = number
        self.checkpointInterval = checkpointInterval
    }
}

/// Asks for a piece of a model file.
public struct ModelRequest: Sendable, Equatable {
    /// The SHA-256 of the whole file.
    public var model: Digest
    /// Where the piece begins.
    public var offset: Int
    /// The most bytes that it may have.
    public var length: Int

    /// Every field as given.
    public init(model: Digest, offset: Int, length: Int) {
        self.model = model
        self.offset = offset
        self.length = length
    }
}

/// A piece of a model file.
public struct ModelChunk: Sendable, Equatable {
    /// The most bytes of a piece: what is longer is refused.
    public static let longest = 1 << 20

    /// The SHA-256 of the whole file.
    public var model: Digest
    /// Where the piece begins.
    public var offset: Int
    /// Bytes of the whole file.
    public var total: Int
    /// The piece; empty at the end of the file alone.
    public var data: [UInt8]

    /// Every field as given.
    public init(model: Digest, offset: Int, total: Int, data: [UInt8]) {
        self.model = model
        self.offset = offset
        self.total = total
        self.data = data
    }
}

/// A piece of a file of a finished job.
public struct FileChunk: Sendable, Equatable {
    /// The hash of the canonical job.
    public var job: Digest
    /// The file's name in the output folder.
    public var file: String
    /// Where the piece begins.
    public var offset: Int
    /// Bytes of the whole file.
    public var total: Int
    /// The piece.
    public var data: [UInt8]

    /// Every field as given.
    public init(job: Digest, file: String, offset: Int, total: Int, data: [UInt8]) {
        self.job = job
        self.file = file
        self.offset = offset
        self.total = total
        self.data = data
    }
}
