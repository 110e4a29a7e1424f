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

extension Plan {
    /// Lives the history to its end, or to the first invariant that breaks.
    ///
    /// - Parameters:
    ///   - bug: the mistake that the scheduler has; nil for the scheduler as it is.
    ///   - isLogged: whether the outcome tells what happened.
    public func outcome(planting bug: PlantedBug? = nil, isLogged: Bool = false) -> Outcome {
        if let bug {
            var history = History(self, isLogged: isLogged) { FaultyScheduler(bug, $0) }
            history.live()
            return history.outcome
        }
        var history = History(self, isLogged: isLogged) { Scheduler(configuration: $0) }
        history.live()
        return history.outcome
    }
}

/// A pool in a world of its own: one clock, one queue of events, everything drawn from the plan's seed.
struct History<S: PoolScheduling> {
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
        case checkPause(JobNumber, life: Int, pause: Int, Set<WorkerID>)
    }

    let plan: Plan
    let isLogged: Bool
    var random: SplitMix
    var queue = EventQueue<Event>()
    var time = 0
    var book: SecondBook
    var outcome = Outcome()

    /// A scheduler for the coordinator's next life.
    let makeScheduler: (PoolConfiguration) -> S

    // The coordinator: one life after the other, and its store, which outlasts them.
    var scheduler: S
    var journal: Journal
    var life = 0
    var isUp = true
    var ahead = 0
    var coordinatorFrozenUntil = 0
    var isFlushing = false
    var diskIsFull = false
    var knowsDiskIsFull = false
    var workerOf: [Int: WorkerID] = [:]
    var peerOf: [WorkerID: Int] = [:]
    var nextWorker: WorkerID = 1
    /// Jobs that were handed in and are on their way to the disk.
    var accepting: Set<JobNumber> = []
    /// What has come for a coordinator that is down.
    var mailbox: [(peer: Int, Message)] = []

    // The workers, by peer; and the peer of each of the plan's workers that is alive.
    var processes: [WorkerProcess] = []
    var current: [Int?]
    var nextRun = 0

    // What the users want.
    var wantsPaused: [Bool]
    var wantsCancelled: [Bool]
    var wantsPriority: [Int]
    var pauses: [Int]
    var wasHandedInAgain: [Bool]
    /// Steps that a block had behind it when its worker died, until it runs again.
    var lostAt: [[Int: Int]]

    init(_ plan: Plan, isLogged: Bool, makeScheduler: @escaping (PoolConfiguration) -> S) {
        self.plan = plan
        self.makeScheduler = makeScheduler
        self.isLogged = isLogged
        random = SplitMix(seed: plan.seed)
        book = SecondBook(plan)
        scheduler = makeScheduler(plan.configuration)
        journal = Journal(jobs: plan.jobs.count)
        current = [Int?](repeating: nil, count: plan.workers.count)
        let no = [Bool](repeating: false, count: plan.jobs.count)
        (wantsPaused, wantsCancelled, wasHandedInAgain) = (no, no, no)
        wantsPriority = plan.jobs.map(\.priority)
        pauses = [Int](repeating: 0, count: plan.jobs.count)
        lostAt = [[Int: Int]](repeating: [:], count: plan.jobs.count)
    }

    /// Lives the history to its end, or to the first invariant that breaks.
    mutating func live() {
        for worker in plan.workers.indices { queue.add(.startWorker(worker), at: random.below(500_000)) }
        for job in plan.jobs.indices { queue.add(.submit(job), at: plan.jobs[job].time) }
        for fault in plan.faults.indices { queue.add(.fault(fault), at: plan.faults[fault].time) }
        queue.add(.coordinatorTick(life: life), at: 0)
        let end = plan.calm + plan.bound
        var settled: Int?
        var nextLook = plan.calm
        while book.broken == nil, let (time, event) = queue.next() {
            self.time = time
            if isCalm, time >= nextLook {
                nextLook = time + 500_000
                if settled == nil, journal.jobs.allSatisfy({ $0.outcome != nil }) { settled = time }
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
        for job in journal.jobs {
            outcome.finished += job.outcome == .finished ? 1 : 0
            outcome.failed += job.outcome == .failed ? 1 : 0
            outcome.cancelled += job.outcome == .cancelled ? 1 : 0
        }
    }

    var isCalm: Bool { time >= plan.calm }

    /// The time when something that lasts for `duration` is over: the calm ends everything.
    func end(of duration: Int) -> Int { min(time + duration, max(plan.calm, time + 1)) }

    private mutating func handle(_ event: Event) {
        switch event {
        case .toCoordinator, .coordinatorTick, .flush, .flushed, .submit, .command:
            // A frozen coordinator handles it later, in the same order.
            if time < coordinatorFrozenUntil { return queue.add(event, at: coordinatorFrozenUntil) }
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
        case .toWorker(let peer, let message): workerReceives(message, at: peer)
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
            queue.add(
                toWorker ? .toWorker(peer: peer, message) : .toCoordinator(peer: peer, message), at: arrival)
        }
    }

    // MARK: The end.

    /// In the end whoever is there agrees on what is held: nothing. Nil if so.
    private var disagreement: String? {
        for job in plan.jobs.indices where journal.jobs[job].outcome == .finished {
            if journal.jobs[job].progress.stored.count < plan.jobs[job].blocks { return "results of a job are missing" }
        }
        guard isUp, journal.waiting.isEmpty else { return "the coordinator is busy" }
        for (peer, process) in processes.enumerated() where process.isAlive && !process.isDismissed {
            if !process.session.holding.isEmpty { return "a worker holds blocks" }
            let running = workerOf[peer].flatMap { scheduler.view(of: $0, at: coordinatorClock)?.running }
            if !process.isLeaving, running != 0 { return "a worker is taken to hold blocks, or is not known" }
        }
        return nil
    }

    // MARK: The log.

    mutating func log(_ event: Event) {
        if case .workerTick = event { return }
        if case .coordinatorTick = event { return }
        log("\(event)")
    }

    mutating func log(_ line: @autoclosure () -> String) {
        guard isLogged else { return }
        outcome.log.append("\(Double(time / 1000) / 1000) s  \(line())")
    }
}
