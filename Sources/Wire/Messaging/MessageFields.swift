import CProtobufC
import CWireMessages
import ContentHash

extension Message {
    /// Goes through the fields of the message and of the envelope that it travels in.
    mutating func pass(_ envelope: inout Rrr__Wire__Envelope, _ wire: inout WirePass) {
        switch self {
        case .registration(var registration):
            wire.body(&envelope.registration, rrr__wire__registration__init) {
                registration.pass(&$0, &$1)
            }
            self = .registration(registration)
        case .heartbeat(var lease, var holding):
            wire.body(&envelope.heartbeat, rrr__wire__heartbeat__init) { m, wire in
                wire.same(&lease, &m.lease)
                wire.number(&holding, &m.holding)
            }
            self = .heartbeat(lease: lease, holding: holding)
        case .progress(var progress):
            wire.body(&envelope.progress, rrr__wire__progress__init) { progress.pass(&$0, &$1) }
            self = .progress(progress)
        case .checkpoint(var state):
            wire.body(&envelope.checkpoint, rrr__wire__checkpoint__init) { state.pass(&$0, &$1) }
            self = .checkpoint(state)
        case .returned(var state):
            wire.body(&envelope.returned, rrr__wire__returned__init) { m, wire in
                wire.part(&state.attempt, &m.attempt)
                wire.number(&state.stepsDone, &m.steps_done)
                wire.bytes(&state.state, &m.state)
                wire.number(&state.offset, &m.offset)
                wire.number(&state.start, &m.start)
                wire.number(&state.settled, &m.settled)
                wire.check(state.isPossible, "a piece that no state is cut into")
            }
            self = .returned(state)
        case .result(var report):
            wire.body(&envelope.result, rrr__wire__block_result__init) { report.pass(&$0, &$1) }
            self = .result(report)
        case .failure(var attempt, var text, var isInability):
            text = PeerText.shown(text, atMost: PeerText.longestReason)
            wire.body(&envelope.failure, rrr__wire__failure__init) { m, wire in
                wire.part(&attempt, &m.attempt)
                wire.line(&text, &m.text, atMost: PeerText.longestReason)
                wire.flag(&isInability, &m.inability)
            }
            self = .failure(attempt, text: text, isInability: isInability)
        case .modelRequest(var request):
            wire.body(&envelope.model_request, rrr__wire__model_request__init) { request.pass(&$0, &$1) }
            self = .modelRequest(request)
        case .goodbye(var reason):
            wire.body(&envelope.goodbye, rrr__wire__goodbye__init) { m, wire in
                wire.line(&reason, &m.reason, atMost: PeerText.longestReason)
            }
            self = .goodbye(reason: reason)
        case .welcome(var worker, var registration, var heartbeat, var silence):
            wire.body(&envelope.welcome, rrr__wire__welcome__init) { m, wire in
                wire.same(&worker, &m.worker)
                wire.milliseconds(&heartbeat, &m.heartbeat_milliseconds, "a heartbeat")
                wire.milliseconds(&silence, &m.silence_milliseconds, "a silence")
                wire.same(&registration, &m.registration)
            }
            self = .welcome(worker: worker, registration: registration, heartbeat: heartbeat, silence: silence)
        case .lease(var lease):
            wire.body(&envelope.lease, rrr__wire__lease__init) { lease.pass(&$0, &$1) }
            self = .lease(lease)
        case .taken(var job, var blocks):
            wire.body(&envelope.taken, rrr__wire__taken__init) { m, wire in
                wire.digest(&job, &m.job)
                wire.numbers(&blocks, &m.n_blocks, &m.blocks)
            }
            self = .taken(job: job, blocks: blocks)
        case .settled(var attempt, var bytes):
            wire.body(&envelope.settled, rrr__wire__settled__init) { m, wire in
                wire.part(&attempt, &m.attempt)
                wire.number(&bytes, &m.bytes)
            }
            self = .settled(attempt, bytes: bytes)
        case .revoke(var job, var blocks, var handBack):
            wire.body(&envelope.revoke, rrr__wire__revoke__init) { m, wire in
                wire.digest(&job, &m.job)
                wire.numbers(&blocks, &m.n_blocks, &m.blocks)
                wire.flag(&handBack, &m.hand_back)
            }
            self = .revoke(job: job, blocks: blocks, handBack: handBack)
        case .modelChunk(var chunk):
            var reason = ""
            wire.body(&envelope.model_chunk, rrr__wire__model_chunk__init) { m, wire in
                wire.digest(&chunk.model, &m.sha256)
                wire.line(&reason, &m.unavailable, atMost: PeerText.longestReason)
                if reason.isEmpty { chunk.passPlaceAndData(&m, &wire) }
            }
            self = reason.isEmpty ? .modelChunk(chunk) : .modelUnavailable(chunk.model, reason: reason)
        case .modelUnavailable(var model, var reason):
            // An empty reason would read as an empty piece.
            if reason.isEmpty { reason = "no reason given" }
            wire.body(&envelope.model_chunk, rrr__wire__model_chunk__init) { m, wire in
                wire.digest(&model, &m.sha256)
                wire.line(&reason, &m.unavailable, atMost: PeerText.longestReason)
            }
            self = .modelUnavailable(model, reason: reason)
        case .drain(var reason, var exitStatus):
            wire.body(&envelope.drain, rrr__wire__drain__init) { m, wire in
                wire.text(&reason, &m.reason)
                wire.number(&exitStatus, &m.exit_status)
            }
            self = .drain(reason: reason, exitStatus: exitStatus)
        case .registerAgain(var reason):
            wire.body(&envelope.register_again, rrr__wire__register_again__init) { m, wire in
                wire.text(&reason, &m.reason)
            }
            self = .registerAgain(reason: reason)
        case .submit(var text, var force, var watch, var terms):
            wire.body(&envelope.submit, rrr__wire__submit__init) { m, wire in
                wire.checkJob(m.job_text)
                wire.bytes(&text, &m.job_text)
                wire.flag(&force, &m.force)
                wire.flag(&watch, &m.watch)
                terms.pass(&m, &wire)
            }
            self = .submit(jobText: text, force: force, watch: watch, terms: terms)
        case .control(var job, var change):
            wire.body(&envelope.control, rrr__wire__control__init) { m, wire in
                wire.digest(&job, &m.job)
                change.pass(&m, &wire)
            }
            self = .control(job: job, change)
        case .statusRequest(let job):
            // No job is no bytes.
            var name = job ?? .blank
            var isOfAll = job == nil
            wire.body(&envelope.status_request, rrr__wire__status_request__init) { m, wire in
                if wire.isReading { isOfAll = m.job.len == 0 }
                if !isOfAll { wire.digest(&name, &m.job) }
            }
            self = .statusRequest(job: isOfAll ? nil : name)
        case .workersRequest:
            wire.body(&envelope.workers_request, rrr__wire__workers_request__init) { _, _ in }
        case .cancel(var job):
            wire.body(&envelope.cancel, rrr__wire__cancel__init) { m, wire in wire.digest(&job, &m.job) }
            self = .cancel(job: job)
        case .delete(var job):
            wire.body(&envelope.delete_, rrr__wire__delete__init) { m, wire in wire.digest(&job, &m.job) }
            self = .delete(job: job)
        case .explain(var job, let chain):
            var (number, isOfChain) = (chain ?? 0, chain != nil)
            wire.body(&envelope.explain, rrr__wire__explain__init) { m, wire in
                wire.digest(&job, &m.job)
                wire.number(&number, &m.chain)
                wire.flag(&isOfChain, &m.of_chain)
            }
            self = .explain(job: job, chain: isOfChain ? number : nil)
        case .explanation(var explanation):
            wire.body(&envelope.explanation, rrr__wire__explanation__init) { explanation.pass(&$0, &$1) }
            self = .explanation(explanation)
        case .fetch(var job, var file, var offset, var length):
            wire.body(&envelope.fetch, rrr__wire__fetch__init) { m, wire in
                wire.digest(&job, &m.job)
                wire.text(&file, &m.file)
                wire.number(&offset, &m.offset)
                wire.number(&length, &m.length)
            }
            self = .fetch(job: job, file: file, offset: offset, length: length)
        case .accepted(var job, var alreadyFinished):
            wire.body(&envelope.accepted, rrr__wire__accepted__init) { m, wire in
                wire.digest(&job, &m.job)
                wire.flag(&alreadyFinished, &m.already_finished)
            }
            self = .accepted(job: job, alreadyFinished: alreadyFinished)
        case .poolStatus(var status):
            wire.body(&envelope.pool_status, rrr__wire__pool_status__init) { status.pass(&$0, &$1) }
            self = .poolStatus(status)
        case .event(var status):
            wire.body(&envelope.event, rrr__wire__event__init) { m, wire in wire.part(&status, &m.status) }
            self = .event(status)
        case .workers(var workers):
            wire.body(&envelope.worker_list, rrr__wire__worker_list__init) { m, wire in
                wire.parts(&workers, &m.n_workers, &m.workers)
            }
            self = .workers(workers)
        case .fileChunk(var chunk):
            wire.body(&envelope.file_chunk, rrr__wire__file_chunk__init) { chunk.pass(&$0, &$1) }
            self = .fileChunk(chunk)
        case .refusal(var exitStatus, var text):
            wire.body(&envelope.refusal, rrr__wire__refusal__init) { m, wire in
                wire.number(&exitStatus, &m.exit_status)
                wire.text(&text, &m.text)
            }
            self = .refusal(exitStatus: exitStatus, text: text)
        case .reloadKeys:
            wire.body(&envelope.reload_keys, rrr__wire__reload_keys__init) { _, _ in }
        case .keysReloaded(var allowed):
            wire.body(&envelope.keys_reloaded, rrr__wire__keys_reloaded__init) { m, wire in
                wire.number(&allowed, &m.allowed)
            }
            self = .keysReloaded(allowed: allowed)
        }
    }
}
