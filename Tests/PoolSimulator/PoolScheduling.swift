import PoolCore

/// What the simulator asks of a scheduler: the real one's surface, so that faulty ones can take its place.
protocol PoolScheduling {
    mutating func handle(_ event: Scheduler.Event, at now: Duration) -> [Scheduler.Action]
    func view(of id: WorkerID, at now: Duration) -> Scheduler.WorkerView?
    func view(of job: JobNumber) -> Scheduler.JobView?
}

extension Scheduler: PoolScheduling {}
