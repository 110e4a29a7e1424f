package import ContentHash

/// Everything that coordinator, workers and submitters say; proto/rrr.proto has them field by field.
///
/// Equality is that of the fields, so that a message with a NaN in it equals none.
package enum Message: Sendable, Equatable {
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
    /// So many bytes at the start of the block's states are stored: states need not begin with them any more.
    case settled(AttemptID, bytes: Int)
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
    /// Forget a job that is over, and remove its files; answered with a `poolStatus` without it.
    case delete(job: Digest)
    /// Where a job runs and what it waits for, and how the block of a chain stands; answered with `explanation`.
    case explain(job: Digest, chain: Int?)
    /// Read again which keys are let in; answered with `keysReloaded`.
    case reloadKeys

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
    /// Answers `reloadKeys`: how many keys are let in.
    case keysReloaded(allowed: Int)
    /// Answers `explain`.
    case explanation(Explanation)

    /// Both sides must speak the same version.
    package static let protocolVersion: UInt32 = 5
}
