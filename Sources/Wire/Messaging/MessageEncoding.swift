import CProtobufC
import CWireMessages
import ContentHash
import RunFolder

extension Message {
    /// The message as an envelope.
    public func encoded() -> [UInt8] {
        var arena = EncodingArena()
        var envelope = Rrr__Wire__Envelope()
        rrr__wire__envelope__init(&envelope)
        envelope.protocol_version = Self.protocolVersion
        fill(&envelope, &arena)
        // Samples may be megabytes: nothing is zeroed that is about to be written.
        return [UInt8](unsafeUninitializedCapacity: rrr__wire__envelope__get_packed_size(&envelope)) { buffer, count in
            count = rrr__wire__envelope__pack(&envelope, buffer.baseAddress)
        }
    }

    private func fill(_ envelope: inout Rrr__Wire__Envelope, _ arena: inout EncodingArena) {
        switch self {
        case .registration(let registration):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_REGISTRATION
            envelope.registration = arena.message(rrr__wire__registration__init, Rrr__Wire__Registration()) {
                m, arena in
                m.session = arena.bytes(registration.session)
                m.host = arena.text(registration.host)
                m.process = UInt32(clamping: registration.process)
                m.slots = UInt32(clamping: registration.slots)
                m.version = arena.text(registration.version)
                m.fingerprint = arena.text(registration.fingerprint)
                m.number = registration.number
                var holding: [UnsafeMutablePointer<Rrr__Wire__AttemptID>?] = []
                for attempt in registration.holding { holding.append(attempt.placed(in: &arena)) }
                (m.n_holding, m.holding) = (holding.count, arena.array(holding))
            }
        case .heartbeat(let lease, let holding):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_HEARTBEAT
            envelope.heartbeat = arena.message(rrr__wire__heartbeat__init, Rrr__Wire__Heartbeat()) { m, _ in
                m.lease = lease
                m.holding = UInt32(clamping: holding)
            }
        case .progress(let progress):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_PROGRESS
            envelope.progress = arena.message(rrr__wire__progress__init, Rrr__Wire__Progress()) { m, arena in
                m.attempt = progress.attempt.placed(in: &arena)
                m.steps_done = UInt32(clamping: progress.stepsDone)
                m.steps_total = UInt32(clamping: progress.stepsTotal)
                m.acceptance = progress.acceptance
            }
        case .checkpoint(let state):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_CHECKPOINT
            envelope.checkpoint = arena.message(rrr__wire__checkpoint__init, Rrr__Wire__Checkpoint()) { m, arena in
                m.attempt = state.attempt.placed(in: &arena)
                m.steps_done = UInt32(clamping: state.stepsDone)
                m.state = arena.bytes(state.state)
                m.offset = UInt64(clamping: state.offset)
                m.more = state.isLast ? 0 : 1
            }
        case .returned(let state):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_RETURNED
            envelope.returned = arena.message(rrr__wire__returned__init, Rrr__Wire__Returned()) { m, arena in
                m.attempt = state.attempt.placed(in: &arena)
                m.steps_done = UInt32(clamping: state.stepsDone)
                m.state = arena.bytes(state.state)
                m.offset = UInt64(clamping: state.offset)
            }
        case .result(let report):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_RESULT
            envelope.result = arena.message(rrr__wire__block_result__init, Rrr__Wire__BlockResult()) { m, arena in
                m.attempt = report.attempt.placed(in: &arena)
                m.samples = arena.bytes(report.samples)
                let statistics = report.statistics.entries.map { entry in
                    arena.message(rrr__wire__statistic__init, Rrr__Wire__Statistic()) { m, arena in
                        m.name = arena.text(entry.name)
                        m.rows = arena.bytes(entry.bytes)
                    }
                }
                (m.n_statistics, m.statistics) = (statistics.count, arena.array(statistics.map(Optional.init)))
                m.gradient_evaluations = UInt64(clamping: report.gradientEvaluations)
                m.seconds = report.seconds
            }
        case .failure(let attempt, let text, let isInability):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_FAILURE
            envelope.failure = arena.message(rrr__wire__failure__init, Rrr__Wire__Failure()) { m, arena in
                m.attempt = attempt.placed(in: &arena)
                m.text = arena.text(PeerText.shown(text, atMost: PeerText.longestReason))
                m.inability = isInability ? 1 : 0
            }
        case .modelRequest(let request):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_MODEL_REQUEST
            envelope.model_request = arena.message(
                rrr__wire__model_request__init, Rrr__Wire__ModelRequest()
            ) { m, arena in
                m.sha256 = arena.bytes(request.model.bytes)
                m.offset = UInt64(clamping: request.offset)
                m.length = UInt32(clamping: request.length)
            }
        case .modelChunk(let chunk):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_MODEL_CHUNK
            envelope.model_chunk = arena.message(rrr__wire__model_chunk__init, Rrr__Wire__ModelChunk()) { m, arena in
                m.sha256 = arena.bytes(chunk.model.bytes)
                m.offset = UInt64(clamping: chunk.offset)
                m.total = UInt64(clamping: chunk.total)
                m.data = arena.bytes(chunk.data)
            }
        case .modelUnavailable(let model, let reason):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_MODEL_CHUNK
            envelope.model_chunk = arena.message(rrr__wire__model_chunk__init, Rrr__Wire__ModelChunk()) { m, arena in
                m.sha256 = arena.bytes(model.bytes)
                // An empty reason would read as an empty piece.
                m.unavailable = arena.text(reason.isEmpty ? "no reason given" : reason)
            }
        case .goodbye(let reason):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_GOODBYE
            envelope.goodbye = arena.message(rrr__wire__goodbye__init, Rrr__Wire__Goodbye()) { m, arena in
                m.reason = arena.text(reason)
            }
        case .welcome(let worker, let registration, let heartbeat, let silence):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_WELCOME
            envelope.welcome = arena.message(rrr__wire__welcome__init, Rrr__Wire__Welcome()) { m, _ in
                m.worker = worker
                m.heartbeat_milliseconds = milliseconds(heartbeat)
                m.silence_milliseconds = milliseconds(silence)
                m.registration = registration
            }
        case .lease(let lease):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_LEASE
            envelope.lease = arena.message(rrr__wire__lease__init, Rrr__Wire__Lease()) { m, arena in
                m.job = arena.bytes(lease.job.bytes)
                m.job_text = arena.bytes(lease.jobText)
                m.text_digest = arena.bytes(lease.textDigest.bytes)
                var blocks: [UnsafeMutablePointer<Rrr__Wire__LeasedBlock>?] = []
                for block in lease.blocks {
                    blocks.append(
                        arena.message(rrr__wire__leased_block__init, Rrr__Wire__LeasedBlock()) { m, arena in
                            m.block = UInt64(clamping: block.block)
                            m.attempt = UInt32(clamping: block.attempt)
                            if let checkpoint = lease.checkpoints[block.block] {
                                m.checkpoint = arena.bytes(checkpoint)
                            }
                            m.state_bytes = UInt64(clamping: lease.stateBytes[block.block] ?? 0)
                        })
                }
                (m.n_blocks, m.blocks) = (blocks.count, arena.array(blocks))
                m.number = lease.number
                m.checkpoint_milliseconds = milliseconds(lease.checkpointInterval)
            }
        case .taken(let job, let blocks):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_TAKEN
            envelope.taken = arena.message(rrr__wire__taken__init, Rrr__Wire__Taken()) { m, arena in
                m.job = arena.bytes(job.bytes)
                (m.n_blocks, m.blocks) = (blocks.count, arena.array(blocks.map { UInt64(clamping: $0) }))
            }
        case .revoke(let job, let blocks, let handBack):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_REVOKE
            envelope.revoke = arena.message(rrr__wire__revoke__init, Rrr__Wire__Revoke()) { m, arena in
                m.job = arena.bytes(job.bytes)
                (m.n_blocks, m.blocks) = (blocks.count, arena.array(blocks.map { UInt64(clamping: $0) }))
                m.hand_back = handBack ? 1 : 0
            }
        case .drain(let reason, let exitStatus):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_DRAIN
            envelope.drain = arena.message(rrr__wire__drain__init, Rrr__Wire__Drain()) { m, arena in
                m.reason = arena.text(reason)
                m.exit_status = UInt32(clamping: exitStatus)
            }
        case .registerAgain(let reason):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_REGISTER_AGAIN
            envelope.register_again = arena.message(
                rrr__wire__register_again__init, Rrr__Wire__RegisterAgain()
            ) { m, arena in
                m.reason = arena.text(reason)
            }
        default:
            fillForSubmitter(&envelope, &arena)
        }
    }

    /// The submitter's side of the conversation.
    private func fillForSubmitter(_ envelope: inout Rrr__Wire__Envelope, _ arena: inout EncodingArena) {
        switch self {
        case .submit(let text, let force, let watch, let terms):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_SUBMIT
            envelope.submit = arena.message(rrr__wire__submit__init, Rrr__Wire__Submit()) { m, arena in
                m.job_text = arena.bytes(text)
                m.force = force ? 1 : 0
                m.watch = watch ? 1 : 0
                m.priority = Int32(clamping: terms.priority)
                m.share = terms.share
                m.time_limit_seconds = (terms.timeLimit ?? .zero) / .seconds(1)
                m.checkpoint_seconds = (terms.checkpointInterval ?? .zero) / .seconds(1)
            }
        case .control(let job, let change):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_CONTROL
            envelope.control = arena.message(rrr__wire__control__init, Rrr__Wire__Control()) { m, arena in
                m.job = arena.bytes(job.bytes)
                switch change {
                case .pause, .resume:
                    m.change_case = RRR__WIRE__CONTROL__CHANGE_PAUSE
                    m.pause = change == .pause ? 1 : 0
                case .priority(let priority):
                    m.change_case = RRR__WIRE__CONTROL__CHANGE_PRIORITY
                    m.priority = Int32(clamping: priority)
                }
            }
        case .statusRequest(let job):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_STATUS_REQUEST
            envelope.status_request = arena.message(
                rrr__wire__status_request__init, Rrr__Wire__StatusRequest()
            ) { m, arena in
                m.job = arena.bytes(job?.bytes ?? [])
            }
        case .workersRequest:
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_WORKERS_REQUEST
            envelope.workers_request = arena.message(
                rrr__wire__workers_request__init, Rrr__Wire__WorkersRequest()
            ) { _, _ in }
        case .cancel(let job):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_CANCEL
            envelope.cancel = arena.message(rrr__wire__cancel__init, Rrr__Wire__Cancel()) { m, arena in
                m.job = arena.bytes(job.bytes)
            }
        case .fetch(let job, let file, let offset, let length):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_FETCH
            envelope.fetch = arena.message(rrr__wire__fetch__init, Rrr__Wire__Fetch()) { m, arena in
                m.job = arena.bytes(job.bytes)
                m.file = arena.text(file)
                m.offset = UInt64(clamping: offset)
                m.length = UInt32(clamping: length)
            }
        case .accepted(let job, let alreadyFinished):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_ACCEPTED
            envelope.accepted = arena.message(rrr__wire__accepted__init, Rrr__Wire__Accepted()) { m, arena in
                m.job = arena.bytes(job.bytes)
                m.already_finished = alreadyFinished ? 1 : 0
            }
        case .poolStatus(let status):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_POOL_STATUS
            envelope.pool_status = arena.message(rrr__wire__pool_status__init, Rrr__Wire__PoolStatus()) { m, arena in
                var jobs: [UnsafeMutablePointer<Rrr__Wire__JobStatus>?] = []
                for job in status.jobs { jobs.append(job.placed(in: &arena)) }
                (m.n_jobs, m.jobs) = (jobs.count, arena.array(jobs))
                m.workers = UInt32(clamping: status.workers)
                m.slots = UInt32(clamping: status.slots)
                m.version = arena.text(status.version)
                m.uptime_seconds = status.uptimeSeconds
            }
        case .event(let status):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_EVENT
            envelope.event = arena.message(rrr__wire__event__init, Rrr__Wire__Event()) { m, arena in
                m.status = status.placed(in: &arena)
            }
        case .workers(let workers):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_WORKER_LIST
            envelope.worker_list = arena.message(rrr__wire__worker_list__init, Rrr__Wire__WorkerList()) { m, arena in
                var list: [UnsafeMutablePointer<Rrr__Wire__WorkerStatus>?] = []
                for worker in workers { list.append(worker.placed(in: &arena)) }
                (m.n_workers, m.workers) = (list.count, arena.array(list))
            }
        case .fileChunk(let chunk):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_FILE_CHUNK
            envelope.file_chunk = arena.message(rrr__wire__file_chunk__init, Rrr__Wire__FileChunk()) { m, arena in
                m.job = arena.bytes(chunk.job.bytes)
                m.file = arena.text(chunk.file)
                m.offset = UInt64(clamping: chunk.offset)
                m.total = UInt64(clamping: chunk.total)
                m.data = arena.bytes(chunk.data)
            }
        case .refusal(let exitStatus, let text):
            envelope.body_case = RRR__WIRE__ENVELOPE__BODY_REFUSAL
            envelope.refusal = arena.message(rrr__wire__refusal__init, Rrr__Wire__Refusal()) { m, arena in
                m.exit_status = UInt32(clamping: exitStatus)
                m.text = arena.text(text)
            }
        default:
            break
        }
    }
}

/// Whole milliseconds, at least one: no time at all would be refused.
private func milliseconds(_ duration: Duration) -> UInt32 {
    UInt32(min(max(1, duration / .milliseconds(1)), Double(UInt32.max)))
}

extension AttemptID {
    fileprivate func placed(in arena: inout EncodingArena) -> UnsafeMutablePointer<Rrr__Wire__AttemptID> {
        arena.message(rrr__wire__attempt_id__init, Rrr__Wire__AttemptID()) { m, arena in
            m.job = arena.bytes(job.bytes)
            m.block = UInt64(clamping: block)
            m.attempt = UInt32(clamping: attempt)
        }
    }
}

extension JobStatus {
    static let wireStates: [State: Rrr__Wire__JobState] = [
        .queued: RRR__WIRE__JOB_STATE__JOB_STATE_QUEUED, .running: RRR__WIRE__JOB_STATE__JOB_STATE_RUNNING,
        .finished: RRR__WIRE__JOB_STATE__JOB_STATE_FINISHED, .failed: RRR__WIRE__JOB_STATE__JOB_STATE_FAILED,
        .cancelled: RRR__WIRE__JOB_STATE__JOB_STATE_CANCELLED, .paused: RRR__WIRE__JOB_STATE__JOB_STATE_PAUSED,
    ]

    fileprivate func placed(in arena: inout EncodingArena) -> UnsafeMutablePointer<Rrr__Wire__JobStatus> {
        arena.message(rrr__wire__job_status__init, Rrr__Wire__JobStatus()) { m, arena in
            m.job = arena.bytes(job.bytes)
            m.name = arena.text(name)
            m.state = Self.wireStates[state] ?? RRR__WIRE__JOB_STATE__JOB_STATE_UNSPECIFIED
            m.chains_total = UInt64(clamping: chainsTotal)
            m.chains_done = UInt64(clamping: chainsDone)
            m.fraction = fraction
            m.acceptance = acceptance
            m.seconds_elapsed = secondsElapsed
            m.workers = UInt32(clamping: workers)
            m.failure = arena.text(failure)
            m.notice = arena.text(notice)
            m.priority = Int32(clamping: priority)
            m.blocks_again = UInt64(clamping: blocksAgain)
        }
    }
}

extension WorkerStatus {
    fileprivate func placed(in arena: inout EncodingArena) -> UnsafeMutablePointer<Rrr__Wire__WorkerStatus> {
        arena.message(rrr__wire__worker_status__init, Rrr__Wire__WorkerStatus()) { m, arena in
            m.worker = worker
            m.host = arena.text(host)
            m.process = UInt32(clamping: process)
            m.slots = UInt32(clamping: slots)
            m.version = arena.text(version)
            m.fingerprint = arena.text(fingerprint)
            m.blocks_done = UInt64(clamping: blocksDone)
            m.blocks_running = UInt32(clamping: blocksRunning)
            m.seconds_since_heard = secondsSinceHeard
        }
    }
}
