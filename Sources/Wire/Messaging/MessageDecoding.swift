import CProtobufC
import CWireMessages
import ContentHash
import Glibc
import RunFolder

extension Message {

    /// Reads an envelope that anybody may have written.
    ///
    /// Texts come without anything that a terminal obeys; what a worker says of itself and its troubles is one line.
    ///
    /// - Throws: ``MessagingError`` with code `malformed`, `tooLong` or `version`.
    public static func decode(
        _ bytes: [UInt8], limits: DecodingLimits = DecodingLimits()
    ) throws(MessagingError) -> Message {
        let result: Result<Message, MessagingError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(MessagingError) {
                return .success(try decode(buffer, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Reads an envelope where it lies.
    static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, limits: DecodingLimits = DecodingLimits()
    ) throws(MessagingError) -> Message {
        guard bytes.count <= limits.messageBytes else {
            throw .malformed("\(bytes.count) bytes, more than a message may have")
        }
        try EnvelopeOutline.check(bytes, limits)
        let reader = EnvelopeReader(limits: limits)
        let message = try UnpackingBudget(bytes: limits.unpackedBytes).unpacking(
            bytes, with: rrr__wire__envelope__unpack, free: rrr__wire__envelope__free_unpacked
        ) { envelope throws(MessagingError) in try reader.message(in: envelope) }
        guard let message else { throw .malformed("\(bytes.count) bytes that are not an envelope") }
        return message
    }
}

/// Makes message values of unpacked structs. Whatever a peer can choose is looked at first.
private struct EnvelopeReader {
    let limits: DecodingLimits

    func message(in envelope: Rrr__Wire__Envelope) throws(MessagingError) -> Message {
        let version = envelope.protocol_version
        guard version == Message.protocolVersion else {
            throw MessagingError(
                code: .version(version),
                message: "protocol version \(version); this side speaks \(Message.protocolVersion)")
        }
        return try body(of: envelope)
    }

    private func body(of envelope: Rrr__Wire__Envelope) throws(MessagingError) -> Message {
        switch envelope.body_case {
        case RRR__WIRE__ENVELOPE__BODY_REGISTRATION:
            let m = try present(envelope.registration).pointee
            guard m.session.len == 16 else { throw .malformed("a session of \(m.session.len) bytes instead of 16") }
            guard m.n_holding <= limits.heldBlocks else { throw .malformed("\(m.n_holding) blocks held") }
            let fingerprint = try line(m.fingerprint, atMost: limits.textBytes)
            // Workers of one fingerprint compute the same bytes, so that none is cut.
            guard fingerprint.utf8.count <= PeerText.longestVersion else {
                throw .malformed("a fingerprint of \(fingerprint.utf8.count) bytes")
            }
            var registration = Registration(
                session: bytes(m.session), host: try line(m.host, atMost: PeerText.longestHost),
                process: Int(m.process), slots: Int(m.slots),
                version: try line(m.version, atMost: PeerText.longestVersion), fingerprint: fingerprint)
            registration.number = m.number
            for held in try list(m.holding, m.n_holding) { registration.holding.append(try attempt(held)) }
            return .registration(registration)
        case RRR__WIRE__ENVELOPE__BODY_HEARTBEAT:
            let m = try present(envelope.heartbeat).pointee
            return .heartbeat(lease: m.lease, holding: Int(m.holding))
        case RRR__WIRE__ENVELOPE__BODY_PROGRESS:
            let m = try present(envelope.progress).pointee
            guard m.steps_done <= m.steps_total else {
                throw .malformed("\(m.steps_done) steps done of \(m.steps_total)")
            }
            return .progress(
                BlockProgress(
                    attempt: try attempt(m.attempt), stepsDone: Int(m.steps_done), stepsTotal: Int(m.steps_total),
                    acceptance: m.acceptance))
        case RRR__WIRE__ENVELOPE__BODY_CHECKPOINT:
            let m = try present(envelope.checkpoint).pointee
            return .checkpoint(
                BlockState(
                    attempt: try attempt(m.attempt), stepsDone: Int(m.steps_done), state: bytes(m.state),
                    offset: try count(m.offset), isLast: m.more == 0))
        case RRR__WIRE__ENVELOPE__BODY_RETURNED:
            let m = try present(envelope.returned).pointee
            return .returned(
                BlockState(
                    attempt: try attempt(m.attempt), stepsDone: Int(m.steps_done), state: bytes(m.state),
                    offset: try count(m.offset)))
        case RRR__WIRE__ENVELOPE__BODY_RESULT:
            let m = try present(envelope.result).pointee
            guard m.samples.len % MemoryLayout<Float>.size == 0 else {
                throw .malformed("\(m.samples.len) bytes of samples, not a whole number of values")
            }
            return .result(
                BlockReport(
                    attempt: try attempt(m.attempt), samples: bytes(m.samples),
                    statistics: try statistics(m),
                    gradientEvaluations: try count(m.gradient_evaluations), seconds: m.seconds))
        case RRR__WIRE__ENVELOPE__BODY_FAILURE:
            let m = try present(envelope.failure).pointee
            return .failure(
                try attempt(m.attempt), text: try line(m.text, atMost: PeerText.longestReason),
                isInability: m.inability != 0)
        case RRR__WIRE__ENVELOPE__BODY_MODEL_REQUEST:
            let m = try present(envelope.model_request).pointee
            guard 1...UInt32(ModelChunk.longest) ~= m.length else {
                throw .malformed("a request for \(m.length) bytes of a model, not 1 to \(ModelChunk.longest)")
            }
            return .modelRequest(
                ModelRequest(model: try digest(m.sha256), offset: try count(m.offset), length: Int(m.length)))
        case RRR__WIRE__ENVELOPE__BODY_MODEL_CHUNK:
            return try modelChunk(try present(envelope.model_chunk).pointee)
        case RRR__WIRE__ENVELOPE__BODY_GOODBYE:
            let reason = try present(envelope.goodbye).pointee.reason
            return .goodbye(reason: try line(reason, atMost: PeerText.longestReason))
        case RRR__WIRE__ENVELOPE__BODY_WELCOME:
            let m = try present(envelope.welcome).pointee
            guard m.heartbeat_milliseconds > 0, m.silence_milliseconds > 0 else {
                throw .malformed("a heartbeat or silence of no time")
            }
            return .welcome(
                worker: m.worker, registration: m.registration,
                heartbeat: .milliseconds(Int(m.heartbeat_milliseconds)),
                silence: .milliseconds(Int(m.silence_milliseconds)))
        case RRR__WIRE__ENVELOPE__BODY_LEASE:
            return .lease(try lease(try present(envelope.lease).pointee))
        case RRR__WIRE__ENVELOPE__BODY_REVOKE:
            let m = try present(envelope.revoke).pointee
            return .revoke(
                job: try digest(m.job), blocks: try blocks(m.blocks, m.n_blocks), handBack: m.hand_back != 0)
        case RRR__WIRE__ENVELOPE__BODY_TAKEN:
            let m = try present(envelope.taken).pointee
            return .taken(job: try digest(m.job), blocks: try blocks(m.blocks, m.n_blocks))
        case RRR__WIRE__ENVELOPE__BODY_DRAIN:
            let m = try present(envelope.drain).pointee
            return .drain(reason: try text(m.reason), exitStatus: Int32(clamping: m.exit_status))
        case RRR__WIRE__ENVELOPE__BODY_REGISTER_AGAIN:
            return .registerAgain(reason: try text(try present(envelope.register_again).pointee.reason))
        default:
            return try submitterBody(of: envelope)
        }
    }

    /// The submitter's side of the conversation.
    private func submitterBody(of envelope: Rrr__Wire__Envelope) throws(MessagingError) -> Message {
        switch envelope.body_case {
        case RRR__WIRE__ENVELOPE__BODY_SUBMIT:
            let m = try present(envelope.submit).pointee
            guard m.job_text.len <= limits.jobTextBytes else { throw .malformed("a job of \(m.job_text.len) bytes") }
            return .submit(
                jobText: bytes(m.job_text), force: m.force != 0, watch: m.watch != 0, terms: try terms(m))
        case RRR__WIRE__ENVELOPE__BODY_CONTROL:
            let m = try present(envelope.control).pointee
            let job = try digest(m.job)
            switch m.change_case {
            case RRR__WIRE__CONTROL__CHANGE_PAUSE: return .control(job: job, m.pause != 0 ? .pause : .resume)
            case RRR__WIRE__CONTROL__CHANGE_PRIORITY: return .control(job: job, .priority(Int(m.priority)))
            default: throw .malformed("a control that changes nothing")
            }
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
            for job in try list(m.jobs, m.n_jobs) { jobs.append(try status(try present(job).pointee)) }
            return .poolStatus(
                PoolStatus(
                    jobs: jobs, workers: Int(m.workers), slots: Int(m.slots), version: try text(m.version),
                    uptimeSeconds: m.uptime_seconds))
        case RRR__WIRE__ENVELOPE__BODY_EVENT:
            return .event(try status(try present(try present(envelope.event).pointee.status).pointee))
        case RRR__WIRE__ENVELOPE__BODY_WORKER_LIST:
            let m = try present(envelope.worker_list).pointee
            var workers: [WorkerStatus] = []
            for pointer in try list(m.workers, m.n_workers) {
                workers.append(try worker(try present(pointer).pointee))
            }
            return .workers(workers)
        case RRR__WIRE__ENVELOPE__BODY_FILE_CHUNK:
            let m = try present(envelope.file_chunk).pointee
            let (offset, total) = (try count(m.offset), try count(m.total))
            guard offset <= total, m.data.len <= total - offset else {
                throw .malformed("\(m.data.len) bytes at \(offset) of a file of \(total)")
            }
            return .fileChunk(
                FileChunk(
                    job: try digest(m.job), file: try text(m.file), offset: offset, total: total,
                    data: bytes(m.data)))
        case RRR__WIRE__ENVELOPE__BODY_REFUSAL:
            let m = try present(envelope.refusal).pointee
            return .refusal(exitStatus: Int32(clamping: m.exit_status), text: try text(m.text))
        default:
            throw .malformed("an envelope with no body that this version knows")
        }
    }

    private func modelChunk(_ m: Rrr__Wire__ModelChunk) throws(MessagingError) -> Message {
        let model = try digest(m.sha256)
        let reason = try line(m.unavailable, atMost: PeerText.longestReason)
        guard reason.isEmpty else { return .modelUnavailable(model, reason: reason) }
        let (offset, total) = (try count(m.offset), try count(m.total))
        guard m.data.len <= ModelChunk.longest, offset <= total, m.data.len <= total - offset,
            m.data.len > 0 || offset == total
        else {
            throw .malformed("\(m.data.len) bytes at \(offset) of a model of \(total)")
        }
        return .modelChunk(ModelChunk(model: model, offset: offset, total: total, data: bytes(m.data)))
    }

    private func lease(_ m: Rrr__Wire__Lease) throws(MessagingError) -> Lease {
        let job = try digest(m.job)
        var blocks: [AttemptID] = []
        var checkpoints: [Int: [UInt8]] = [:]
        var stateBytes: [Int: Int] = [:]
        for pointer in try list(m.blocks, m.n_blocks) {
            let block = try present(pointer).pointee
            blocks.append(AttemptID(job: job, block: try count(block.block), attempt: Int(block.attempt)))
            if block.checkpoint.len > 0 { checkpoints[try count(block.block)] = bytes(block.checkpoint) }
            if block.state_bytes > 0 { stateBytes[try count(block.block)] = try count(block.state_bytes) }
        }
        guard m.checkpoint_milliseconds > 0 else { throw .malformed("checkpoints without any time between them") }
        return Lease(
            job: job, jobText: bytes(m.job_text), textDigest: try digest(m.text_digest), blocks: blocks,
            checkpoints: checkpoints, stateBytes: stateBytes, number: m.number,
            checkpointInterval: .milliseconds(Int(m.checkpoint_milliseconds)))
    }

    private func blocks(_ pointer: UnsafeMutablePointer<UInt64>?, _ number: Int) throws(MessagingError) -> [Int] {
        var blocks: [Int] = []
        for block in try list(pointer, number) { blocks.append(try count(block)) }
        return blocks
    }

    private func terms(_ m: Rrr__Wire__Submit) throws(MessagingError) -> SubmissionTerms {
        var terms = SubmissionTerms()
        terms.priority = Int(m.priority)
        terms.share = m.share == 0 ? 1 : m.share
        guard terms.share > 0, terms.share.isFinite else { throw .malformed("a share of \(m.share)") }
        terms.timeLimit = try duration(m.time_limit_seconds)
        terms.checkpointInterval = try duration(m.checkpoint_seconds)
        return terms
    }

    /// Nil for no time at all.
    private func duration(_ seconds: Double) throws(MessagingError) -> Duration? {
        guard seconds >= 0, seconds <= 1e9 else { throw .malformed("a time of \(seconds) s") }
        return seconds == 0 ? nil : .seconds(seconds)
    }

    private func status(_ m: Rrr__Wire__JobStatus) throws(MessagingError) -> JobStatus {
        guard let state = JobStatus.wireStates.first(where: { $0.value == m.state })?.key else {
            throw .malformed("a job in the unknown state \(m.state.rawValue)")
        }
        return JobStatus(
            job: try digest(m.job), name: try text(m.name), state: state, chainsTotal: try count(m.chains_total),
            chainsDone: try count(m.chains_done), fraction: m.fraction, acceptance: m.acceptance,
            secondsElapsed: m.seconds_elapsed, workers: Int(m.workers), failure: try text(m.failure),
            notice: try text(m.notice), priority: Int(m.priority), blocksAgain: try count(m.blocks_again))
    }

    private func worker(_ m: Rrr__Wire__WorkerStatus) throws(MessagingError) -> WorkerStatus {
        WorkerStatus(
            worker: m.worker, host: try text(m.host), process: Int(m.process), slots: Int(m.slots),
            version: try text(m.version), fingerprint: try text(m.fingerprint), blocksDone: try count(m.blocks_done),
            blocksRunning: Int(m.blocks_running), secondsSinceHeard: m.seconds_since_heard)
    }

    private func statistics(_ m: Rrr__Wire__BlockResult) throws(MessagingError) -> StatisticRows {
        var entries: [StatisticRows.Entry] = []
        for pointer in try list(m.statistics, m.n_statistics) {
            let m = try present(pointer).pointee
            entries.append(.init(name: try line(m.name, atMost: PeerText.longestName), bytes: bytes(m.rows)))
        }
        return StatisticRows(entries)
    }

    private func attempt(
        _ pointer: UnsafeMutablePointer<Rrr__Wire__AttemptID>?
    ) throws(MessagingError) -> AttemptID {
        let m = try present(pointer).pointee
        return AttemptID(job: try digest(m.job), block: try count(m.block), attempt: Int(m.attempt))
    }

    private func present<T>(
        _ pointer: UnsafeMutablePointer<T>?
    ) throws(MessagingError) -> UnsafeMutablePointer<T> {
        guard let pointer else { throw .malformed("a message without the part it is about") }
        return pointer
    }

    private func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        Array(UnsafeBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len))
    }

    /// An array of parts, each of which costs more to make than it takes on the wire.
    private func list<T>(_ pointer: UnsafeMutablePointer<T>?, _ count: Int) throws(MessagingError) -> [T] {
        guard count <= limits.entries else { throw .malformed("a list of \(count)") }
        return Array(UnsafeBufferPointer(start: pointer, count: pointer == nil ? 0 : count))
    }

    private func digest(_ data: ProtobufCBinaryData) throws(MessagingError) -> Digest {
        // The length first: the bytes may be many.
        guard data.len == Digest.byteCount, let digest = Digest(bytes: bytes(data)) else {
            throw .malformed("a job or model named by \(data.len) bytes instead of \(Digest.byteCount)")
        }
        return digest
    }

    private func count(_ value: UInt64) throws(MessagingError) -> Int {
        guard let count = Int(exactly: value) else { throw .malformed("the number \(value) is too large") }
        return count
    }

    /// What a coordinator says.
    private func text(_ pointer: UnsafeMutablePointer<CChar>?) throws(MessagingError) -> String {
        PeerText.shown(try validated(pointer), atMost: limits.textBytes, keepsLines: true)
    }

    /// What is said to a coordinator, and what it passes on of that.
    private func line(
        _ pointer: UnsafeMutablePointer<CChar>?, atMost bytes: Int
    ) throws(MessagingError) -> String {
        PeerText.shown(try validated(pointer), atMost: bytes)
    }

    private func validated(_ pointer: UnsafeMutablePointer<CChar>?) throws(MessagingError) -> String {
        guard let pointer else { return "" }
        guard strlen(pointer) <= limits.textBytes else { throw .malformed("a text longer than any should be") }
        guard let text = String(validatingCString: pointer) else { throw .malformed("a text that is not UTF-8") }
        return text
    }
}
