import PoolCore

/// A model of the coordinator's store: what was written outlasts it, what waits to be written does not.
struct Journal {
    enum Outcome: Sendable { case finished, failed, cancelled }

    enum Entry {
        case accepted(JobNumber)
        case result(Attempt, group: String, peer: Int)
        case checkpoint(Attempt, steps: Int, group: String)
        case report(Attempt, reason: String)
        case ended(JobNumber, Outcome)
        case paused(JobNumber, Bool)
        case prioritized(JobNumber, Int)
        case handedInAgain(JobNumber)
        case thrownAway(JobNumber)
    }

    struct Job {
        var isAccepted = false
        var progress = JobProgress()
        var priority: Int?
        var outcome: Outcome?
    }

    /// By job.
    private(set) var jobs: [Job]
    /// Accepted jobs in their order.
    private(set) var order: [JobNumber] = []
    var waiting: [Entry] = []
    private(set) var writing: [Entry] = []

    init(jobs: Int) { self.jobs = [Job](repeating: Job(), count: jobs) }

    /// Begins to write what waits. - Returns: false if nothing does.
    mutating func begin() -> Bool {
        (writing, waiting) = (waiting, [])
        return !writing.isEmpty
    }

    /// What was being written is there. - Returns: it.
    mutating func complete() -> [Entry] {
        defer { writing = [] }
        for entry in writing { apply(entry) }
        return writing
    }

    /// The coordinator has died; the last write may have reached the disk, or not.
    mutating func crash(reachesDisk: Bool) -> [Entry] {
        waiting = []
        if !reachesDisk { writing = [] }
        return complete()
    }

    private mutating func apply(_ entry: Entry) {
        switch entry {
        case .accepted(let job):
            if !jobs[job].isAccepted { order.append(job) }
            jobs[job].isAccepted = true
        case .result(let attempt, let group, _):
            jobs[attempt.job].progress.stored.insert(attempt.block)
            jobs[attempt.job].progress.checkpoints[attempt.block] = nil
            jobs[attempt.job].progress.reports[attempt.block] = nil
            jobs[attempt.job].progress.group = group
        case .checkpoint(let attempt, let steps, let group):
            guard !jobs[attempt.job].progress.stored.contains(attempt.block) else { return }
            jobs[attempt.job].progress.checkpoints[attempt.block] = steps
            jobs[attempt.job].progress.reports[attempt.block] = nil
            jobs[attempt.job].progress.group = group
        case .report(let attempt, let reason):
            jobs[attempt.job].progress.reports[attempt.block, default: []].append(reason)
        case .ended(let job, let outcome):
            jobs[job].outcome = outcome
        case .paused(let job, let isPaused):
            jobs[job].progress.isPaused = isPaused
        case .prioritized(let job, let priority):
            jobs[job].priority = priority
        case .handedInAgain(let job):
            jobs[job].outcome = nil
            jobs[job].progress.reports = [:]
        case .thrownAway(let job):
            let isPaused = jobs[job].progress.isPaused
            jobs[job].progress = JobProgress()
            jobs[job].progress.isPaused = isPaused
        }
    }
}
