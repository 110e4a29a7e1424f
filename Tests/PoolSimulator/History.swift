import ContentHash
import CoordinatorCore
import JobFile
import Journal
import PoolCore

/// What came of a history.
public struct Outcome: Sendable {
    /// The invariant that was broken first, and when; nil if none was.
    public var broken: String?
    /// Events that scheduler and sessions have handled.
    public var events = 0
    /// Jobs that finished, failed, and were cancelled.
    public var finished = 0
    public var failed = 0
    public var cancelled = 0
    /// What happened, a line each, if asked for.
    public var log: [String] = []
}

extension HistoryPlan {
    /// Lives the history to its end, or to the first invariant that breaks.
    ///
    /// - Parameters:
    ///   - bug: the mistake that the scheduler has; nil for the scheduler as it is.
    ///   - isLogged: whether the outcome tells what happened.
    public func outcome(planting bug: PlantedBug? = nil, isLogged: Bool = false) -> Outcome {
        var history = History(self, isLogged: isLogged) { configuration in
            if let bug { FaultyScheduler(bug, configuration) } else { Scheduler(configuration: configuration) }
        }
        history.live()
        return history.outcome
    }

    /// The same with a mistake that the core has around its scheduler.
    public func outcome(planting bug: PlantedCoreBug) -> Outcome {
        var history = History(self, isLogged: false) { Scheduler(configuration: $0) }
        history.bug = bug
        history.live()
        return history.outcome
    }
}

/// A pool in a world of its own: one clock, one queue of events, everything drawn from the plan's seed.
struct History {
    enum Event {
        case submit(JobNumber)
        case command(JobNumber)
        case fault(Int)
        case resume(JobNumber)
        case emptyDisk
        case startWorker(Int)
        case startCoordinator
        case coordinatorTick(life: Int)
        case flush(life: Int)
        case flushed(life: Int)
        case toCoordinator(peer: Int, Message)
        case toWorker(peer: Int, Message)
        case workerTick(peer: Int)
        case prepared(peer: Int, JobNumber)
        case step(peer: Int, run: Int)
        case stopped(peer: Int, run: Int, returned: Bool)
        case read(life: Int, Int, [UInt8])
        case inspected(life: Int, Digest)
        case checkPause(JobNumber, life: Int, pause: Int, Set<WorkerID>)
    }

    let plan: HistoryPlan
    let isLogged: Bool
    var random: SplitMix
    var queue = EventQueue<Event>()
    var time = 0
    var book: SecondBook
    var outcome = Outcome()

    static let host = "host"

    /// The plan's jobs, and behind them the pilots that they need; and the real ones that stand for them.
    let jobs: [HistoryPlan.Job]
    let realJobs: [Job]
    let identities: [Digest]

    /// A scheduler for the coordinator's next life.
    let makeScheduler: (PoolConfiguration) -> any Scheduling
    /// A mistake of the core around it.
    var bug: PlantedCoreBug?

    // The coordinator: one life after the other, and its archive, which outlasts them.
    var core: CoordinatorCore
    let record = RecordedScheduler.Record()
    var archive: Archive
    /// The places of jobs in the history, by the core's numbers.
    var places: [JobNumber: Int] = [:]
    /// The worker whose message the core hears.
    var speaking: Int?
    var life = 0
    var isUp = true
    var ahead = 0
    var coordinatorFrozenUntil = 0
    var isFlushing = false
    var diskIsFull = false
    var knowsDiskIsFull = false
    var workerOf: [Int: WorkerID] = [:]
    var peerOf: [WorkerID: Int] = [:]
    /// What has come for a coordinator that is down.
    var mailbox: [(peer: Int, Message)] = []

    // The workers, by peer; and the peer of each of the plan's workers that is alive.
    var processes: [WorkerProcess] = []
    var current: [Int?]
    var nextRun = 0

    // What the users want, and what they have been told.
    var isAccepted: [Bool]
    var wasRefused = false
    /// Whether the coordinator was told that a job is to pause.
    var isPausedThere: [Bool]
    var wantsPaused: [Bool]
    var wantsCancelled: [Bool]
    var wantsPriority: [Int]
    var pauses: [Int]
    var wasHandedInAgain: [Bool]
    /// Steps that a block had behind it when its worker died, until it runs again.
    var lostAt: [[Int: Int]]

    init(_ plan: HistoryPlan, isLogged: Bool, makeScheduler: @escaping (PoolConfiguration) -> any Scheduling) {
        self.plan = plan
        self.makeScheduler = makeScheduler
        self.isLogged = isLogged
        var (jobs, realJobs) = (plan.jobs, [Job]())
        for (index, job) in plan.jobs.enumerated() {
            realJobs.append(SimulatedJobs.all.job(index, blocks: job.blocks, model: job.model))
        }
        for pilot in realJobs.compactMap({ $0.preliminary?.job })
        where !realJobs.contains(where: { $0.identity == pilot.identity }) {
            var job = HistoryPlan.Job()
            job.blocks = pilot.blocks
            (job.stepTime, job.steps) = (plan.jobs[0].stepTime, min(plan.jobs[0].steps, 6))
            jobs.append(job)
            realJobs.append(pilot)
        }
        (self.jobs, self.realJobs, identities) = (jobs, realJobs, realJobs.map(\.identity))
        random = SplitMix(seed: plan.seed)
        book = SecondBook(plan, jobs: jobs)
        archive = Archive(pieceBytes: plan.isTight ? SimulatedState.pieceBytes : nil)
        current = [Int?](repeating: nil, count: plan.workers.count)
        let no = [Bool](repeating: false, count: jobs.count)
        (wantsPaused, wantsCancelled, wasHandedInAgain, isAccepted, isPausedThere) = (no, no, no, no, no)
        wantsPriority = jobs.map(\.priority)
        pauses = [Int](repeating: 0, count: jobs.count)
        lostAt = [[Int: Int]](repeating: [:], count: jobs.count)
        core = CoordinatorCore(Self.configuration(of: plan))
        core = makeCore()
    }

    private static func configuration(of plan: HistoryPlan) -> CoordinatorCore.Configuration {
        var configuration = CoordinatorCore.Configuration(
            stateFolder: "", pool: plan.configuration, checkpointInterval: .seconds(1), host: host)
        if plan.verified > 0 {
            configuration.verification = VerificationRule(fraction: plan.verified, secret: [UInt8(plan.seed & 255)])
        }
        guard plan.isTight else { return configuration }
        // A text has some hundred bytes.
        configuration.memory.smallestCounted = 1
        configuration.memory.unreadOfWorker = 400
        configuration.memory.unreadOfStates = 2 * SimulatedState.pieceBytes
        configuration.memory.unfinishedStates = 4 * SimulatedState.pieceBytes
        return configuration
    }

    /// For the coordinator's next life.
    func makeCore() -> CoordinatorCore {
        CoordinatorCore(
            Self.configuration(of: plan), scheduler: RecordedScheduler(makeScheduler(plan.configuration), into: record))
    }

    /// Lives the history to its end, or to the first invariant that breaks.
    mutating func live() {
        for worker in plan.workers.indices { queue.add(.startWorker(worker), at: random.below(500_000)) }
        for job in plan.jobs.indices { queue.add(.submit(job), at: plan.jobs[job].time) }
        for fault in plan.faults.indices { queue.add(.fault(fault), at: plan.faults[fault].time) }
        feed(.began([], lastJob: 0, complete: []))
        queue.add(.coordinatorTick(life: life), at: 0)
        let end = plan.calm + plan.bound
        var settled: Int?
        var nextLook = plan.calm
        while book.broken == nil, let (time, event) = queue.next() {
            self.time = time
            if isCalm, time >= nextLook {
                nextLook = time + 500_000
                if settled == nil, isOver { settled = time }
                if let settled {
                    let complaint = disagreement
                    if complaint == nil { break }
                    // A result is offered again after half a minute, and may have to be once more.
                    if time > settled + 90_000_000 { book.claim(false, "\(complaint ?? "") when all is over") }
                }
            }
            if time > end, settled == nil {
                let bound = plan.bound / 1_000_000
                book.claim(false, "a job has not ended \(bound) s after all is calm")
                break
            }
            handle(event)
            // A thousand times as many as are usual: peers that never come to an end with each other.
            book.claim(outcome.events < 500_000, "a storm of messages")
        }
        if let broken = book.broken { outcome.broken = "\(Double(time / 1000) / 1000) s: \(broken)" }
        for job in plan.jobs.indices {
            let end = archive.job(identities[job])?.outcome
            outcome.finished += end == .finished ? 1 : 0
            outcome.failed += end == .failed ? 1 : 0
            outcome.cancelled += end == .cancelled ? 1 : 0
        }
    }

    /// Whether all that was handed in has ended, and all that it needed.
    private var isOver: Bool {
        identities.indices.allSatisfy { place in
            let job = archive.job(identities[place])
            let isWanted = plan.jobs.indices.contains(place)
            guard !isWanted || isAccepted[place] else { return false }
            return job.map { $0.outcome != nil } ?? !isWanted
        }
    }

    var isCalm: Bool { time >= plan.calm }

    /// The time when something that lasts for `duration` is over: the calm ends everything.
    func end(of duration: Int) -> Int { min(time + duration, max(plan.calm, time + 1)) }

    private mutating func handle(_ event: Event) {
        switch event {
        case .toCoordinator, .coordinatorTick, .flush, .flushed, .submit, .command, .read, .inspected:
            // A frozen coordinator handles it later, in the same order.
            if time < coordinatorFrozenUntil { return queue.add(event, at: coordinatorFrozenUntil) }
        case .toWorker(let peer, _) where !processes[peer].isAlive: return
        case .toWorker(let peer, _), .workerTick(let peer), .step(let peer, _), .prepared(let peer, _),
            .stopped(let peer, _, _):
            if !processes[peer].isAlive { return }
            if time < processes[peer].frozenUntil { return queue.add(event, at: processes[peer].frozenUntil) }
        default: break
        }
        if isLogged { log(event) }
        switch event {
        case .submit(let job): submit(job)
        case .command(let job): command(job)
        case .fault(let index): strike(plan.faults[index].fault)
        case .resume(let job):
            wantsPaused[job] = false
            queue.add(.command(job), at: time)
        case .emptyDisk: emptyDisk()
        case .startWorker(let index): startWorker(index)
        case .startCoordinator: startCoordinator()
        case .coordinatorTick(let life): coordinatorTick(life)
        case .flush(let life): flush(life)
        case .flushed(let life): flushed(life)
        case .toCoordinator(let peer, let message): coordinatorReceives(message, from: peer)
        case .toWorker(let peer, let message):
            processes[peer].unread -= 1
            workerReceives(message, at: peer)
        case .read(let life, let number, let text): read(life, number, text)
        case .inspected(let life, let job): inspected(life, job)
        case .workerTick(let peer):
            tell(peer, .ticked)
            if processes[peer].isAlive { queue.add(event, at: time + 250_000) }
        case .prepared(let peer, let job):
            processes[peer].models.insert(job)
            tell(peer, .prepared(job: job))
        case .step(let peer, let run): step(peer, run)
        case .stopped(let peer, let run, let returned): stopped(peer, run, returned)
        case .checkPause(let job, let life, let pause, let holders): checkPause(job, life, pause, holders)
        }
    }

    // MARK: The network.

    /// - Parameter toWorker: false for the other way.
    mutating func send(_ message: Message, peer: Int, toWorker: Bool) {
        if isLogged { log("\(toWorker ? "coordinator" : "worker \(peer)") sends \(message)") }
        let network = plan.network
        guard time >= processes[peer].cutUntil, isCalm || !random.happens(network.lost) else { return }
        var copies = 1
        if !isCalm, random.happens(network.repeated) { copies = 2 }
        for _ in 0..<copies {
            var arrival = time + network.latency + random.below(network.jitter + 1)
            if !isCalm, random.happens(network.reordered) {
                arrival += random.below(4 * network.latency + 500_000)
            } else if toWorker {
                arrival = max(arrival, processes[peer].lastArrivalHere)
                processes[peer].lastArrivalHere = arrival
            } else {
                arrival = max(arrival, processes[peer].lastArrivalThere)
                processes[peer].lastArrivalThere = arrival
            }
            if toWorker { processes[peer].unread += 1 }
            queue.add(
                toWorker ? .toWorker(peer: peer, message) : .toCoordinator(peer: peer, message), at: arrival)
        }
    }

    // MARK: The end.

    /// In the end whoever is there agrees on what is held: nothing. Nil if so.
    private var disagreement: String? {
        for job in plan.jobs.indices where archive.job(identities[job])?.outcome == .finished {
            if book.jobs[job].storedCount < jobs[job].blocks { return "results of a job are missing" }
            if plan.verified == 1, archive.hasLies(identities[job]) { return "results of a job are wrong" }
        }
        guard isUp, archive.isIdle else { return "the coordinator is busy" }
        for (peer, process) in processes.enumerated() where process.isAlive && !process.isDismissed {
            if !process.session.holding.isEmpty { return "a worker holds blocks" }
            let running = workerOf[peer].flatMap { core.scheduler.view(of: $0, at: coordinatorClock)?.running }
            if !process.isLeaving, running != 0 { return "a worker is taken to hold blocks, or is not known" }
        }
        return nil
    }

    // MARK: The log.

    mutating func log(_ event: Event) {
        if case .workerTick = event { return }
        if case .coordinatorTick = event { return }
        if case .read = event { return }
        log("\(event)")
    }

    mutating func log(_ line: @autoclosure () -> String) {
        guard isLogged else { return }
        outcome.log.append("\(Double(time / 1000) / 1000) s  \(line())")
    }
}
