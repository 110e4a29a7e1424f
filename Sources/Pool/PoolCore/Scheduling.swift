/// What a coordinator asks of a scheduler; the pool has one, ``Scheduler``, and tests put others in its place.
package protocol Scheduling {
    /// Takes in what has happened. - Returns: what is to be done, in this order.
    mutating func handle(_ event: Scheduler.Event, at now: Duration) -> [Scheduler.Action]
    /// A worker's standing; nil if it is not known.
    func view(of id: WorkerID, at now: Duration) -> Scheduler.WorkerView?
    /// A job's standing; nil once it is over.
    func view(of job: JobNumber) -> Scheduler.JobView?
    /// See ``Scheduler/standing(of:block:)``.
    func standing(of job: JobNumber, block: Int?) -> Scheduler.Standing?
    /// Whether a worker still holds this attempt.
    func holds(_ id: WorkerID, _ attempt: Attempt) -> Bool
    /// The arithmetics of the workers that are there, as texts.
    var arithmetics: Set<String> { get }
    /// Workers and their slots.
    var capacity: (workers: Int, slots: Int) { get }
}

extension Scheduler: Scheduling {}
