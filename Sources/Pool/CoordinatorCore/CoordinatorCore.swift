import ContentHash
import JobFile
import Journal
import Logging
package import Messaging
package import PoolCore
import RunFolder

/// The coordinator as a value: what has happened goes in with its time, what is to be done comes out.
///
/// It holds the scheduler and everything around it: who is on the line, which jobs there are and what each waits for,
/// states of blocks on their way, results that wait for the disk, and the limits on all of that. Sockets, threads, clocks
/// and files are its host's.
package struct CoordinatorCore {
    /// How a coordinator is set up.
    package struct Configuration: Sendable {
        /// Where the folders of its jobs are.
        package var stateFolder: String
        /// Timers and limits.
        package var pool: PoolConfiguration
        /// How often the state of a running block is brought here, where a job does not say.
        package var checkpointInterval: Duration
        /// The name of the host that it runs on.
        package var host: String
        /// How many bytes may be under way.
        package var memory = MemoryLimits()
        /// How much is taken on, and from one peer.
        package var limits = PeerLimits()
        /// How long jobs are kept that are over; nil for ever.
        package var keptFor: Duration?
        /// How who connects is told from others.
        package var protection = PoolStatus.Protection.local
        /// Which results are computed twice; nil for none.
        package var verification: VerificationRule?

        /// - Parameters:
        ///   - stateFolder: where the folders of its jobs are.
        ///   - pool: timers and limits.
        ///   - checkpointInterval: how often the state of a running block is brought here, where a job does not say.
        ///   - host: the name of the host that it runs on.
        package init(stateFolder: String, pool: PoolConfiguration, checkpointInterval: Duration, host: String) {
            (self.stateFolder, self.pool) = (stateFolder, pool)
            (self.checkpointInterval, self.host) = (checkpointInterval, host)
        }
    }

    let configuration: Configuration
    package internal(set) var scheduler: any Scheduling
    var intake: Intake
    /// Who may say what.
    var admission: Admission
    /// What was not taken since it began.
    var refusals: [Refused: Int] = [:]
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
    var isDismissing = false
    /// Why no job can be worked on any more.
    var verdict: String?
    /// Why nothing can be stored for now; empty if it can.
    private(set) var storageNotice = ""
    private var isOverloaded = false
    /// Parties that have brought wrong results.
    var distrusted: Set<String> = []
    /// Those of them of whom nothing counts any more.
    var disowned: Set<String> = []
    /// Results that were stored and are to be confirmed.
    var confirmations: [WorkerID: [Attempt]] = [:]
    /// Bytes that wait for peers to read them.
    private var budget: ReplyBudget
    var postponed: [Inquiry] = []
    /// What is on its way to workers that are to read something else first.
    var deliveries: [Delivery] = []
    var complaints = Complaints()
    private var lastConfirmations = Duration.zero
    private var lastTick = Duration.zero
    private var lastEvents = Duration.zero
    private var lastDeletions = Duration.zero
    /// When files of a job were last asked for, of those that go by their age.
    var fetched: [Digest: Duration] = [:]

    /// Whether what the scheduler wants is being done, and what it is to be told then.
    var isTelling = false
    var untold: [(event: Scheduler.Event, parcel: Parcel?)] = []
    /// Of the event at hand.
    private(set) var moment = Moment(now: .zero, date: 0)
    private var actions: [Action] = []

    /// A coordinator that knows nothing yet: the first event tells it what there is.
    ///
    /// - Parameter scheduler: decides who runs what; the pool's own unless told otherwise.
    package init(_ configuration: Configuration, scheduler: (any Scheduling)? = nil) {
        self.configuration = configuration
        budget = ReplyBudget(configuration.memory)
        intake = Intake(configuration.limits)
        admission = Admission(configuration.limits)
        self.scheduler = scheduler ?? Scheduler(configuration: configuration.pool)
    }

    /// Takes in what has happened.
    ///
    /// - Returns: what is to be done, in this order.
    package mutating func handle(_ event: Event, at moment: Moment) -> [Action] {
        begin(moment)
        switch event {
        case .began(let past, let lastJob, let complete): takeUp(past, lastJob, complete)
        case .message(.success(let message), let peer, let line, let origin):
            answer(message, from: peer, over: line, origin)
        case .message(.failure(let error), let peer, _, let origin): refuse(error, from: peer, origin)
        case .turnedAway(let stranger): turnedAway(stranger)
        case .revoked(let credentials): revoked(credentials)
        case .keysRead(let outcome, let peer): keysRead(outcome, for: peer)
        case .undelivered(let message, let peer, let isGone): undelivered(message, to: peer, isGone: isGone)
        case .drained(let line): budget.forget(line)
        case .connectionsEnded(let text):
            count(.connections)
            if complaints.admits(.connection) { log(.warning, text) }
        case .read(let number, let reading): settle(intake.take(reading, of: number, at: now))
        case .received(let number, let reception): settle(intake.take(reception, of: number, at: now))
        case .lookedUp(let job, let hasRun, .submission(let submission)): lookedUp(job, hasRun, submission)
        case .lookedUp(_, let hasRun, .accepted(let job, let submission)): lookedUp(job, hasRun, submission)
        case .inspected(let job, let content): inspected(job, content)
        case .archived(let reply): take(reply)
        case .processDied(let process, let reason): processDied(process, reason: reason)
        case .poolExhausted(let reason): failAll(reason: reason)
        case .dismissed: dismiss()
        case .ticked: tick()
        }
        for action in intake.takeActions() { actions.append(.receive(action)) }
        return takeActions()
    }

    /// Begins with what happens at a moment.
    mutating func begin(_ moment: Moment) { self.moment = moment }

    /// What is to be done since the last time.
    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    var now: Duration { moment.now }

    // MARK: Actions

    mutating func perform(_ action: Action) { actions.append(action) }

    mutating func ask(_ request: ArchiveRequest) { actions.append(.ask(request)) }

    mutating func log(_ level: Logger.Level, _ text: String) { actions.append(.log(level, text)) }

    /// - Parameter line: what a long message goes by; nil for one whose length is bounded otherwise.
    mutating func send(_ message: Message, to peer: PeerID, over line: Line? = nil) {
        actions.append(.send(message, to: peer))
        owe(message.longParts, over: line)
    }

    /// Takes in that so many bytes are sent to a peer.
    mutating func owe(_ bytes: Int, over line: Line?) {
        for slow in budget.note(bytes, over: line, at: now) { actions.append(.end(slow)) }
    }

    /// Whether a peer has read enough to be sent more.
    ///
    /// - Parameter most: bytes; nil for those of a peer that is no worker.
    func admits(_ line: Line?, below most: Int? = nil) -> Bool {
        budget.admits(line, below: most ?? configuration.memory.unreadOfPeer)
    }

    // MARK: What its host asks

    /// Who has something to read: the host tells when they have read everything.
    package var debtors: [Line] { budget.debtors }

    /// Whether so much waits to be read that the next long answer may cut somebody off.
    package var isShortOfBudget: Bool { budget.waitingBytes > configuration.memory.unreadOfAll / 2 }

    /// By which lines workers have registered: they are trusted with more.
    package var workerLines: Set<Line> { Set(workers.values.compactMap(\.line)) }

    /// Whether a worker is registered.
    package var hasWorkers: Bool { !workers.isEmpty }

    // MARK: Messages

    private mutating func answer(_ message: Message, from peer: PeerID, over line: Line?, _ origin: Origin) {
        switch message {
        case .registration(let registration): register(registration, peer, over: line, origin)
        case .submit(let text, let force, let watch, let terms):
            submit(HandedIn(text: text, force: force, watch: watch, terms: terms, peer: peer))
        case .modelChunk(let chunk): settle(intake.take(chunk, from: peer, at: now))
        case .modelUnavailable(let model, let reason):
            settle(intake.unavailable(model, reason: reason, from: peer))
        case .statusRequest, .workersRequest, .fetch, .explain: inquire(message, peer, over: line)
        case .cancel(let job): cancel(job, peer)
        case .control(let job, let change): control(job, change, peer)
        case .delete(let job): delete(job, peer)
        case .reloadKeys: perform(.readKeys(for: peer))
        case .heartbeat, .progress, .checkpoint, .returned, .result, .failure, .modelRequest, .goodbye:
            guard let worker = workerByPeer[peer] else { return }
            if case .modelRequest = message { return inquire(message, peer, over: line) }
            hear(message, from: worker, peer)
        // Nothing else is let through.
        default: break
        }
    }

    private mutating func undelivered(_ message: Message, to peer: PeerID, isGone: Bool) {
        if case .event(let status) = message, isGone { jobs[status.job]?.watchers.remove(peer) }
        guard let worker = workerByPeer[peer] else { return }
        switch message {
        case .lease(let lease): unsent(lease.blocks, to: worker, isGone: isGone)
        case .checkpoint(let state): unsent([state.attempt], to: worker, isGone: isGone)
        default: break
        }
    }

    // MARK: The archive

    private mutating func take(_ reply: ArchiveReply) {
        switch reply {
        case .opened(let number, let stored):
            opened(number, stored)
        case .refused(let number, let status, let reason):
            refused(number, status, reason)
        case .stored(let attempt, let worker, let acceptance):
            // What is told of an earlier run of a job that is just being begun anew is nothing to it: confirmations name
            // blocks and no attempts.
            guard let id = identities[attempt.job], jobs[id]?.unanswered == nil else { return }
            jobs[id]?.count(acceptance)
            confirm(attempt, to: worker)
            act(on: .stored(attempt.job, block: attempt.block))
        case .compared(let attempt, let earlier, let origin, let outcome):
            compared(attempt, against: earlier, origin, outcome)
        case .disowned(let party):
            disowned(party)
        case .loaded(let attempt, let worker, let state):
            bring(state, of: attempt, to: worker)
        case .finished(let number):
            finished(number)
        case .noted(let receipt):
            switch receipt.answer {
            case .status(let job): status(of: job, to: receipt.peer)
            case .accepted(let job): send(.accepted(job: job, alreadyFinished: false), to: receipt.peer)
            }
        case .located(let block, let number, let result, let peer):
            explain(block, of: number, done: result, to: peer)
        case .lost(let number, let blocks):
            lost(blocks, of: number)
        case .notNoted(let receipt, let reason):
            send(.refusal(exitStatus: 70, text: reason), to: receipt.peer)
        case .failed(let number, let reason):
            if let id = identities[number] { fail(id, reason: reason) }
        case .full(let reason):
            storageNotice = "nothing can be stored: \(reason); when that is mended, it goes on by itself"
            log(.error, storageNotice)
            act(on: .storage(isFull: true))
        case .hasRoom:
            storageNotice = ""
            log(.notice, "there is room again")
            act(on: .storage(isFull: isOverloaded))
        }
    }

    /// Whether the disk can be given more.
    var isStorageReady: Bool { storageNotice.isEmpty && moment.waitingBytes <= configuration.memory.unwritten }

    /// Holds grants up while the disk is slower than the workers.
    private mutating func watchArchive() {
        let isOverloaded = moment.waitingBytes > configuration.memory.unwritten
        guard isOverloaded != self.isOverloaded else { return }
        self.isOverloaded = isOverloaded
        act(on: .storage(isFull: isOverloaded || !storageNotice.isEmpty))
    }

    // MARK: Time

    private static let confirmationDelay = Duration.milliseconds(250)

    private mutating func tick() {
        watchArchive()
        answerPostponed()
        deliver()
        tidyModels()
        if let summary = complaints.summary(at: now) { log(.warning, summary) }
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
            watchConnections()
            act(on: .ticked)
        }
        if now - lastDeletions > .seconds(1) {
            lastDeletions = now
            deleteOldJobs()
        }
        if now - lastEvents > .milliseconds(200) {
            lastEvents = now
            watchWaitingTimes()
            for job in jobs(where: { !$0.state.isOver && !$0.watchers.isEmpty }) { announce(job) }
        }
    }

    /// Some of the jobs, in the order of their numbers. Few of those that are known are under way.
    func jobs(where isWanted: (RunningJob) -> Bool) -> [Digest] {
        jobs.values.filter(isWanted).map { ($0.number, $0.identity) }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Sends the workers home and tells who waits for a job.
    private mutating func dismiss() {
        isDismissing = true
        for (_, entry) in workers.sorted(by: { $0.key < $1.key }) {
            send(.drain(reason: "the coordinator stops"), to: entry.peer)
        }
        for peer in intake.waiting {
            send(.refusal(exitStatus: 75, text: "the coordinator was stopped before the job was accepted"), to: peer)
        }
        for id in jobs(where: { !$0.state.isOver }) {
            for watcher in jobs[id]?.watchers ?? [] {
                send(
                    .refusal(
                        exitStatus: 75,
                        text: "the coordinator was stopped before the job was done; what is done is kept"), to: watcher)
            }
        }
    }
}

extension Message {
    /// Bytes of what may make it long.
    fileprivate var longParts: Int {
        switch self {
        case .lease(let lease): lease.jobText.count + lease.checkpoints.values.reduce(0) { $0 + $1.count }
        case .checkpoint(let state): state.state.count
        // A kilobyte of a failure's text at most, where there are many, and all the rest.
        case .poolStatus(let status): status.jobs.count << 11
        case .workers(let workers): workers.count << 8
        default: 0
        }
    }
}
