import ContentHash
import Foundation
import JobFile
import Journal
import Logging
import Messaging
import ModelTransfer
import PoolCore
import ProgramVersion
import RunFolder

/// Everything the coordinator knows, and what it answers to each message.
///
/// Here is who speaks; workers' messages are answered in FrontDeskWorkers, the scheduler's wishes are done in
/// FrontDeskWishes, and jobs are begun and ended in FrontDeskJobs.
struct FrontDesk {
    struct WorkerEntry {
        let peer: PeerID
        /// What it registered by.
        let connection: Connection?
        let identity: Connection.Identity?
        var registration: Registration
        /// What provenance tells of it.
        let record: WorkerRecord
        /// Jobs whose text it has.
        var knownJobs: Set<Digest> = []
        /// The scheduler's number of the last grant.
        var lastGrant: UInt64 = 0
        /// The number of the last lease that was sent: a grant may travel in several.
        var lastLease: UInt64 = 0
        /// What it was granted and has not been sent yet: a state goes before it, or it is to read something else first.
        var loading: Set<Attempt> = []
        /// Whether the archive looks for a state, or a piece of one, for it: one after the other.
        var isLoading = false
        /// What has come of the long state that is on its way from it: the pieces of one come one after the other.
        var arriving: Arrival?
    }

    /// How much of a long state has come.
    struct Arrival: Equatable {
        let attempt: Attempt
        let stepsDone: Int
        var bytes: Int
    }

    /// Results and checkpoints beyond this, in bytes, that wait for the disk hold up new grants.
    static let mostWaitingBytes = 256 << 20
    /// So many confirmations are sent to a worker at once; fewer wait for ``confirmationDelay``.
    static let mostConfirmations = 64
    private static let confirmationDelay = Duration.milliseconds(250)

    let configuration: CoordinatorService.Configuration
    let logger: Logger
    private let transmit: ([UInt8], PeerID) -> SendOutcome
    private let clock = ContinuousClock()
    private let start = ContinuousClock().now

    let models: ModelStore
    let archive: Archive
    var intake: Intake
    var scheduler: Scheduler
    var workers: [WorkerID: WorkerEntry] = [:]
    var workerByPeer: [PeerID: WorkerID] = [:]
    var nextWorker: WorkerID = 1
    var jobs: [Digest: RunningJob] = [:]
    var identities: [JobNumber: Digest] = [:]
    /// What earlier lives of the coordinator left of jobs that are not in ``jobs``.
    var past: [Digest: PastJob] = [:]
    var nextJob: JobNumber = 1
    /// Finished jobs whose files are being looked at, and who has asked for them.
    var inspections: [Digest: Inspection] = [:]
    private(set) var isDismissing = false
    /// Why no job can be worked on any more.
    var verdict: String?
    /// Why nothing can be stored for now; empty if it can.
    private(set) var storageNotice = ""
    private var isOverloaded = false
    /// Results that were stored and are to be confirmed.
    var confirmations: [WorkerID: [Attempt]] = [:]
    /// Bytes that wait for peers to read them.
    var budget = ReplyBudget()
    /// What a long answer goes by that is being given.
    var connectionAtHand: Connection?
    var postponed: [Inquiry] = []
    /// What is on its way to workers that are to read something else first.
    var deliveries: [Delivery] = []
    var complaints = Complaints()
    private var lastConfirmations = Duration.zero
    private var lastTick = Duration.zero
    private var lastEvents = Duration.zero

    init(
        configuration: CoordinatorService.Configuration, intake: Intake, models: ModelStore, archive: Archive,
        past: [PastJob], logger: Logger, transmit: @escaping ([UInt8], PeerID) -> SendOutcome
    ) {
        self.configuration = configuration
        self.intake = intake
        self.models = models
        self.archive = archive
        self.logger = logger
        self.transmit = transmit
        scheduler = Scheduler(configuration: configuration.pool)
        takeUp(past)
    }

    var now: Duration { clock.now - start }

    @discardableResult
    mutating func send(_ message: Message, to peer: PeerID) -> SendOutcome {
        let bytes = message.encoded()
        let outcome = transmit(bytes, peer)
        if outcome == .sent { budget.note(bytes.count, over: connectionAtHand, at: now) }
        return outcome
    }

    // MARK: Messages

    /// - Parameter connection: what it came by; nil within a process.
    mutating func take(
        _ message: Result<Message, MessagingError>, from peer: PeerID, over connection: Connection? = nil
    ) {
        switch message {
        case .success(let message):
            answer(message, from: peer, over: connection)
        case .failure(let error):
            switch error.code {
            case .version:
                send(.refusal(exitStatus: 75, text: "the coordinator can't be talked to: \(error)"), to: peer)
            case .tooLong:
                send(.refusal(exitStatus: 65, text: "\(error)"), to: peer)
            default: break
            }
            if complaints.admits(.unreadable, about: peer) { logger.warning("a message was refused: \(error)") }
        }
    }

    private mutating func answer(_ message: Message, from peer: PeerID, over connection: Connection?) {
        switch message {
        case .registration(let registration): register(registration, peer, over: connection)
        case .submit(let text, let force, let watch, let terms):
            submit(HandedIn(text: text, force: force, watch: watch, terms: terms, peer: peer))
        case .modelChunk(let chunk): settle(intake.take(chunk, from: peer, at: now))
        case .modelUnavailable(let model, let reason):
            settle(intake.unavailable(model, reason: reason, from: peer))
        case .statusRequest, .workersRequest, .fetch: inquire(message, peer, over: connection)
        case .cancel(let job): cancel(job, peer)
        case .control(let job, let change): control(job, change, peer)
        case .heartbeat, .progress, .checkpoint, .returned, .result, .failure, .modelRequest, .goodbye:
            guard let worker = workerByPeer[peer] else {
                send(.registerAgain(reason: "this coordinator does not know you"), to: peer)
                return
            }
            if case .modelRequest = message { return inquire(message, peer, over: connection) }
            hear(message, from: worker, peer)
        default:
            if complaints.admits(.misdirected, about: peer) {
                logger.warning("a message that is not for a coordinator was passed over")
            }
        }
    }

    // MARK: The archive

    /// Takes in what the archive has done.
    mutating func take(_ reply: Archive.Reply) {
        switch reply {
        case .opened(let number, let stored):
            opened(number, stored)
        case .refused(let number, let status, let reason):
            refused(number, status, reason)
        case .stored(let attempt, let worker, let acceptance):
            if let id = identities[attempt.job] { jobs[id]?.count(acceptance) }
            confirm(attempt, to: worker)
            act(on: .stored(attempt.job, block: attempt.block))
        case .loaded(let attempt, let worker, let state):
            bring(state, of: attempt, to: worker)
        case .finished(let number):
            finished(number)
        case .noted(let receipt):
            switch receipt.answer {
            case .status(let job): status(of: job, to: receipt.peer)
            case .accepted(let job): send(.accepted(job: job, alreadyFinished: false), to: receipt.peer)
            }
        case .lost(let number, let blocks):
            lost(blocks, of: number)
        case .inspected(let job, let condition):
            inspected(job, condition)
        case .notNoted(let receipt, let reason):
            send(.refusal(exitStatus: 70, text: reason), to: receipt.peer)
        case .failed(let number, let reason):
            if let id = identities[number] { fail(id, reason: reason) }
        case .full(let reason):
            storageNotice = "nothing can be stored: \(reason); when that is mended, it goes on by itself"
            logger.error("\(storageNotice)")
            act(on: .storage(isFull: true))
        case .hasRoom:
            storageNotice = ""
            logger.notice("there is room again")
            act(on: .storage(isFull: isOverloaded))
        }
    }

    /// Holds grants up while the disk is slower than the workers.
    private mutating func watchArchive() {
        let isOverloaded = archive.waitingBytes > Self.mostWaitingBytes
        guard isOverloaded != self.isOverloaded else { return }
        self.isOverloaded = isOverloaded
        act(on: .storage(isFull: isOverloaded || !storageNotice.isEmpty))
    }

    // MARK: Inquiries

    private func notice(of job: RunningJob) -> String {
        if !storageNotice.isEmpty { return storageNotice }
        if let notice = strandedNotice(of: job) { return notice }
        return scheduler.view(of: job.number)?.obstacle ?? preliminaryNotice(of: job)
    }

    func status(_ job: RunningJob) -> JobStatus {
        job.status(workers: scheduler.capacity.workers, notice: notice(of: job), at: now)
    }

    /// Of a job that has not been taken up again.
    private func status(_ past: PastJob) -> JobStatus {
        let (job, isFinished) = (past.job, past.job.outcome == .finished)
        return JobStatus(
            job: job.record.hash, name: past.name, state: past.trouble == nil ? job.state : .failed,
            chainsTotal: past.chains,
            chainsDone: isFinished ? past.chains : 0, fraction: isFinished ? 1 : 0, acceptance: .nan,
            secondsElapsed: job.secondsElapsed ?? 0, workers: scheduler.capacity.workers,
            failure: past.trouble ?? job.failure,
            notice: past.trouble != nil || job.state.isOver
                ? "" : "waits for its model files; hand it in again with them",
            priority: job.record.priority)
    }

    mutating func status(of id: Digest?, to peer: PeerID) {
        let capacity = scheduler.capacity
        var all = jobs.values.filter { id == nil || $0.identity == id }.map { (number: $0.number, status: status($0)) }
        all += past.values.filter { id == nil || $0.job.record.hash == id }.map { ($0.job.record.number, status($0)) }
        all.sort { $0.number < $1.number }
        var listed = all.suffix(PoolStatus.mostJobs).map(\.status)
        if listed.count > 1 {
            for index in listed.indices { listed[index].cutFailure(to: Self.listedFailureBytes) }
        }
        send(
            .poolStatus(
                PoolStatus(
                    jobs: listed, workers: capacity.workers,
                    slots: capacity.slots, version: programVersion, uptimeSeconds: now / .seconds(1))), to: peer)
    }

    func workerList() -> [WorkerStatus] {
        workers.sorted { $0.key < $1.key }.prefix(Self.mostListedWorkers).compactMap { id, entry in
            scheduler.view(of: id, at: now).map {
                WorkerStatus(
                    worker: id, host: entry.registration.host, process: entry.registration.process, slots: $0.slots,
                    version: entry.registration.version, fingerprint: entry.registration.fingerprint,
                    blocksDone: $0.finished, blocksRunning: $0.running, secondsSinceHeard: $0.silence / .seconds(1))
            }
        }
    }

    mutating func fetch(_ id: Digest, _ file: String, _ offset: Int, _ length: Int, _ peer: PeerID) {
        guard RunFolder.fileNames.contains(file) else {
            send(.refusal(exitStatus: 65, text: "a run has no file \"\(file)\""), to: peer)
            return
        }
        do {
            let (data, total) = try FileSlice.read(
                folder(of: id) + "/" + file, offset: offset, length: min(length, 4 << 20))
            send(.fileChunk(FileChunk(job: id, file: file, offset: offset, total: total, data: data)), to: peer)
        } catch {
            send(.refusal(exitStatus: error.exitStatus, text: "\(error)"), to: peer)
        }
    }

    // MARK: Time

    mutating func announce(_ id: Digest) {
        guard let job = jobs[id], !job.watchers.isEmpty else { return }
        let status = status(job)
        for watcher in job.watchers where send(.event(status), to: watcher) == .unreachable {
            jobs[id]?.watchers.remove(watcher)
        }
    }

    mutating func tick() {
        watchArchive()
        answerPostponed()
        deliver()
        tidyModels()
        if let summary = complaints.summary(at: now) { logger.warning("\(summary)") }
        if now - lastConfirmations > Self.confirmationDelay {
            lastConfirmations = now
            sendConfirmations()
        }
        let (requests, refusals) = intake.requests(at: now)
        for (peer, messages) in requests {
            for message in messages { send(message, to: peer) }
        }
        for refusal in refusals { settle(refusal) }
        if now - lastTick > .milliseconds(50) {
            lastTick = now
            act(on: .ticked)
        }
        if now - lastEvents > .milliseconds(200) {
            lastEvents = now
            watchWaitingTimes()
            for (id, job) in jobs where !job.state.isOver && !job.watchers.isEmpty { announce(id) }
        }
    }

    var hasWorkers: Bool { !workers.isEmpty }

    /// Sends the workers home and tells who waits for a job.
    mutating func dismiss() {
        isDismissing = true
        for entry in workers.values { send(.drain(reason: "the coordinator stops"), to: entry.peer) }
        for peer in intake.waiting {
            send(.refusal(exitStatus: 75, text: "the coordinator was stopped before the job was accepted"), to: peer)
        }
        for job in jobs.values where !job.state.isOver {
            for watcher in job.watchers {
                send(
                    .refusal(
                        exitStatus: 75,
                        text: "the coordinator was stopped before the job was done; what is done is kept"), to: watcher)
            }
        }
    }
}
