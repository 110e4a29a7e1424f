/// The coordinator's side of the pool as a value: events in, actions out, time given.
///
/// Workers pull: whoever has free room is granted blocks. A worker that falls silent, says goodbye or hangs gives its
/// blocks back; a result counts once, and a job is over when all of its results are stored. What is lost on the way
/// shows in the heartbeats, which tell what a worker holds: who tells of something else has to register again, and
/// says then what it has.
package struct Scheduler: Sendable {
    /// What happened.
    package enum Event: Sendable, Equatable {
        /// A job to work on, new or from an earlier life of the coordinator.
        case submitted(JobNumber, JobTerms, JobProgress = JobProgress())
        /// Nobody wants the job any more, or it cannot go on.
        case cancelled(JobNumber)
        case paused(JobNumber)
        case resumed(JobNumber)
        case prioritized(JobNumber, Int)
        /// A worker that is new, or that tells anew what it holds. `group` is its ``Arithmetic``, as a text; `party` is who
        /// answers for it, and empty if that is the worker alone.
        case registered(WorkerID, slots: Int, group: String, holding: [Attempt] = [], party: String = "")
        /// Any message at all: each is a heartbeat.
        case heard(WorkerID)
        /// A heartbeat proper: the last grant that the worker has got, and how many blocks it holds.
        case counted(WorkerID, grant: UInt64, holding: Int)
        case progressed(WorkerID, Attempt, fraction: Double)
        /// The worker was sent a piece of a model that its blocks wait for: they are not hung.
        case supplied(WorkerID)
        /// What the worker was granted a while ago is on its way to it only now.
        case sent(WorkerID)
        case checkpointed(WorkerID, Attempt, steps: Int)
        /// A planned stop of one block.
        case returned(WorkerID, Attempt)
        /// A result, and how long the worker computed for it; without that, the time since it seemed to begin counts.
        case finished(WorkerID, Attempt, seconds: Double? = nil)
        case failed(WorkerID, Attempt, reason: String)
        /// The worker can't run the block for a reason of its own, such as a model that it can't keep.
        case unable(WorkerID, Attempt, reason: String)
        /// The block's result will outlast the coordinator.
        case stored(JobNumber, block: Int)
        /// The results of these blocks, which were there, are lost: they run again.
        case lost(JobNumber, blocks: [Int])
        /// What the block has come to, which was there, is lost: it runs from its start.
        case stateLost(JobNumber, block: Int)
        /// The result that this attempt brought is to be computed once more, by somebody of another party than these.
        case verify(Attempt, besides: Set<String>)
        /// The block's result is known to be right.
        case verified(JobNumber, block: Int)
        /// A party has brought wrong results.
        case distrusted(party: String, reason: String)
        /// Nothing more can be stored, or it can again.
        case storage(isFull: Bool)
        /// A planned stop: the worker's blocks come back and count against nobody.
        case left(WorkerID)
        /// The worker's process is known to be dead.
        case died(WorkerID, reason: String)
        /// Nothing gets through to the worker any more; it may be alive.
        case vanished(WorkerID, reason: String)
        case ticked
    }

    /// What to do about it.
    package enum Action: Sendable, Equatable {
        /// Send these blocks to the worker, as its grant of this number.
        case grant(WorkerID, number: UInt64, [Attempt])
        /// Tell the worker to stop these.
        case revoke(WorkerID, [Attempt])
        /// Ask the worker to hand these back with what they have come to.
        case recall(WorkerID, [Attempt])
        /// Store the result at hand: it is the block's first. The worker keeps it until it is told that it may go.
        case keep(Attempt)
        /// The result at hand is not needed: its block is stored, or its job is over.
        case drop(Attempt)
        /// The result at hand is being stored already.
        case pass(Attempt)
        /// Compare the result at hand with the one that is there.
        case compare(Attempt)
        /// Store the checkpoint at hand.
        case keepCheckpoint(Attempt, steps: Int)
        /// Write down what became of a block at a worker.
        case report(Attempt, WorkerID, reason: String)
        case jobFinished(JobNumber)
        case jobFailed(JobNumber, reason: String)
        /// Throw away what is done of the job, of whose arithmetic there is no worker any more, and submit it again.
        case beginAnew(JobNumber)
        /// The worker's session is over.
        case forget(WorkerID, reason: String)
        /// Send the worker home: all it does is fail.
        case dismiss(WorkerID, reason: String)
        /// The worker is not known, or has missed a message; it has to register.
        case registerAgain(WorkerID)
    }

    let configuration: PoolConfiguration
    var workers: [WorkerID: WorkerRecord] = [:]
    var jobs: [JobNumber: JobLedger] = [:]
    /// Jobs that are not over, the oldest first.
    var order: [JobNumber] = []
    /// Slots and workers of each arithmetic, those left out that get no more work.
    var groups: [String: (workers: Int, slots: Int)] = [:]
    var storageIsFull = false
    /// Parties that have brought wrong results, and how that is told.
    var distrusted: [String: String] = [:]
    private var lastTick: Duration = .zero
    var lastSweep: Duration = .zero

    /// A scheduler without jobs and workers.
    package init(configuration: PoolConfiguration = PoolConfiguration()) {
        self.configuration = configuration
    }

    /// Takes in one event at time `now`, which never runs backwards.
    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .submitted(let job, let terms, let progress):
            submit(job, JobLedger(terms, progress, limit: configuration.crashLimit, at: now), now, &actions)
        case .cancelled(let job):
            end(job, now, &actions)
            grantToAll(now, &actions)
        case .paused(let job):
            jobs[job]?.isPaused = true
            recall(job, now, &actions)
        case .resumed(let job):
            jobs[job]?.isPaused = false
            join(job)
            grantToAll(now, &actions)
        case .prioritized(let job, let priority):
            jobs[job]?.priority = priority
            join(job)
        case .registered(let id, let slots, let group, let holding, let party):
            register(id, slots: min(max(1, slots), configuration.mostSlots), group, holding, party, now, &actions)
        case .heard(let id):
            hear(id, now, &actions)
        case .counted(let id, let grant, let holding):
            hear(id, now, &actions)
            count(id, grant, holding, now, &actions)
        case .progressed(let id, let attempt, let fraction):
            hear(id, now, &actions)
            workers[id]?.note(progress: fraction, of: attempt, at: now)
        case .sent(let id):
            workers[id]?.lastGranted = now
        case .supplied(let id):
            hear(id, now, &actions)
            workers[id]?.lastSupplied = now
        case .checkpointed(let id, let attempt, let steps):
            hear(id, now, &actions)
            checkpoint(attempt, by: id, steps, now, &actions)
        case .returned(let id, let attempt):
            hear(id, now, &actions)
            if takeLease(attempt, from: id, now) { giveBack(attempt, by: id, report: nil, now, &actions) }
            grant(to: id, now, &actions)
        case .finished(let id, let attempt, let seconds):
            hear(id, now, &actions)
            finish(attempt, by: id, seconds, now, &actions)
            grant(to: id, now, &actions)
        case .failed(let id, let attempt, let reason):
            hear(id, now, &actions)
            fail(attempt, by: id, reason, now, &actions)
        case .unable(let id, let attempt, let reason):
            hear(id, now, &actions)
            excuse(attempt, by: id, reason, now, &actions)
        case .stored(let job, let block):
            jobs[job]?.store(block)
            settle(job, now, &actions)
        case .lost(let job, let blocks):
            jobs[job]?.lose(blocks)
            grantToAll(now, &actions)
        case .stateLost(let job, let block):
            jobs[job]?.loseCheckpoint(of: block)
        case .verify(let attempt, let parties):
            verify(attempt, besides: parties, now, &actions)
        case .verified(let job, let block):
            jobs[job]?.endCheck(of: block)
            settle(job, now, &actions)
        case .distrusted(let party, let reason):
            distrust(party, reason, now, &actions)
        case .storage(let isFull):
            storageIsFull = isFull
            if !isFull { grantToAll(now, &actions) }
        case .left(let id):
            lose(id, report: nil, reason: "it left", now, &actions)
        case .died(let id, let reason):
            lose(id, report: reason, reason: reason, now, &actions)
        case .vanished(let id, let reason):
            loseSight(of: id, reason, now, &actions)
        case .ticked:
            tick(now, &actions)
        }
        return actions
    }

    private mutating func submit(_ job: JobNumber, _ ledger: JobLedger, _ now: Duration, _ actions: inout [Action]) {
        if jobs.updateValue(ledger, forKey: job) == nil { order.append(job) }
        join(job)
        settle(job, now, &actions)
        grantToAll(now, &actions)
    }

    /// A job comes among those of its priority: what it missed before is no claim on the workers.
    private mutating func join(_ job: JobNumber) {
        let others = order.filter {
            $0 != job && jobs[$0]?.priority == jobs[job]?.priority && jobs[$0]?.isPaused == false
        }
        let least = others.compactMap { jobs[$0]?.served }.min() ?? 0
        if let served = jobs[job]?.served, served < least { jobs[job]?.served = least }
    }

    private mutating func hear(_ id: WorkerID, _ now: Duration, _ actions: inout [Action]) {
        if workers[id] != nil {
            workers[id]?.lastHeard = now
        } else {
            actions.append(.registerAgain(id))
        }
    }

    private mutating func checkpoint(
        _ attempt: Attempt, by id: WorkerID, _ steps: Int, _ now: Duration, _ actions: inout [Action]
    ) {
        guard let arithmetic = workers[id]?.arithmetic, jobs[attempt.job]?.admits(arithmetic) == true, isTrusted(id)
        else { return }
        workers[id]?.note(progress: nil, of: attempt, at: now)
        if jobs[attempt.job]?.checkpoint(attempt.block, steps: steps) == true {
            actions.append(.keepCheckpoint(attempt, steps: steps))
            bind(attempt.job, to: arithmetic, now, &actions)
        }
    }

    private mutating func finish(
        _ attempt: Attempt, by id: WorkerID, _ seconds: Double?, _ now: Duration, _ actions: inout [Action]
    ) {
        guard let arithmetic = workers[id]?.arithmetic else { return actions.append(.pass(attempt)) }
        let lease = workers[id]?.finish(attempt, at: now)
        guard jobs[attempt.job]?.admits(arithmetic) == true, isTrusted(id) else {
            return actions.append(.drop(attempt))
        }
        if takeCheck(attempt, by: id, now, &actions) { return }
        let holders = jobs[attempt.job]?.holders(of: attempt.block) ?? []
        let reporters = jobs[attempt.job]?.reporters(of: attempt.block) ?? []
        let seconds = seconds ?? lease?.started.map { (now - $0) / .seconds(1) }
        guard jobs[attempt.job]?.finish(attempt.block, seconds: seconds) == true else {
            let isStoring = jobs[attempt.job]?.isStoring(attempt.block) == true
            return actions.append(isStoring ? .pass(attempt) : .drop(attempt))
        }
        actions.append(.keep(attempt))
        for holder in holders where holder != JobLedger.Holder(worker: id, number: attempt.number) {
            let other = Attempt(job: attempt.job, block: attempt.block, number: holder.number)
            if takeLease(other, from: holder.worker, now) { actions.append(.revoke(holder.worker, [other])) }
        }
        bind(attempt.job, to: arithmetic, now, &actions)
        blame(reporters.filter { $0 != id }, now, &actions)
    }

    /// Ends a job of which nothing is left to do.
    mutating func settle(_ job: JobNumber, _ now: Duration, _ actions: inout [Action]) {
        guard let ledger = jobs[job], ledger.isOver else { return }
        end(job, now, &actions)
        actions.append(ledger.hasFailed ? .jobFailed(job, reason: ledger.verdict) : .jobFinished(job))
    }

    /// A job is over, one way or another: what still runs of it is called back.
    mutating func end(_ job: JobNumber, _ now: Duration, _ actions: inout [Action]) {
        guard let ledger = jobs.removeValue(forKey: job) else { return }
        order.removeAll { $0 == job }
        for id in workers.keys { workers[id]?.rests[job] = nil }
        guard ledger.runningCount > 0 else { return }
        for id in workers.keys.sorted() {
            let running = workers[id]?.leases.map(\.attempt).filter { $0.job == job } ?? []
            for attempt in running { _ = takeLease(attempt, from: id, now) }
            if !running.isEmpty { actions.append(.revoke(id, running)) }
        }
    }

    /// Takes a lease away from a worker; whoever calls tells the worker, if need be, and the job.
    mutating func takeLease(_ attempt: Attempt, from id: WorkerID, _ now: Duration) -> Bool {
        guard workers[id]?.remove(attempt, at: now) != nil else { return false }
        workers[id]?.lastTaken = now
        return true
    }

    private mutating func tick(_ now: Duration, _ actions: inout [Action]) {
        // A coordinator that was stopped for a while has heard nobody, and that is nobody's fault.
        if now - lastTick > configuration.silence / 3 {
            for id in workers.keys { workers[id]?.startAnew(at: now) }
            for job in order { jobs[job]?.orphanedSince = nil }
            lastSweep = now
        }
        lastTick = now
        sweep(now, &actions)
    }
}

extension Scheduler {
    /// A worker as `workers` lists it.
    package struct WorkerView: Sendable, Equatable {
        /// Blocks that it runs side by side.
        package let slots: Int
        /// Blocks that it holds, running or queued.
        package let running: Int
        /// Blocks that it has finished.
        package let finished: Int
        /// Time since anything was heard from it.
        package let silence: Duration
    }

    /// The worker's standing at time `now`; nil if it is not known.
    package func view(of id: WorkerID, at now: Duration) -> WorkerView? {
        workers[id].map {
            WorkerView(slots: $0.slots, running: $0.leases.count, finished: $0.finished, silence: now - $0.lastHeard)
        }
    }

    /// Whether the worker still holds this attempt.
    package func holds(_ id: WorkerID, _ attempt: Attempt) -> Bool { workers[id]?.lease(of: attempt) != nil }

    /// A job as `status` shows it.
    package struct JobView: Sendable, Equatable {
        /// Blocks whose results are there.
        package let finished: Int
        /// Blocks that some worker holds.
        package let running: Int
        /// Whether it waits to be resumed.
        package let isPaused: Bool
        /// The arithmetic that it is tied to and of which there is no worker now; nil if there is one or it is not tied.
        package let missingGroup: String?
        /// The model servers that it takes and that no worker has all of now, if nobody runs it.
        package let missingServers: [String]
        /// Why a worker that might run it can't just now, if nobody does.
        package let obstacle: String?
    }

    /// The job's standing; nil once it is over.
    package func view(of job: JobNumber) -> JobView? {
        jobs[job].map {
            JobView(
                finished: $0.finishedCount, running: $0.runningCount, isPaused: $0.isPaused,
                missingGroup: $0.arithmetic.flatMap { isPresent($0) ? nil : "\($0)" },
                missingServers: $0.runningCount == 0 && !hasServers(of: job) ? $0.servers.sorted() : [],
                obstacle: $0.runningCount == 0 ? obstacle(to: job) : nil)
        }
    }

    private func obstacle(to job: JobNumber) -> String? {
        // Whoever could compute them again would have begun.
        if let ledger = jobs[job], ledger.waitingChecks > 0, ledger.waitingChecks == ledger.waiting {
            return "waits for a worker with another key, or another worker where there are no keys, to compute "
                + "\(ledger.waitingChecks) of its blocks once more: their results are to be verified"
        }
        let resting = workers.filter { $0.value.rests[job] != nil }.min { $0.key < $1.key }
        return resting.flatMap { id, worker in
            worker.rests[job].map { "worker \(id) can't run it for now and tries again later: \($0.reason)" }
        }
    }

    /// The arithmetics of the workers that are there, as texts.
    package var arithmetics: Set<String> {
        Set(workers.values.lazy.filter { !$0.isSetAside }.map { "\($0.arithmetic)" })
    }

    /// Whether there is a worker that computes the same bytes as was done with this.
    func isPresent(_ arithmetic: Arithmetic) -> Bool {
        guard !arithmetic.servers.isEmpty else { return groups[arithmetic.program] != nil }
        return workers.values.contains { !$0.isSetAside && $0.arithmetic.covers(arithmetic) }
    }

    /// Whether there is a worker that has the servers that a job takes, whatever its arithmetic.
    func hasServers(of job: JobNumber) -> Bool {
        guard let ledger = jobs[job], !ledger.servers.isEmpty else { return !groups.isEmpty }
        return workers.values.contains { !$0.isSetAside && ledger.isServed(by: $0.arithmetic) }
    }

    /// Workers and their slots.
    package var capacity: (workers: Int, slots: Int) {
        (workers.count, groups.values.reduce(0) { $0 + $1.slots })
    }
}
