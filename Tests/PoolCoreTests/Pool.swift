import PoolCore

/// A scheduler with a clock, and what it has said so far.
struct Pool {
    var scheduler: Scheduler
    private(set) var now: Duration = .zero
    /// What came back from the last event.
    private(set) var actions: [Scheduler.Action] = []

    init(_ configuration: PoolConfiguration = PoolConfiguration()) {
        scheduler = Scheduler(configuration: configuration)
    }

    @discardableResult
    mutating func callAsFunction(_ event: Scheduler.Event) -> [Scheduler.Action] {
        actions = scheduler.handle(event, at: now)
        return actions
    }

    @discardableResult
    mutating func join(
        _ worker: WorkerID, slots: Int = 1, group: String = "a", holding: [Attempt] = [], party: String = ""
    ) -> [Attempt] {
        self(.registered(worker, slots: slots, group: group, holding: holding, party: party))
        return granted(worker)
    }

    @discardableResult
    mutating func submit(
        _ job: JobNumber, blocks: Int, priority: Int = 0, share: Double = 1, timeLimit: Duration? = nil,
        _ progress: JobProgress = JobProgress()
    ) -> [Scheduler.Action] {
        let terms = JobTerms(blocks: blocks, priority: priority, share: share, timeLimit: timeLimit)
        return self(.submitted(job, terms, progress))
    }

    /// A result comes and is stored at once. - Returns: what came of both.
    @discardableResult
    mutating func finish(_ worker: WorkerID, _ attempt: Attempt) -> [Scheduler.Action] {
        let first = self(.finished(worker, attempt))
        actions = first + self(.stored(attempt.job, block: attempt.block))
        return actions
    }

    mutating func wait(_ time: Duration) { now += time }

    /// Lets time pass, a tick each half second at most, in which the named workers say something.
    @discardableResult
    mutating func tick(after time: Duration, hearing workers: [WorkerID] = []) -> [Scheduler.Action] {
        var (all, left): ([Scheduler.Action], Duration) = ([], time)
        repeat {
            wait(min(left, .milliseconds(500)))
            left -= min(left, .milliseconds(500))
            for worker in workers { all += self(.heard(worker)) }
            all += self(.ticked)
        } while left > .zero
        actions = all
        return all
    }

    /// Attempts that the last event granted to a worker.
    func granted(_ worker: WorkerID) -> [Attempt] { actions.granted(worker) }
    func running(_ job: JobNumber) -> Int? { scheduler.view(of: job)?.running }
}

extension [Scheduler.Action] {
    func granted(_ worker: WorkerID) -> [Attempt] {
        flatMap { action -> [Attempt] in
            if case .grant(worker, _, let attempts) = action { return attempts }
            return []
        }
    }

    func revoked(_ worker: WorkerID) -> [Attempt] {
        flatMap { action -> [Attempt] in
            if case .revoke(worker, let attempts) = action { return attempts }
            return []
        }
    }

    func recalled(_ worker: WorkerID) -> [Attempt] {
        flatMap { action -> [Attempt] in
            if case .recall(worker, let attempts) = action { return attempts }
            return []
        }
    }

    /// Jobs that failed, and why.
    var failures: [(job: JobNumber, reason: String)] {
        compactMap { action in
            if case .jobFailed(let job, let reason) = action { return (job, reason) }
            return nil
        }
    }

    /// Blocks that something was held against.
    var reported: [Attempt] {
        compactMap { action in
            if case .report(let attempt, _, _) = action { return attempt }
            return nil
        }
    }

    func forgets(_ worker: WorkerID) -> Bool {
        contains { action in
            if case .forget(worker, _) = action { return true }
            return false
        }
    }

    func dismisses(_ worker: WorkerID) -> Bool {
        contains { action in
            if case .dismiss(worker, _) = action { return true }
            return false
        }
    }
}

extension Attempt {
    init(_ job: JobNumber, _ block: Int, _ number: Int = 1) { self.init(job: job, block: block, number: number) }
}

extension BlockSet {
    init(_ blocks: some Sequence<Int>) {
        self.init()
        for block in blocks { insert(block) }
    }
}
