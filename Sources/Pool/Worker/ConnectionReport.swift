import PoolCore

/// What a worker tells people of its connection: that it is there, and from time to time that it is not.
struct ConnectionReport {
    /// A thing worth telling.
    enum Line: Equatable {
        /// A coordinator knows this worker by that number.
        case registered(WorkerID)
        /// Nothing has come for so long.
        case unanswered(Duration)
    }

    /// How long nothing has to come before that is told, and until it is told again.
    private static let patience = Duration.seconds(30)

    private var lastHeard: Duration
    private var lastTold: Duration
    /// As what it was last told to be registered; nil if it was told since that nobody answers.
    private var worker: WorkerID?

    init(at now: Duration) { (lastHeard, lastTold) = (now, now) }

    /// Something has come.
    mutating func heard(at now: Duration) { lastHeard = now }

    /// A registration was answered. - Returns: nil if that is no news.
    mutating func welcomed(as worker: WorkerID) -> Line? {
        guard self.worker != worker else { return nil }
        self.worker = worker
        return .registered(worker)
    }

    mutating func ticked(at now: Duration) -> Line? {
        guard now - max(lastHeard, lastTold) >= Self.patience else { return nil }
        (lastTold, worker) = (now, nil)
        return .unanswered(now - lastHeard)
    }
}
