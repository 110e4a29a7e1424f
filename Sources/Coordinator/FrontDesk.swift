import ContentHash
import Foundation
import JobFile
import Logging
import Messaging
import ModelTransfer
import PoolCore
import RunFolder

/// Everything the coordinator knows, and what it answers to each message.
struct FrontDesk {
    private struct WorkerEntry {
        let peer: PeerID
        let registration: Registration
        var knownJobs: Set<Digest> = []
    }

    private let configuration: CoordinatorService.Configuration
    private let logger: Logger
    private let transmit: ([UInt8], PeerID) -> SendOutcome
    private let clock = ContinuousClock()
    private let start = ContinuousClock().now

    private let models: ModelStore
    private var intake: Intake
    private var scheduler: Scheduler
    private var workers: [WorkerID: WorkerEntry] = [:]
    private var workerByPeer: [PeerID: WorkerID] = [:]
    private var everyWorker: [String: Registration] = [:]
    private var fingerprint: String?
    private var nextWorker: WorkerID = 1
    private var jobs: [Digest: RunningJob] = [:]
    private var identities: [JobNumber: Digest] = [:]
    private var nextJob: JobNumber = 1
    private var dismissing = false
    /// Why no job can be worked on any more.
    private var verdict: String?
    private var lastTick = Duration.zero
    private var lastEvents = Duration.zero

    init(
        configuration: CoordinatorService.Configuration, intake: Intake, models: ModelStore, logger: Logger,
        transmit: @escaping ([UInt8], PeerID) -> SendOutcome
    ) {
        self.configuration = configuration
        self.intake = intake
        self.models = models
        self.logger = logger
        self.transmit = transmit
        scheduler = Scheduler(configuration: configuration.pool)
    }

    private var now: Duration { clock.now - start }

    @discardableResult
    private func send(_ message: Message, to peer: PeerID) -> SendOutcome { transmit(message.encoded(), peer) }

    // MARK: Messages

    mutating func take(_ bytes: [UInt8], from peer: PeerID) {
        do {
            try answer(Message.decode(bytes), from: peer)
        } catch let error as MessagingError {
            if case .version = error.code {
                send(.refusal(exitStatus: 75, text: "the coordinator can't be talked to: \(error)"), to: peer)
            }
            logger.warning("a message was refused: \(error)")
        } catch {
            logger.error("\(error)")
        }
    }

    private mutating func answer(_ message: Message, from peer: PeerID) throws {
        switch message {
        case .registration(let registration): register(registration, peer)
        case .submit(let text, let force, let watch):
            submit(HandedIn(text: text, force: force, watch: watch, peer: peer))
        case .modelChunk(let chunk): settle(intake.take(chunk, from: peer, at: now))
        case .modelUnavailable(let model, let reason):
            settle(intake.unavailable(model, reason: reason, from: peer))
        case .statusRequest(let job): status(of: job, to: peer)
        case .workersRequest: send(.workers(workerList()), to: peer)
        case .cancel(let job): cancel(job, peer)
        case .fetch(let job, let file, let offset, let length): fetch(job, file, offset, length, peer)
        case .heartbeat, .progress, .result, .failure, .modelRequest, .goodbye:
            guard let worker = workerByPeer[peer] else {
                send(.registerAgain(reason: "this coordinator does not know you"), to: peer)
                return
            }
            hear(message, from: worker, peer)
        default:
            logger.warning("a message that is not for a coordinator was passed over")
        }
    }

    private mutating func hear(_ message: Message, from worker: WorkerID, _ peer: PeerID) {
        switch message {
        case .progress(let progress):
            jobs[progress.attempt.job]?.note(progress)
            act(on: attempt(progress.attempt).map { .progressed(worker, $0) } ?? .heard(worker))
        case .result(let report):
            act(on: attempt(report.attempt).map { .finished(worker, $0) } ?? .heard(worker), result: (worker, report))
        case .failure(let id, let text):
            logger.warning("worker \(worker): block \(id.block) failed: \(text)")
            act(on: attempt(id).map { .failed(worker, $0, reason: text) } ?? .heard(worker))
        case .modelRequest(let request):
            // A worker checks what it gets, and one that gets nothing asks again.
            send(ModelUpload.answer(request, from: models.path(of: request.model)), to: peer)
            act(on: .supplied(worker))
        case .goodbye:
            act(on: .left(worker))
        default:
            send(.heartbeat, to: peer)
            act(on: .heard(worker))
        }
    }

    private func attempt(_ id: AttemptID) -> Attempt? {
        jobs[id.job].map { Attempt(job: $0.number, block: id.block, number: id.attempt) }
    }

    private mutating func register(_ registration: Registration, _ peer: PeerID) {
        guard !dismissing else {
            send(.drain(reason: "the coordinator stops"), to: peer)
            return
        }
        let expected = fingerprint ?? registration.fingerprint
        guard registration.fingerprint == expected else {
            send(
                .drain(
                    reason: "its arithmetic (\(registration.fingerprint)) differs from that of the pool (\(expected)), "
                        + "so its samples would be other bytes"), to: peer)
            logger.warning("worker on \(registration.host) was refused: fingerprint \(registration.fingerprint)")
            return
        }
        fingerprint = expected
        if let old = workerByPeer[peer] { act(on: .left(old)) }
        let id = nextWorker
        nextWorker += 1
        workers[id] = WorkerEntry(peer: peer, registration: registration)
        workerByPeer[peer] = id
        everyWorker["\(id)"] = registration
        logger.info("worker \(id) on \(registration.host), \(registration.slots) slots")
        send(
            .welcome(worker: id, heartbeat: configuration.pool.heartbeat, silence: configuration.pool.silence), to: peer
        )
        act(on: .registered(id, slots: registration.slots))
    }

    mutating func processDied(_ process: Int32, reason: String) {
        let dead = workers.filter {
            $0.value.registration.process == Int(process)
                && $0.value.registration.host == ProcessInfo.processInfo.hostName
        }
        for id in dead.keys.sorted() { act(on: .died(id, reason: reason)) }
    }

    mutating func failAll(reason: String) {
        verdict = reason
        for (id, job) in jobs where !job.state.isOver { fail(id, reason: reason) }
    }

    // MARK: The scheduler's wishes

    private typealias Result = (worker: WorkerID, report: BlockReport)

    private mutating func act(on event: Scheduler.Event, result: Result? = nil) {
        for action in scheduler.handle(event, at: now) { perform(action, result) }
    }

    private mutating func perform(_ action: Scheduler.Action, _ result: Result?) {
        switch action {
        case .grant(let worker, let attempts):
            grant(attempts, to: worker)
        case .revoke(let worker, let attempts):
            guard let peer = workers[worker]?.peer else { return }
            for (number, group) in Dictionary(grouping: attempts, by: \.job) {
                guard let job = identities[number] else { continue }
                send(.revoke(job: job, blocks: group.map(\.block)), to: peer)
            }
        case .keep(let attempt):
            guard let result, let id = identities[attempt.job] else { return }
            do {
                try jobs[id]?.record(result.report, from: "\(result.worker)")
            } catch {
                fail(id, reason: "\(error)")
            }
        case .drop(let attempt):
            logger.debug("a second result of block \(attempt.block) was dropped")
        case .jobFinished(let number):
            finish(number)
        case .jobFailed(let number, let reason):
            guard let id = identities[number] else { return }
            end(id, as: .failed, failure: reason)
            announce(id)
        case .forget(let worker, let reason):
            logger.info("worker \(worker) is gone: \(reason)")
            if let entry = workers.removeValue(forKey: worker) { workerByPeer[entry.peer] = nil }
            if workers.isEmpty { fingerprint = nil }
        case .registerAgain(let worker):
            guard let peer = workers[worker]?.peer else { return }
            send(.registerAgain(reason: "this coordinator does not know you"), to: peer)
        }
    }

    private mutating func grant(_ attempts: [Attempt], to worker: WorkerID) {
        guard var entry = workers[worker] else { return }
        for (number, group) in Dictionary(grouping: attempts, by: \.job).sorted(by: { $0.key < $1.key }) {
            guard let id = identities[number], let job = jobs[id] else { continue }
            let text = entry.knownJobs.insert(id).inserted ? job.text : []
            let blocks = group.map { AttemptID(job: id, block: $0.block, attempt: $0.number) }
            switch send(.lease(Lease(job: id, jobText: text, blocks: blocks)), to: entry.peer) {
            case .sent:
                break
            case .wouldBlock:
                // It takes nothing in now: its blocks go elsewhere, and its next message makes it register.
                act(on: .left(worker))
                return
            case .unreachable:
                act(on: .died(worker, reason: "the connection to worker \(worker) is gone"))
                return
            }
        }
        workers[worker] = entry
    }

    private mutating func finish(_ number: JobNumber) {
        guard let id = identities[number], jobs[id]?.state.isOver == false else { return }
        do {
            let (workers, time) = (everyWorker, now)
            try jobs[id]?.finish(workers: workers, at: time)
            announce(id)
        } catch {
            fail(id, reason: "\(error)")
        }
    }

    private mutating func end(_ id: Digest, as state: JobStatus.State, failure: String = "") {
        let time = now
        jobs[id]?.end(as: state, failure: failure, at: time)
    }

    private mutating func fail(_ id: Digest, reason: String) {
        guard let number = jobs[id]?.number else { return }
        end(id, as: .failed, failure: reason)
        announce(id)
        act(on: .cancelled(number))
    }

    // MARK: Submitters

    private mutating func submit(_ submission: HandedIn) {
        // Submitters send the canonical text, whose hash is the job's identity.
        if join(SHA256.hash(of: submission.text), submission) { return }
        send(.heartbeat, to: submission.peer)
        intake.take(submission)
    }

    /// Takes in what the reading of a job came to.
    mutating func take(_ outcome: JobReader<Int>.Outcome, of number: Int) {
        settle(intake.take(outcome, of: number, at: now))
    }

    private mutating func settle(_ decision: Intake.Decision?) {
        switch decision {
        case .accepted(let job, let submission):
            if !join(job.identity, submission) { start(job, submission) }
        case .refused(let peer, let status, let text):
            send(.refusal(exitStatus: status, text: text), to: peer)
        case nil:
            break
        }
    }

    /// Where a job's files are.
    private func folder(of job: Digest) -> String { configuration.stateFolder + "/jobs/" + job.hex }

    /// Adds a submitter to a job that runs, or tells that it is finished. - Returns: false if it is neither.
    private mutating func join(_ id: Digest, _ submission: HandedIn) -> Bool {
        if let known = jobs[id], !known.state.isOver {
            add(submission, to: id)
            send(.accepted(job: id, alreadyFinished: false), to: submission.peer)
            return true
        }
        if !submission.force, RunFolder.isComplete(folder(of: id), jobHash: id.hex) {
            send(.accepted(job: id, alreadyFinished: true), to: submission.peer)
            return true
        }
        return false
    }

    private mutating func add(_ submission: HandedIn, to id: Digest) {
        if submission.watch { jobs[id]?.watchers.insert(submission.peer) } else { jobs[id]?.isDetached = true }
    }

    private mutating func start(_ job: Job, _ submission: HandedIn) {
        let id = job.identity
        let number = nextJob
        do {
            // Its own folder is locked while an earlier run of the job is still held.
            jobs[id] = nil
            let fresh = try RunningJob(
                job: job, text: Array(job.canonicalText.utf8), number: number, folder: folder(of: id), at: now)
            jobs[id] = fresh
        } catch {
            send(.refusal(exitStatus: error.exitStatus, text: "\(error)"), to: submission.peer)
            return
        }
        nextJob += 1
        identities[number] = id
        add(submission, to: id)
        logger.info("job \(job.name) \(id.hex.prefix(8)): \(job.blocks) blocks")
        send(.accepted(job: id, alreadyFinished: false), to: submission.peer)
        act(on: .submitted(number, blocks: job.blocks))
        if let verdict { fail(id, reason: verdict) }
    }

    private mutating func cancel(_ id: Digest, _ peer: PeerID) {
        if intake.cancel(id, peer) { return }
        guard let job = jobs[id], !job.state.isOver else {
            send(.refusal(exitStatus: 66, text: "no job \(id.hex.prefix(8)) runs here"), to: peer)
            return
        }
        // A submitter that gives up takes the job along only if nobody else wants it.
        if jobs[id]?.watchers.remove(peer) != nil, job.isDetached || jobs[id]?.watchers.isEmpty == false { return }
        end(id, as: .cancelled)
        act(on: .cancelled(job.number))
        announce(id)
        if !job.watchers.contains(peer) { status(of: id, to: peer) }
    }

    private func status(of id: Digest?, to peer: PeerID) {
        let capacity = scheduler.capacity
        let chosen = jobs.values.filter { id == nil || $0.identity == id }.sorted { $0.number < $1.number }
        send(
            .poolStatus(
                PoolStatus(
                    jobs: chosen.map { $0.status(workers: capacity.workers, at: now) }, workers: capacity.workers,
                    slots: capacity.slots, version: poolVersion, uptimeSeconds: now / .seconds(1))), to: peer)
    }

    private func workerList() -> [WorkerStatus] {
        workers.sorted { $0.key < $1.key }.compactMap { id, entry in
            scheduler.view(of: id, at: now).map {
                WorkerStatus(
                    worker: id, host: entry.registration.host, process: entry.registration.process, slots: $0.slots,
                    version: entry.registration.version, fingerprint: entry.registration.fingerprint,
                    blocksDone: $0.finished, blocksRunning: $0.running, secondsSinceHeard: $0.silence / .seconds(1))
            }
        }
    }

    private func fetch(_ id: Digest, _ file: String, _ offset: Int, _ length: Int, _ peer: PeerID) {
        guard RunFolder.fileNames.contains(file) else {
            send(.refusal(exitStatus: 65, text: "a run has no file \"\(file)\""), to: peer)
            return
        }
        do {
            let (data, total) = try FileSlice.read(
                folder(of: id) + "/" + file, offset: offset, length: min(length, 8 << 20))
            send(.fileChunk(FileChunk(job: id, file: file, offset: offset, total: total, data: data)), to: peer)
        } catch {
            send(.refusal(exitStatus: error.exitStatus, text: "\(error)"), to: peer)
        }
    }

    // MARK: Time

    private func announce(_ id: Digest) {
        guard let job = jobs[id] else { return }
        let status = job.status(workers: scheduler.capacity.workers, at: now)
        for watcher in job.watchers { send(.event(status), to: watcher) }
    }

    mutating func tick() {
        for (peer, messages) in intake.requests(at: now) {
            for message in messages { send(message, to: peer) }
        }
        if now - lastTick > .milliseconds(50) {
            lastTick = now
            act(on: .ticked)
        }
        if now - lastEvents > .milliseconds(200) {
            lastEvents = now
            for (id, job) in jobs where !job.state.isOver && !job.watchers.isEmpty { announce(id) }
        }
    }

    var hasWorkers: Bool { !workers.isEmpty }

    /// Sends the workers home and tells who waits for a job.
    mutating func dismiss() {
        dismissing = true
        for entry in workers.values { send(.drain(reason: "the coordinator stops"), to: entry.peer) }
        for peer in intake.waiting {
            send(.refusal(exitStatus: 75, text: "the coordinator was stopped before the job was accepted"), to: peer)
        }
        for job in jobs.values where !job.state.isOver {
            for watcher in job.watchers {
                send(.refusal(exitStatus: 75, text: "the coordinator was stopped before the job was done"), to: watcher)
            }
        }
    }
}
