import CProtobufC
import CWireMessages
import ContentHash

extension Message {

    /// Reads an envelope that anybody may have written.
    ///
    /// - Throws: ``MessagingError`` with code `malformed` or `version`.
    public static func decode(_ bytes: [UInt8]) throws(MessagingError) -> Message {
        guard let envelope = rrr__wire__envelope__unpack(nil, bytes.count, bytes) else {
            throw .malformed("\(bytes.count) bytes that are not an envelope")
        }
        defer { rrr__wire__envelope__free_unpacked(envelope, nil) }
        let version = envelope.pointee.protocol_version
        guard version == protocolVersion else {
            throw MessagingError(
                code: .version(version), message: "protocol version \(version); this side speaks \(protocolVersion)")
        }
        return try body(of: envelope.pointee)
    }

    private static func body(of envelope: Rrr__Wire__Envelope) throws(MessagingError) -> Message {
        switch envelope.body_case {
        case RRR__WIRE__ENVELOPE__BODY_REGISTRATION:
            let m = try present(envelope.registration).pointee
            let session = bytes(m.session)
            guard session.count == 16 else { throw .malformed("a session of \(session.count) bytes instead of 16") }
            return .registration(
                Registration(
                    session: session, host: try text(m.host), process: Int(m.process), slots: Int(m.slots),
                    version: try text(m.version), fingerprint: try text(m.fingerprint)))
        case RRR__WIRE__ENVELOPE__BODY_HEARTBEAT:
            return .heartbeat
        case RRR__WIRE__ENVELOPE__BODY_PROGRESS:
            let m = try present(envelope.progress).pointee
            return .progress(
                BlockProgress(
                    attempt: try attempt(m.attempt), stepsDone: Int(m.steps_done), stepsTotal: Int(m.steps_total),
                    acceptance: m.acceptance))
        case RRR__WIRE__ENVELOPE__BODY_RESULT:
            let m = try present(envelope.result).pointee
            return .result(
                BlockReport(
                    attempt: try attempt(m.attempt), sampleBytes: bytes(m.samples),
                    acceptance: array(m.acceptance, m.n_acceptance),
                    logDensity: array(m.log_density, m.n_log_density),
                    divergences: array(m.divergences, m.n_divergences),
                    gradientEvaluations: try count(m.gradient_evaluations), seconds: m.seconds))
        case RRR__WIRE__ENVELOPE__BODY_FAILURE:
            let m = try present(envelope.failure).pointee
            return .failure(try attempt(m.attempt), text: try text(m.text))
        case RRR__WIRE__ENVELOPE__BODY_GOODBYE:
            return .goodbye(reason: try text(try present(envelope.goodbye).pointee.reason))
        case RRR__WIRE__ENVELOPE__BODY_WELCOME:
            let m = try present(envelope.welcome).pointee
            return .welcome(
                worker: m.worker, heartbeat: .milliseconds(Int(m.heartbeat_milliseconds)),
                silence: .milliseconds(Int(m.silence_milliseconds)))
        case RRR__WIRE__ENVELOPE__BODY_LEASE:
            return .lease(try lease(try present(envelope.lease).pointee))
        case RRR__WIRE__ENVELOPE__BODY_REVOKE:
            let m = try present(envelope.revoke).pointee
            var blocks: [Int] = []
            for block: UInt64 in array(m.blocks, m.n_blocks) { blocks.append(try count(block)) }
            return .revoke(job: try digest(m.job), blocks: blocks)
        case RRR__WIRE__ENVELOPE__BODY_DRAIN:
            return .drain(reason: try text(try present(envelope.drain).pointee.reason))
        case RRR__WIRE__ENVELOPE__BODY_REGISTER_AGAIN:
            return .registerAgain(reason: try text(try present(envelope.register_again).pointee.reason))
        default:
            return try submitterBody(of: envelope)
        }
    }

    /// The submitter's side of the conversation.
    private static func submitterBody(of envelope: Rrr__Wire__Envelope) throws(MessagingError) -> Message {
        switch envelope.body_case {
        case RRR__WIRE__ENVELOPE__BODY_SUBMIT:
            let m = try present(envelope.submit).pointee
            return .submit(jobText: bytes(m.job_text), force: m.force != 0, watch: m.watch != 0)
        case RRR__WIRE__ENVELOPE__BODY_STATUS_REQUEST:
            let m = try present(envelope.status_request).pointee
            return .statusRequest(job: m.job.len == 0 ? nil : try digest(m.job))
        case RRR__WIRE__ENVELOPE__BODY_WORKERS_REQUEST:
            return .workersRequest
        case RRR__WIRE__ENVELOPE__BODY_CANCEL:
            return .cancel(job: try digest(try present(envelope.cancel).pointee.job))
        case RRR__WIRE__ENVELOPE__BODY_FETCH:
            let m = try present(envelope.fetch).pointee
            return .fetch(
                job: try digest(m.job), file: try text(m.file), offset: try count(m.offset), length: Int(m.length))
        case RRR__WIRE__ENVELOPE__BODY_ACCEPTED:
            let m = try present(envelope.accepted).pointee
            return .accepted(job: try digest(m.job), alreadyFinished: m.already_finished != 0)
        case RRR__WIRE__ENVELOPE__BODY_POOL_STATUS:
            let m = try present(envelope.pool_status).pointee
            var jobs: [JobStatus] = []
            for job in array(m.jobs, m.n_jobs) { jobs.append(try status(try present(job).pointee)) }
            return .poolStatus(
                PoolStatus(
                    jobs: jobs, workers: Int(m.workers), slots: Int(m.slots), version: try text(m.version),
                    uptimeSeconds: m.uptime_seconds))
        case RRR__WIRE__ENVELOPE__BODY_EVENT:
            return .event(try status(try present(try present(envelope.event).pointee.status).pointee))
        case RRR__WIRE__ENVELOPE__BODY_WORKER_LIST:
            let m = try present(envelope.worker_list).pointee
            var workers: [WorkerStatus] = []
            for worker in array(m.workers, m.n_workers) { workers.append(try self.worker(try present(worker).pointee)) }
            return .workers(workers)
        case RRR__WIRE__ENVELOPE__BODY_FILE_CHUNK:
            let m = try present(envelope.file_chunk).pointee
            return .fileChunk(
                FileChunk(
                    job: try digest(m.job), file: try text(m.file), offset: try count(m.offset),
                    total: try count(m.total), data: bytes(m.data)))
        case RRR__WIRE__ENVELOPE__BODY_REFUSAL:
            let m = try present(envelope.refusal).pointee
            return .refusal(exitStatus: Int32(clamping: m.exit_status), text: try text(m.text))
        default:
            throw .malformed("an envelope with no body that this version knows")
        }
    }

    private static func lease(_ m: Rrr__Wire__Lease) throws(MessagingError) -> Lease {
        let job = try digest(m.job)
        var blocks: [AttemptID] = []
        for pointer in array(m.blocks, m.n_blocks) {
            let block = try present(pointer).pointee
            blocks.append(AttemptID(job: job, block: try count(block.block), attempt: Int(block.attempt)))
        }
        return Lease(job: job, jobText: bytes(m.job_text), blocks: blocks)
    }

    private static func status(_ m: Rrr__Wire__JobStatus) throws(MessagingError) -> JobStatus {
        guard let state = JobStatus.wireStates.first(where: { $0.value == m.state })?.key else {
            throw .malformed("a job in the unknown state \(m.state.rawValue)")
        }
        return JobStatus(
            job: try digest(m.job), name: try text(m.name), state: state, chainsTotal: try count(m.chains_total),
            chainsDone: try count(m.chains_done), fraction: m.fraction, acceptance: m.acceptance,
            secondsElapsed: m.seconds_elapsed, workers: Int(m.workers), failure: try text(m.failure))
    }

    private static func worker(_ m: Rrr__Wire__WorkerStatus) throws(MessagingError) -> WorkerStatus {
        WorkerStatus(
            worker: m.worker, host: try text(m.host), process: Int(m.process), slots: Int(m.slots),
            version: try text(m.version), fingerprint: try text(m.fingerprint), blocksDone: try count(m.blocks_done),
            blocksRunning: Int(m.blocks_running), secondsSinceHeard: m.seconds_since_heard)
    }

    private static func attempt(
        _ pointer: UnsafeMutablePointer<Rrr__Wire__AttemptID>?
    ) throws(MessagingError) -> AttemptID {
        let m = try present(pointer).pointee
        return AttemptID(job: try digest(m.job), block: try count(m.block), attempt: Int(m.attempt))
    }

    private static func present<T>(
        _ pointer: UnsafeMutablePointer<T>?
    ) throws(MessagingError) -> UnsafeMutablePointer<T> {
        guard let pointer else { throw .malformed("a message without the part it is about") }
        return pointer
    }

    private static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        Array(UnsafeBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len))
    }

    private static func array<T>(_ pointer: UnsafeMutablePointer<T>?, _ count: Int) -> [T] {
        Array(UnsafeBufferPointer(start: pointer, count: pointer == nil ? 0 : count))
    }

    private static func digest(_ data: ProtobufCBinaryData) throws(MessagingError) -> Digest {
        guard let digest = Digest(bytes: bytes(data)) else {
            throw .malformed("a job named by \(data.len) bytes instead of \(Digest.byteCount)")
        }
        return digest
    }

    private static func count(_ value: UInt64) throws(MessagingError) -> Int {
        guard let count = Int(exactly: value) else { throw .malformed("the number \(value) is too large") }
        return count
    }

    private static func text(_ pointer: UnsafeMutablePointer<CChar>?) throws(MessagingError) -> String {
        guard let pointer else { return "" }
        guard let text = String(validatingCString: pointer) else { throw .malformed("a text that is not UTF-8") }
        return text
    }
}
