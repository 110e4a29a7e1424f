/// The coordinator's side of the pool as a value: events in, actions out, time given.
///
/// Workers pull: whoever has free room is granted blocks of the oldest job that has some waiting. A
/// worker that falls silent, says goodbye or hangs gives its blocks back; a result counts once.
public struct Scheduler: Sendable {
    /// What happened.
    public enum Event: Sendable, Equatable {
        case submitted(JobNumber, blocks: Int)
        case cancelled(JobNumber)
        case registered(WorkerID, slots: Int)
        /// Any message at all: each is a heartbeat.
        case heard(WorkerID)
        case progressed(WorkerID, Attempt)
        /// The worker was sent a piece of a model that its blocks wait for: they are not hung.
        case supplied(WorkerID)
        case finished(WorkerID, Attempt)
        case failed(WorkerID, Attempt, reason: String)
        /// A planned stop: the worker's blocks come back and count against nobody.
        case left(WorkerID)
        /// The worker's process is known to be dead.
        case died(WorkerID, reason: String)
        case ticked
    }

    /// What to do about it.
    public enum Action: Sendable, Equatable {
        /// Send these blocks to the worker.
        case grant(WorkerID, [Attempt])
        /// Tell the worker to stop these.
        case revoke(WorkerID, [Attempt])
        /// Keep the result at hand: it is the block's first.
        case keep(Attempt)
        /// The result at hand is of a block that is done, or of a job that is over.
        case drop(Attempt)
        case jobFinished(JobNumber)
        case jobFailed(JobNumber, reason: String)
        /// The worker's session is over.
        case forget(WorkerID, reason: String)
        /// The worker is not known; it has to register.
        case registerAgain(WorkerID)
    }

    private struct Lease {
        /// In the order of granting, which is the order in which a worker starts its blocks.
        let place: Int
        /// When the block last reported progress; nil for one that may still wait for a slot.
        var progress: Duration?
    }

    private struct Worker {
        let slots: Int
        var lastHeard: Duration
        var leases: [Attempt: Lease] = [:]
        var granted = 0
        /// When any of its blocks last reported anything, or it was granted some while it had none.
        var lastProgress: Duration
        var finished = 0
        /// Smoothed seconds from one result to the next, times slots; nil before there are any.
        var secondsPerBlock: Double?
        var lastResult: Duration?
    }

    private let configuration: PoolConfiguration
    private var workers: [WorkerID: Worker] = [:]
    private var jobs: [JobNumber: JobLedger] = [:]
    /// Jobs that are not over, the oldest first.
    private var order: [JobNumber] = []

    public init(configuration: PoolConfiguration = PoolConfiguration()) {
        self.configuration = configuration
    }

    /// Takes in one event at time `now`, which never runs backwards.
    public mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .submitted(let job, let blocks):
            jobs[job] = JobLedger(blocks: blocks)
            order.append(job)
        case .cancelled(let job):
            end(job, &actions)
        case .registered(let id, let slots):
            workers[id] = Worker(slots: max(1, slots), lastHeard: now, lastProgress: now)
        case .heard(let id):
            hear(id, now, &actions)
        case .progressed(let id, let attempt):
            hear(id, now, &actions)
            if workers[id]?.leases[attempt] != nil {
                workers[id]?.leases[attempt]?.progress = now
                workers[id]?.lastProgress = now
            }
        case .supplied(let id):
            hear(id, now, &actions)
            workers[id]?.lastProgress = now
        case .finished(let id, let attempt):
            hear(id, now, &actions)
            finish(attempt, by: id, now, &actions)
        case .failed(let id, let attempt, let reason):
            hear(id, now, &actions)
            if workers[id]?.leases.removeValue(forKey: attempt) != nil {
                giveBack(attempt, counts: true, reason: reason, &actions)
            }
        case .left(let id):
            lose(id, counts: false, reason: "it left", &actions)
        case .died(let id, let reason):
            lose(id, counts: true, reason: reason, &actions)
        case .ticked:
            expire(now, &actions)
        }
        grant(now, &actions)
        return actions
    }

    private mutating func hear(_ id: WorkerID, _ now: Duration, _ actions: inout [Action]) {
        if workers[id] == nil {
            actions.append(.registerAgain(id))
        } else {
            workers[id]?.lastHeard = now
        }
    }

    private mutating func finish(
        _ attempt: Attempt, by id: WorkerID, _ now: Duration, _ actions: inout [Action]
    ) {
        if var worker = workers[id], worker.leases.removeValue(forKey: attempt) != nil {
            worker.finished += 1
            if let last = worker.lastResult {
                let seconds = (now - last) / .seconds(1) * Double(worker.slots)
                worker.secondsPerBlock = 0.8 * (worker.secondsPerBlock ?? seconds) + 0.2 * seconds
            }
            worker.lastResult = now
            worker.lastProgress = now
            workers[id] = worker
        }
        let others = jobs[attempt.job]?.running[attempt.block]?.filter { $0 != attempt } ?? []
        guard jobs[attempt.job]?.finish(attempt) == true else {
            actions.append(.drop(attempt))
            return
        }
        actions.append(.keep(attempt))
        for other in others { withdraw(other, &actions) }
        if jobs[attempt.job]?.isFinished == true {
            end(attempt.job, &actions)
            actions.append(.jobFinished(attempt.job))
        }
    }

    private mutating func withdraw(_ attempt: Attempt, _ actions: inout [Action]) {
        for id in workers.keys.sorted() where workers[id]?.leases.removeValue(forKey: attempt) != nil {
            actions.append(.revoke(id, [attempt]))
        }
    }

    private mutating func giveBack(
        _ attempt: Attempt, counts: Bool, reason: String, _ actions: inout [Action]
    ) {
        let crashes = jobs[attempt.job]?.giveBack(attempt, counts: counts) ?? 0
        if crashes >= configuration.crashLimit {
            end(attempt.job, &actions)
            actions.append(
                .jobFailed(
                    attempt.job, reason: "block \(attempt.block) was lost \(crashes) times, the last time: \(reason)"))
        }
    }

    private mutating func lose(_ id: WorkerID, counts: Bool, reason: String, _ actions: inout [Action]) {
        guard let worker = workers.removeValue(forKey: id) else { return }
        actions.append(.forget(id, reason: reason))
        // Only what ran can have taken the worker down, not what waited behind it.
        let leases = worker.leases.sorted { $0.value.place < $1.value.place }
        for (index, lease) in leases.enumerated() {
            giveBack(lease.key, counts: counts && index < worker.slots, reason: reason, &actions)
        }
    }

    /// A job is over, one way or another: what still runs of it is called back.
    private mutating func end(_ job: JobNumber, _ actions: inout [Action]) {
        jobs[job] = nil
        order.removeAll { $0 == job }
        for id in workers.keys.sorted() {
            let running = workers[id]?.leases.keys.filter { $0.job == job }.sorted { $0.block < $1.block } ?? []
            guard !running.isEmpty else { continue }
            for attempt in running { workers[id]?.leases.removeValue(forKey: attempt) }
            actions.append(.revoke(id, running))
        }
    }

    private mutating func expire(_ now: Duration, _ actions: inout [Action]) {
        for id in workers.keys.sorted() {
            guard let worker = workers[id] else { continue }
            if now - worker.lastHeard > configuration.silence {
                lose(id, counts: true, reason: "worker \(id) was silent for \(now - worker.lastHeard)", &actions)
                continue
            }
            // A block without progress of its own may wait behind others: then theirs counts.
            let hung = worker.leases.filter {
                now - ($0.value.progress ?? worker.lastProgress) > configuration.stall
            }.keys
            for attempt in hung.sorted(by: { $0.block < $1.block }) {
                // The job may have ended with the attempt before this one.
                guard workers[id]?.leases.removeValue(forKey: attempt) != nil else { continue }
                actions.append(.revoke(id, [attempt]))
                giveBack(attempt, counts: true, reason: "no progress at worker \(id)", &actions)
            }
        }
    }

    /// Blocks that a worker may hold: enough to hide the round trip, and toward the end of a job no
    /// more than a fair part of what is left.
    private func room(_ worker: Worker, waiting: Int, slots: Int) -> Int {
        var depth = 2
        if let seconds = worker.secondsPerBlock {
            let target = configuration.queuedWork / .seconds(1)
            depth = Int(min(Double(configuration.deepestQueue), max(2, target / max(seconds, 1e-9))))
        }
        let fair = max(1, waiting / (2 * max(1, slots)))
        return worker.slots * min(depth, fair)
    }

    private mutating func grant(_ now: Duration, _ actions: inout [Action]) {
        guard order.contains(where: { (jobs[$0]?.waiting ?? 0) > 0 }) else { return }
        let slots = workers.values.reduce(0) { $0 + $1.slots }
        // The emptiest first, so that the end of a job is spread over all.
        let ids = workers.keys.sorted {
            let (a, b) = (load($0), load($1))
            return a == b ? $0 < $1 : a < b
        }
        for id in ids {
            guard var worker = workers[id] else { continue }
            let waiting = order.reduce(0) { $0 + (jobs[$1]?.waiting ?? 0) }
            let room = room(worker, waiting: waiting, slots: slots)
            // A quarter of the room at a time keeps leases few while blocks are short.
            guard worker.leases.count <= room * 3 / 4, worker.leases.count < room else { continue }
            var granted: [Attempt] = []
            while worker.leases.count + granted.count < room, let attempt = nextAttempt() {
                granted.append(attempt)
            }
            guard !granted.isEmpty else { return }
            if worker.leases.isEmpty { worker.lastProgress = now }
            for attempt in granted {
                worker.leases[attempt] = Lease(place: worker.granted, progress: nil)
                worker.granted += 1
            }
            workers[id] = worker
            actions.append(.grant(id, granted))
        }
    }

    private func load(_ id: WorkerID) -> Double {
        workers[id].map { Double($0.leases.count) / Double($0.slots) } ?? 0
    }

    private mutating func nextAttempt() -> Attempt? {
        for job in order {
            if let attempt = jobs[job]?.next(job: job) { return attempt }
        }
        return nil
    }
}

extension Scheduler {
    /// A worker as `workers` lists it.
    public struct WorkerView: Sendable, Equatable {
        /// Blocks that it runs side by side.
        public let slots: Int
        /// Blocks that it holds, running or queued.
        public let running: Int
        /// Blocks that it has finished.
        public let finished: Int
        /// Time since anything was heard from it.
        public let silence: Duration
    }

    /// The worker's standing at time `now`; nil if it is not known.
    public func view(of id: WorkerID, at now: Duration) -> WorkerView? {
        workers[id].map {
            WorkerView(slots: $0.slots, running: $0.leases.count, finished: $0.finished, silence: now - $0.lastHeard)
        }
    }

    /// Blocks of a job that are done and that run; nil once the job is over.
    public func counts(of job: JobNumber) -> (finished: Int, running: Int)? {
        jobs[job].map { ($0.finishedCount, $0.running.count) }
    }

    /// Workers and their slots.
    public var capacity: (workers: Int, slots: Int) {
        (workers.count, workers.values.reduce(0) { $0 + $1.slots })
    }
}
