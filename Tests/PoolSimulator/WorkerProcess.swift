import PoolCore

/// One life of a worker: its session, its slots and what keeps it from hearing.
struct WorkerProcess {
    /// A block in a slot.
    struct Run {
        let attempt: Attempt
        /// Tells its events from those of earlier runs.
        let number: Int
        var step: Int
        /// When it came to `step`, in the world's time.
        var since: Int
        /// Whether it gets no further by itself.
        var isHung = false
        var isStopping = false
    }

    /// Its place in the plan.
    let index: Int
    var session: WorkerSession
    var runs: [Run] = []
    /// Checkpoints that came with blocks.
    var checkpoints: [Attempt: Int] = [:]
    /// Pieces of states that go before blocks.
    var arriving: [Attempt: [UInt8]] = [:]
    /// Bytes at the start of states of its runs that the coordinator has stored.
    var settled: [Attempt: Int] = [:]
    /// Jobs whose texts are here.
    var texts: Set<JobNumber> = []
    /// Jobs whose models are here.
    var models: Set<JobNumber> = []
    var isAlive = true
    /// When it ended.
    var endedAt = 0
    /// Messages that are on their way to it.
    var unread = 0
    /// Asked to stop by its user; sent home by the coordinator.
    var isLeaving = false
    var isDismissed = false
    /// It handles nothing before.
    var frozenUntil = 0
    /// Nothing gets through before.
    var cutUntil = 0
    /// How far its clock is ahead.
    var ahead = 0
    /// When the last message each way arrives: a link keeps the order.
    var lastArrivalHere = 0
    var lastArrivalThere = 0
}
