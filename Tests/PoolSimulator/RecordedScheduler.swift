import PoolCore

/// A scheduler of which everything is written down that it was told and that it wanted.
struct RecordedScheduler: Scheduling {
    /// What was written down and nobody has looked at yet.
    final class Record {
        var entries: [(event: Scheduler.Event, actions: [Scheduler.Action])] = []

        /// - Returns: what was written down since the last time.
        func take() -> [(event: Scheduler.Event, actions: [Scheduler.Action])] {
            defer { entries = [] }
            return entries
        }
    }

    private var scheduler: any Scheduling
    private let record: Record

    init(_ scheduler: any Scheduling, into record: Record) { (self.scheduler, self.record) = (scheduler, record) }

    mutating func handle(_ event: Scheduler.Event, at now: Duration) -> [Scheduler.Action] {
        let actions = scheduler.handle(event, at: now)
        record.entries.append((event, actions))
        return actions
    }

    func view(of id: WorkerID, at now: Duration) -> Scheduler.WorkerView? { scheduler.view(of: id, at: now) }
    func view(of job: JobNumber) -> Scheduler.JobView? { scheduler.view(of: job) }
    func standing(of job: JobNumber, block: Int?) -> Scheduler.Standing? { scheduler.standing(of: job, block: block) }
    func holds(_ id: WorkerID, _ attempt: Attempt) -> Bool { scheduler.holds(id, attempt) }
    var arithmetics: Set<String> { scheduler.arithmetics }
    var capacity: (workers: Int, slots: Int) { scheduler.capacity }
}
