public import ContentHash

/// Everything that coordinator, workers and submitters say; proto/rrr.proto has them field by field.
///
/// Equality is that of the fields, so that a message with a NaN in it equals none.
public enum Message: Sendable, Equatable {
    // Worker to coordinator.

    /// A worker introduces itself; answered with `welcome` or `drain`.
    case registration(Registration)
    /// "I am here", in both directions.
    case heartbeat
    /// How far a running block is.
    case progress(BlockProgress)
    /// A finished block.
    case result(BlockReport)
    /// A block that cannot be finished, and why.
    case failure(AttemptID, text: String)
    /// A piece of a model file is wanted; a coordinator asks submitters in the same way.
    case modelRequest(ModelRequest)
    /// The worker leaves and hands back what it has not finished.
    case goodbye(reason: String)

    // Coordinator to worker.

    /// The worker is known now. It is to be heard every `heartbeat`, and is lost after `silence`.
    case welcome(worker: UInt64, heartbeat: Duration, silence: Duration)
    /// Blocks to run.
    case lease(Lease)
    /// Blocks not to run after all; all of the job's if none is named.
    case revoke(job: Digest, blocks: [Int])
    /// Answers `modelRequest`; a submitter answers a coordinator in the same way.
    case modelChunk(ModelChunk)
    /// Answers `modelRequest`: the file cannot be had, and why.
    case modelUnavailable(Digest, reason: String)
    /// Take nothing more, and leave.
    case drain(reason: String)
    /// The coordinator does not know who is speaking.
    case registerAgain(reason: String)

    // Submitter to coordinator.

    /// A job to run. `force` runs it again though it is finished; `watch` asks for events.
    case submit(jobText: [UInt8], force: Bool, watch: Bool)
    /// How a job is, or all of them.
    case statusRequest(job: Digest?)
    /// Who works here.
    case workersRequest
    /// Stop a job.
    case cancel(job: Digest)
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
    public static let protocolVersion: UInt32 = 1
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

    /// Every field as given.
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

/// A finished block.
public struct BlockReport: Sendable, Equatable {
    /// What is reported on.
    public var attempt: AttemptID
    /// Float32, little-endian, [chains, draws, dimension].
    public var samples: [UInt8]
    /// [chains, levels], NaN where no transitions ran.
    public var acceptance: [Float]
    /// [chains].
    public var logDensity: [Double]
    /// [chains].
    public var divergences: [Int32]
    /// Over all chains.
    public var gradientEvaluations: Int
    /// How long it ran.
    public var seconds: Double

    /// Every field as given.
    public init(
        attempt: AttemptID, samples: [Float], acceptance: [Float], logDensity: [Double], divergences: [Int32],
        gradientEvaluations: Int, seconds: Double
    ) {
        self.init(
            attempt: attempt, sampleBytes: Self.bytes(of: samples), acceptance: acceptance, logDensity: logDensity,
            divergences: divergences, gradientEvaluations: gradientEvaluations, seconds: seconds)
    }

    init(
        attempt: AttemptID, sampleBytes: [UInt8], acceptance: [Float], logDensity: [Double], divergences: [Int32],
        gradientEvaluations: Int, seconds: Double
    ) {
        self.attempt = attempt
        samples = sampleBytes
        self.acceptance = acceptance
        self.logDensity = logDensity
        self.divergences = divergences
        self.gradientEvaluations = gradientEvaluations
        self.seconds = seconds
    }
}

extension BlockReport {
    /// Float32, little-endian; every machine this runs on stores them so.
    private static func bytes(of samples: [Float]) -> [UInt8] {
        samples.withUnsafeBytes { Array($0) }
    }
}

/// Blocks of one job for a worker.
public struct Lease: Sendable, Equatable {
    /// The hash of the canonical job.
    public var job: Digest
    /// Canonical; empty if this session has had it before.
    public var jobText: [UInt8]
    /// What to run, in this order.
    public var blocks: [AttemptID]

    /// Every field as given.
    public init(job: Digest, jobText: [UInt8], blocks: [AttemptID]) {
        self.job = job
        self.jobText = jobText
        self.blocks = blocks
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
