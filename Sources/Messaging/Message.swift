public import ContentHash

/// Everything that coordinator, workers and submitters say; the meaning of a field stands in proto/rrr.proto.
public enum Message: Sendable {
    // Worker to coordinator.
    case registration(Registration)
    case heartbeat
    case progress(BlockProgress)
    case result(BlockReport)
    case failure(AttemptID, text: String)
    case goodbye(reason: String)
    // Coordinator to worker.
    case welcome(worker: UInt64, heartbeat: Duration, silence: Duration)
    case lease(Lease)
    case revoke(job: Digest, blocks: [Int])
    case drain(reason: String)
    case registerAgain(reason: String)
    // Submitter to coordinator.
    case submit(jobText: [UInt8], force: Bool, watch: Bool)
    case statusRequest(job: Digest?)
    case workersRequest
    case cancel(job: Digest)
    case fetch(job: Digest, file: String, offset: Int, length: Int)
    // Coordinator to submitter.
    case accepted(job: Digest, alreadyFinished: Bool)
    case poolStatus(PoolStatus)
    case event(JobStatus)
    case workers([WorkerStatus])
    case fileChunk(FileChunk)
    case refusal(exitStatus: Int32, text: String)

    /// Both sides must speak the same version.
    public static let protocolVersion: UInt32 = 1
}

/// One attempt at one block of a job.
public struct AttemptID: Hashable, Sendable {
    public var job: Digest
    public var block: Int
    public var attempt: Int

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
    public var host: String
    public var process: Int
    public var slots: Int
    public var version: String
    public var fingerprint: String

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
public struct BlockProgress: Sendable {
    public var attempt: AttemptID
    public var stepsDone: Int
    public var stepsTotal: Int
    /// At the level just done; NaN if there were no transitions.
    public var acceptance: Double

    public init(attempt: AttemptID, stepsDone: Int, stepsTotal: Int, acceptance: Double) {
        self.attempt = attempt
        self.stepsDone = stepsDone
        self.stepsTotal = stepsTotal
        self.acceptance = acceptance
    }
}

/// A finished block.
public struct BlockReport: Sendable {
    public var attempt: AttemptID
    /// Float32, little-endian, [chains, draws, dimension].
    public var samples: [UInt8]
    /// [chains, levels], NaN where no transitions ran.
    public var acceptance: [Float]
    /// [chains].
    public var logDensity: [Double]
    /// [chains].
    public var divergences: [Int32]
    public var gradientEvaluations: Int
    /// How long it ran.
    public var seconds: Double

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
    public var job: Digest
    /// Canonical; empty if this session has had it before.
    public var jobText: [UInt8]
    public var blocks: [AttemptID]

    public init(job: Digest, jobText: [UInt8], blocks: [AttemptID]) {
        self.job = job
        self.jobText = jobText
        self.blocks = blocks
    }
}

/// Where a job stands.
public struct JobStatus: Sendable {
    public enum State: String, Sendable, CaseIterable {
        case queued, running, finished, failed, cancelled

        /// Whether nothing more will happen to the job.
        public var isOver: Bool { self != .queued && self != .running }
    }

    public var job: Digest
    public var name: String
    public var state: State
    public var chainsTotal: Int
    public var chainsDone: Int
    /// Of the work, with what is done inside running blocks.
    public var fraction: Double
    /// Mean over what is known so far; NaN if nothing is.
    public var acceptance: Double
    public var secondsElapsed: Double
    public var workers: Int
    /// Why it failed; empty otherwise.
    public var failure: String

    public init(
        job: Digest, name: String, state: State, chainsTotal: Int, chainsDone: Int, fraction: Double,
        acceptance: Double, secondsElapsed: Double, workers: Int, failure: String
    ) {
        self.job = job
        self.name = name
        self.state = state
        self.chainsTotal = chainsTotal
        self.chainsDone = chainsDone
        self.fraction = fraction
        self.acceptance = acceptance
        self.secondsElapsed = secondsElapsed
        self.workers = workers
        self.failure = failure
    }
}

/// The whole pool at a glance.
public struct PoolStatus: Sendable {
    public var jobs: [JobStatus]
    public var workers: Int
    public var slots: Int
    public var version: String
    public var uptimeSeconds: Double

    public init(jobs: [JobStatus], workers: Int, slots: Int, version: String, uptimeSeconds: Double) {
        self.jobs = jobs
        self.workers = workers
        self.slots = slots
        self.version = version
        self.uptimeSeconds = uptimeSeconds
    }
}

/// One worker of the pool.
public struct WorkerStatus: Sendable, Equatable {
    public var worker: UInt64
    public var host: String
    public var process: Int
    public var slots: Int
    public var version: String
    public var fingerprint: String
    public var blocksDone: Int
    public var blocksRunning: Int
    public var secondsSinceHeard: Double

    public init(
        worker: UInt64, host: String, process: Int, slots: Int, version: String, fingerprint: String,
        blocksDone: Int, blocksRunning: Int, secondsSinceHeard: Double
    ) {
        self.worker = worker
        self.host = host
        self.process = process
        self.slots = slots
        self.version = version
        self.fingerprint = fingerprint
        self.blocksDone = blocksDone
        self.blocksRunning = blocksRunning
        self.secondsSinceHeard = secondsSinceHeard
    }
}

/// A piece of a file of a finished job.
public struct FileChunk: Sendable, Equatable {
    public var job: Digest
    public var file: String
    public var offset: Int
    /// Bytes of the whole file.
    public var total: Int
    public var data: [UInt8]

    public init(job: Digest, file: String, offset: Int, total: Int, data: [UInt8]) {
        self.job = job
        self.file = file
        self.offset = offset
        self.total = total
        self.data = data
    }
}
