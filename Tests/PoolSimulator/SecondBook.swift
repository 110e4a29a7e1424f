import Journal
import PoolCore

/// What the simulator itself knows of who may hold what; every action of the scheduler is checked against it.
struct SecondBook {
    struct Holder {
        let worker: WorkerID
        let number: Int
        let since: Duration
    }

    struct Job {
        let blocks: Int
        /// Whether the scheduler works on it.
        var isOpen = false
        var isPaused = false
        var deadline: Duration?
        /// Blocks whose first result has come in this life of the coordinator, or was stored in an earlier one.
        var kept: [Bool]
        var keptCount = 0
        /// Blocks whose result is on the disk; of all lives.
        var stored: [Bool]
        var storedCount = 0
        var holders: [[Holder]]
        var held = 0
        /// Reports since the last checkpoint.
        var reports: [Int]
        /// As the scheduler knows them.
        var checkpoints: [Int]
        /// The arithmetic of all that was kept; nil if nothing was.
        var group: String?
        /// Blocks whose results are to come once more, and who has brought them.
        var checks: [Int: Set<String>] = [:]

        init(blocks: Int) {
            self.blocks = blocks
            (kept, stored) = ([Bool](repeating: false, count: blocks), [Bool](repeating: false, count: blocks))
            holders = [[Holder]](repeating: [], count: blocks)
            (reports, checkpoints) = ([Int](repeating: 0, count: blocks), [Int](repeating: 0, count: blocks))
        }
    }

    struct Worker {
        let slots: Int
        let group: String
        let party: String
        var leases: [Attempt] = []
        var isDismissed = false
    }

    private(set) var jobs: [Job]
    private(set) var workers: [WorkerID: Worker] = [:]
    /// Parties that have brought wrong results, in this life.
    private var distrusted: Set<String> = []
    /// Workers that have told of a block that they ran, or brought a result, in this life.
    private var told: Set<WorkerID> = []
    /// The invariant that was broken first.
    private(set) var broken: String?
    private let configuration: PoolConfiguration
    private let isGentle: Bool

    init(_ plan: HistoryPlan, jobs: [HistoryPlan.Job]) {
        self.jobs = jobs.map { Job(blocks: $0.blocks) }
        configuration = plan.configuration
        isGentle = plan.isGentle
    }

    mutating func claim(_ holds: Bool, _ invariant: @autoclosure () -> String) {
        if !holds, broken == nil { broken = invariant() }
    }

    // MARK: What the coordinator does.

    /// The coordinator is gone, and all that only it knew.
    mutating func forgetLife() {
        (workers, told, distrusted) = ([:], [], [])
        for job in jobs.indices {
            jobs[job].isOpen = false
            for block in 0..<jobs[job].blocks { jobs[job].holders[block] = [] }
            jobs[job].held = 0
        }
    }

    mutating func submitted(_ job: JobNumber, _ progress: JobProgress, deadline: Duration?) {
        jobs[job].isOpen = true
        jobs[job].isPaused = progress.isPaused
        jobs[job].deadline = deadline
        jobs[job].group = progress.group
        jobs[job].checks = progress.checks.mapValues(\.parties)
        for block in 0..<jobs[job].blocks {
            claim(
                progress.stored.contains(block) == jobs[job].stored[block], "a stored result is missing after a restart"
            )
            jobs[job].kept[block] = jobs[job].stored[block]
            // What is told of the runs that were to verify a result is told anew.
            jobs[job].reports[block] = progress.stored.contains(block) ? 0 : progress.reports[block]?.count ?? 0
            jobs[job].checkpoints[block] = progress.checkpoints[block] ?? 0
        }
        jobs[job].keptCount = jobs[job].storedCount
    }

    mutating func pause(_ job: JobNumber, _ isPaused: Bool) { jobs[job].isPaused = isPaused }

    mutating func reached(disk attempt: Attempt) {
        claim(!jobs[attempt.job].stored[attempt.block], "a result is stored twice")
        jobs[attempt.job].stored[attempt.block] = true
        jobs[attempt.job].storedCount += 1
    }

    /// A worker says what it holds; the scheduler took over what it did not revoke.
    mutating func registered(
        _ id: WorkerID, slots: Int, group: String, party: String, holding: [Attempt], revoked: [Attempt],
        at now: Duration
    ) {
        if workers[id] == nil { workers[id] = Worker(slots: slots, group: group, party: party) }
        for attempt in workers[id]?.leases ?? [] where !holding.contains(attempt) { release(attempt, from: id) }
        if workers[id]?.isDismissed == true { return }
        for attempt in holding where !revoked.contains(attempt) && workers[id]?.leases.contains(attempt) == false {
            hold(attempt, id, now)
        }
    }

    private mutating func hold(_ attempt: Attempt, _ id: WorkerID, _ now: Duration) {
        let (job, block) = (attempt.job, attempt.block)
        claim(jobs[job].isOpen, "a block of a job that is over is held")
        if let parties = jobs[job].checks[block] {
            claim(workers[id].map { !parties.contains($0.party) } ?? true, "a result is verified by who brought it")
            claim(jobs[job].holders[block].isEmpty, "a result is verified by two at once")
        } else {
            claim(!jobs[job].kept[block], "a block is held whose result is there")
        }
        let group = workers[id]?.group
        claim(jobs[job].group == nil || jobs[job].group == group, "a job runs on two arithmetics")
        workers[id]?.leases.append(attempt)
        if jobs[job].holders[block].isEmpty { jobs[job].held += 1 }
        jobs[job].holders[block].append(Holder(worker: id, number: attempt.number, since: now))
    }

    private mutating func release(_ attempt: Attempt, from id: WorkerID) {
        guard let place = workers[id]?.leases.firstIndex(of: attempt) else { return }
        workers[id]?.leases.remove(at: place)
        let (job, block) = (attempt.job, attempt.block)
        jobs[job].holders[block].removeAll { $0.worker == id && $0.number == attempt.number }
        if jobs[job].holders[block].isEmpty { jobs[job].held -= 1 }
    }

    /// A worker has said that it is through with a block, one way or another.
    mutating func delivered(_ attempt: Attempt, by id: WorkerID) { release(attempt, from: id) }

    // MARK: What the scheduler asks for.

    mutating func granted(_ attempts: [Attempt], to id: WorkerID, at now: Duration) {
        claim(workers[id]?.isDismissed == false, "a worker that is not there, or was sent home, is granted a block")
        for attempt in attempts {
            let (job, block) = (attempt.job, attempt.block)
            guard jobs.indices.contains(job), block >= 0, block < jobs[job].blocks else {
                return claim(false, "a block is granted that does not exist")
            }
            claim(!jobs[job].isPaused, "a block of a paused job is granted")
            claim(
                !jobs[job].stored[block] || jobs[job].checks[block] != nil, "a block is granted whose result is stored")
            claim(isTrusted(id), "a block is granted to who brings wrong results")
            claim(jobs[job].reports[block] < configuration.crashLimit, "a block that was set aside is granted")
            if let first = jobs[job].holders[block].first {
                claim(jobs[job].holders[block].count == 1, "a block is granted to a third worker")
                claim(first.worker != id, "a block is granted twice to one worker")
                claim(now - first.since > configuration.patience, "a block that is not late is granted again")
                let isEnding = (0..<jobs[job].blocks).allSatisfy {
                    jobs[job].kept[$0] || !jobs[job].holders[$0].isEmpty
                        || jobs[job].reports[$0] >= configuration.crashLimit
                }
                claim(isEnding, "a block is granted again while others wait")
            }
            hold(attempt, id, now)
        }
        let (held, slots) = (workers[id]?.leases.count ?? 0, workers[id]?.slots ?? 1)
        claim(held <= slots * max(2, configuration.deepestQueue), "a worker's queue is too deep")
    }

    mutating func revoked(_ attempts: [Attempt], from id: WorkerID) {
        claim(!attempts.isEmpty, "a revocation of nothing, which means the whole job")
        for attempt in attempts { release(attempt, from: id) }
    }

    mutating func recalled(_ attempts: [Attempt], from id: WorkerID) {
        claim(!attempts.isEmpty, "a recall of nothing, which means the whole job")
        for attempt in attempts {
            claim(workers[id]?.leases.contains(attempt) == true, "a block is recalled from a worker that has it not")
        }
    }

    mutating func kept(_ attempt: Attempt, group: String) {
        let (job, block) = (attempt.job, attempt.block)
        claim(jobs[job].isOpen, "a result of a job that is over is kept")
        claim(!jobs[job].kept[block] && !jobs[job].stored[block], "a result is kept twice")
        claim(jobs[job].group == nil || jobs[job].group == group, "results of two arithmetics are mixed")
        jobs[job].group = group
        jobs[job].kept[block] = true
        jobs[job].keptCount += 1
        jobs[job].reports[block] = 0
    }

    // MARK: Results that are computed twice.

    func isTrusted(_ id: WorkerID) -> Bool { workers[id].map { !distrusted.contains($0.party) } ?? true }

    mutating func verify(_ attempt: Attempt, besides parties: Set<String>) {
        guard jobs[attempt.job].isOpen, jobs[attempt.job].kept[attempt.block] else { return }
        jobs[attempt.job].checks[attempt.block] = parties
    }

    mutating func compared(_ attempt: Attempt) {
        claim(jobs[attempt.job].checks[attempt.block] != nil, "a result is compared that is not to be verified")
        jobs[attempt.job].reports[attempt.block] = 0
    }

    mutating func verified(_ block: Int, of job: JobNumber) { jobs[job].checks[block] = nil }

    /// - Parameter liars: workers that do bring wrong results.
    mutating func distrust(_ party: String, liars: Set<WorkerID>) {
        distrusted.insert(party)
        let meant = workers.filter { $0.value.party == party }.keys
        claim(meant.allSatisfy(liars.contains), "a worker that brings right results is not trusted")
    }

    mutating func lost(_ blocks: [Int], of job: JobNumber) {
        guard jobs[job].isOpen else { return }
        for block in blocks where jobs[job].kept[block] {
            jobs[job].kept[block] = false
            jobs[job].keptCount -= 1
            jobs[job].checkpoints[block] = 0
            jobs[job].checks[block] = nil
        }
    }

    mutating func lostState(of block: Int, of job: JobNumber) { jobs[job].checkpoints[block] = 0 }

    /// Stored results were taken back, on the disk.
    mutating func disowned(_ blocks: [Int], of job: JobNumber) {
        for block in blocks {
            claim(jobs[job].stored[block], "a result is taken back that is not stored")
            jobs[job].stored[block] = false
            jobs[job].storedCount -= 1
        }
    }

    mutating func dropped(_ attempt: Attempt, group: String) {
        let (job, block) = (attempt.job, attempt.block)
        guard jobs[job].isOpen, !jobs[job].stored[block] else { return }
        claim((jobs[job].group ?? group) != group, "a result is dropped that is not stored")
    }

    mutating func passed(_ attempt: Attempt, by id: WorkerID) {
        guard workers[id] != nil else { return }
        claim(
            jobs[attempt.job].isOpen && jobs[attempt.job].kept[attempt.block]
                && !jobs[attempt.job].stored[attempt.block],
            "a result is passed over that is not on its way to the disk")
    }

    mutating func checkpointed(_ attempt: Attempt, steps: Int, group: String) {
        let (job, block) = (attempt.job, attempt.block)
        claim(steps > jobs[job].checkpoints[block], "an older checkpoint replaces a later one")
        claim(!jobs[job].kept[block], "a checkpoint is kept of a block whose result is there")
        claim(jobs[job].group == nil || jobs[job].group == group, "checkpoints of two arithmetics are mixed")
        jobs[job].group = group
        jobs[job].checkpoints[block] = steps
        jobs[job].reports[block] = 0
    }

    /// A worker has told of a block.
    mutating func heard(of attempt: Attempt, from id: WorkerID) { told.insert(id) }

    mutating func reported(_ attempt: Attempt, by id: WorkerID, isSilence: Bool) {
        claim(!isSilence || told.contains(id), "the silence of a worker that told of nothing counts")
        claim(!isGentle, "a planned stop, a pause or a restart counts against a block")
        jobs[attempt.job].reports[attempt.block] += 1
    }

    mutating func ended(_ job: JobNumber, _ outcome: JobOutcome, at now: Duration) {
        claim(jobs[job].isOpen, "a job ends twice")
        let poisoned = jobs[job].reports.contains { $0 >= configuration.crashLimit }
        switch outcome {
        case .finished:
            claim(jobs[job].storedCount == jobs[job].blocks, "a job is finished with blocks missing")
            claim(jobs[job].checks.isEmpty, "a job is finished with results that are to be verified")
        case .failed:
            claim(poisoned || jobs[job].deadline.map { now > $0 } == true, "a job fails without a cause")
        case .cancelled: break
        }
        close(job)
    }

    private mutating func close(_ job: JobNumber) {
        jobs[job].isOpen = false
        jobs[job].checks = [:]
        // What still ran of it is called back in the same breath.
        for block in 0..<jobs[job].blocks {
            for holder in jobs[job].holders[block] {
                release(Attempt(job: job, block: block, number: holder.number), from: holder.worker)
            }
        }
    }

    /// The scheduler wants a job begun anew.
    mutating func abandoned(_ job: JobNumber, at now: Duration) {
        claim(jobs[job].isOpen && !jobs[job].isPaused, "a job begins anew that is over or paused")
        claim(jobs[job].group != nil, "a job begins anew that was not begun")
        claim(
            !workers.values.contains { $0.group == jobs[job].group && !$0.isDismissed },
            "a job begins anew that has workers")
        claim(jobs[job].keptCount <= max(1, jobs[job].blocks / 10), "much work is thrown away")
        close(job)
    }

    /// What was done of a job is gone from the disk.
    mutating func thrownAway(_ job: JobNumber) {
        (jobs[job].stored, jobs[job].storedCount) = ([Bool](repeating: false, count: jobs[job].blocks), 0)
        jobs[job].group = nil
    }

    mutating func forgot(_ id: WorkerID) {
        for attempt in workers[id]?.leases ?? [] { release(attempt, from: id) }
        claim(workers.removeValue(forKey: id) != nil, "a worker is forgotten that was not there")
    }

    mutating func dismissed(_ id: WorkerID) {
        for attempt in workers[id]?.leases ?? [] { release(attempt, from: id) }
        workers[id]?.isDismissed = true
    }

    /// Workers that hold a block of the job.
    func holders(of job: JobNumber) -> Set<WorkerID> { Set(jobs[job].holders.joined().map(\.worker)) }

    /// The scheduler's own counts are those of this book.
    ///
    /// - Parameter places: the jobs' places in this book, by the scheduler's numbers.
    mutating func compare(with scheduler: any Scheduling, _ places: [JobNumber: Int], at now: Duration) {
        for (id, worker) in workers where scheduler.view(of: id, at: now)?.running != worker.leases.count {
            claim(false, "the leases of a worker are counted wrong")
        }
        for (number, job) in places {
            let view = scheduler.view(of: number)
            claim((view != nil) == jobs[job].isOpen, "a job is there that should not be, or the other way round")
            guard let view else { continue }
            claim(view.finished == jobs[job].keptCount, "a job's results are counted wrong")
            claim(view.running == jobs[job].held, "a job's running blocks are counted wrong")
            claim(view.isPaused == jobs[job].isPaused, "a job is paused that should not be, or the other way round")
            for holder in jobs[job].holders.joined() where jobs[job].group != nil {
                claim(workers[holder.worker]?.group == jobs[job].group, "a job runs on two arithmetics")
            }
            claim(jobs[job].deadline.map { now <= $0 + .seconds(30) } ?? true, "a time limit ends no job")
        }
    }
}
