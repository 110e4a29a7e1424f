import ContentHash
import RunFolder

/// What an envelope may hold, by the number of its field in proto/rrr.proto; numbers that are not written follow one
/// another.
package enum MessageKind: UInt32, Sendable, CaseIterable {
    // Worker to coordinator.
    case registration = 10, heartbeat, progress, checkpoint, result, failure, modelRequest, goodbye, returned
    // Coordinator to worker.
    case welcome = 30, lease, revoke, modelChunk, drain, registerAgain, taken, settled
    // Submitter to coordinator.
    case submit = 50, statusRequest, workersRequest, cancel, fetch, control, reloadKeys, delete, explain
    // Coordinator to submitter.
    case accepted = 70, poolStatus, event, workers, fileChunk, refusal, keysReloaded, explanation
}

extension MessageKind {
    /// More than anything that has no list, text or state in it.
    static let small = 64 << 10

    /// The longest body, in bytes; nil for those that a whole message may be.
    func longestBody(_ limits: DecodingLimits) -> Int? {
        switch self {
        // A block that is held takes less than fifty bytes.
        case .registration: Self.small + 50 * limits.heldBlocks
        case .heartbeat, .progress, .failure, .modelRequest, .goodbye, .welcome, .drain, .registerAgain, .settled,
            .statusRequest, .workersRequest, .cancel, .fetch, .control, .delete, .explain, .accepted, .reloadKeys,
            .keysReloaded:
            Self.small
        case .modelChunk: Self.small + ModelChunk.longest
        case .submit: Self.small + limits.jobTextBytes
        case .checkpoint, .result, .returned, .lease, .revoke, .taken, .poolStatus, .event, .workers, .fileChunk,
            .refusal, .explanation:
            nil
        }
    }

    /// A message of the kind, before its fields are read.
    var blank: Message {
        switch self {
        case .registration:
            .registration(Registration(session: [], host: "", process: 0, slots: 0, version: "", fingerprint: ""))
        case .heartbeat: .heartbeat()
        case .progress: .progress(BlockProgress(attempt: .blank, stepsDone: 0, stepsTotal: 0, acceptance: 0))
        case .checkpoint: .checkpoint(BlockState(attempt: .blank, stepsDone: 0, state: []))
        case .result:
            .result(
                BlockReport(
                    attempt: .blank, samples: [], statistics: StatisticRows(), gradientEvaluations: 0, seconds: 0))
        case .failure: .failure(.blank, text: "")
        case .modelRequest: .modelRequest(ModelRequest(model: .blank, offset: 0, length: 0))
        case .goodbye: .goodbye(reason: "")
        case .returned: .returned(BlockState(attempt: .blank, stepsDone: 0, state: []))
        case .welcome: .welcome(worker: 0, registration: 0, heartbeat: .zero, silence: .zero)
        case .lease: .lease(Lease(job: .blank, jobText: [], textDigest: .blank, blocks: []))
        case .revoke: .revoke(job: .blank, blocks: [])
        case .modelChunk: .modelChunk(ModelChunk(model: .blank, offset: 0, total: 0, data: []))
        case .drain: .drain(reason: "")
        case .registerAgain: .registerAgain(reason: "")
        case .taken: .taken(job: .blank, blocks: [])
        case .settled: .settled(.blank, bytes: 0)
        case .submit: .submit(jobText: [], force: false, watch: false)
        case .statusRequest: .statusRequest(job: nil)
        case .workersRequest: .workersRequest
        case .cancel: .cancel(job: .blank)
        case .fetch: .fetch(job: .blank, file: "", offset: 0, length: 0)
        case .control: .control(job: .blank, .resume)
        case .delete: .delete(job: .blank)
        case .explain: .explain(job: .blank, chain: nil)
        case .accepted: .accepted(job: .blank, alreadyFinished: false)
        case .poolStatus: .poolStatus(PoolStatus(jobs: [], workers: 0, slots: 0, version: "", uptimeSeconds: 0))
        case .event: .event(.blank)
        case .workers: .workers([])
        case .fileChunk: .fileChunk(FileChunk(job: .blank, file: "", offset: 0, total: 0, data: []))
        case .refusal: .refusal(exitStatus: 0, text: "")
        case .reloadKeys: .reloadKeys
        case .keysReloaded: .keysReloaded(allowed: 0)
        case .explanation: .explanation(Explanation(status: .blank, workers: [], block: nil))
        }
    }
}

extension Message {
    /// What of an envelope holds it.
    package var kind: MessageKind {
        switch self {
        case .registration: .registration
        case .heartbeat: .heartbeat
        case .progress: .progress
        case .checkpoint: .checkpoint
        case .returned: .returned
        case .result: .result
        case .failure: .failure
        case .modelRequest: .modelRequest
        case .goodbye: .goodbye
        case .welcome: .welcome
        case .lease: .lease
        case .taken: .taken
        case .settled: .settled
        case .revoke: .revoke
        case .modelChunk, .modelUnavailable: .modelChunk
        case .drain: .drain
        case .registerAgain: .registerAgain
        case .submit: .submit
        case .control: .control
        case .statusRequest: .statusRequest
        case .workersRequest: .workersRequest
        case .cancel: .cancel
        case .fetch: .fetch
        case .accepted: .accepted
        case .poolStatus: .poolStatus
        case .event: .event
        case .workers: .workers
        case .fileChunk: .fileChunk
        case .refusal: .refusal
        case .reloadKeys: .reloadKeys
        case .keysReloaded: .keysReloaded
        case .delete: .delete
        case .explain: .explain
        case .explanation: .explanation
        }
    }
}

extension Digest {
    /// Any digest, before one is read.
    static let blank = SHA256.hash(of: [])
}
