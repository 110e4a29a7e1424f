/// The pool's timers and its limits. Each timer has one meaning and stands alone; the third, a job's time limit,
/// is in its ``JobTerms``.
package struct PoolConfiguration: Sendable, Equatable {
    /// Link: how often either side lets the other hear from it.
    package var heartbeat: Duration = .seconds(1)
    /// Link: a worker silent for this long has lost its leases.
    package var silence: Duration = .seconds(6)
    /// Link: a worker whose heartbeats still tell of other leases than it was given, this long after the last change,
    /// has missed a message and has to register again.
    package var settling: Duration = .seconds(3)
    /// Progress: a block that reports nothing for this long while its worker lives is hung.
    package var stall: Duration = .seconds(300)
    /// A block that took down this many workers, or failed this often, without getting any further in between is set
    /// aside; a worker that fails at this many blocks which others finish, and finishes none itself, is too.
    package var crashLimit = 5
    /// Progress: a worker that is unable to run a job's blocks keeps away from the job for this long, and each time
    /// after that for twice as long, up to ``longestRest``.
    package var rest: Duration = .seconds(1)
    /// Progress: see ``rest``.
    package var longestRest: Duration = .seconds(60)
    /// A job of whose arithmetic there has been no worker for this long, while there are others, begins anew if hardly
    /// anything of it is done.
    package var orphanhood: Duration = .seconds(60)
    /// The work that is queued at each slot of a worker, so that it never waits for a round trip.
    package var queuedWork: Duration = .milliseconds(100)
    /// The most blocks queued at each slot.
    package var deepestQueue = 256
    /// The most slots that a worker is believed to have.
    package var mostSlots = 4_096
    /// The most blocks that a worker holds, whatever it says of its slots.
    package var mostHeld = 8_192
    /// A block that has run for this many times the usual time is run a second time by a worker that has nothing to do.
    package var straggling = 2.0
    /// No block is run a second time before it has run for this long.
    package var patience: Duration = .seconds(1)

    /// The defaults.
    package init() {}
}

/// What a job asks of the pool.
package struct JobTerms: Sendable, Equatable {
    /// How many blocks it has.
    package var blocks: Int
    /// Jobs of a higher priority go first.
    package var priority = 0
    /// Jobs of one priority get the workers' time in proportion to their shares; above zero.
    package var share = 1.0
    /// The job fails when it is not finished this long after it was handed to the scheduler.
    package var timeLimit: Duration?
    /// The names of the model servers that a worker must have beside it to run its blocks.
    package var servers: Set<String>

    /// Every field as given; `share` above zero, the time limit as a duration from handing in.
    package init(
        blocks: Int, priority: Int = 0, share: Double = 1, timeLimit: Duration? = nil, servers: Set<String> = []
    ) {
        self.blocks = blocks
        self.priority = priority
        self.share = share
        self.timeLimit = timeLimit
        self.servers = servers
    }
}

/// What is already done of a job that is handed to the scheduler again.
package struct JobProgress: Sendable, Equatable {
    /// Blocks whose results are stored.
    package var stored = BlockSet()
    /// Of blocks that have a checkpoint, the steps it has behind it.
    package var checkpoints: [Int: Int] = [:]
    /// Of blocks that took workers down since they last got further, why, one text each time. As many as the limit
    /// set the block aside at once.
    package var reports: [Int: [String]] = [:]
    /// The arithmetic that what is done was computed with; nil if there is nothing.
    package var group: String?
    /// Blocks whose results are stored and are to be computed once more.
    package var checks: [Int: PendingCheck] = [:]
    /// Whether its blocks wait until the job is resumed.
    package var isPaused = false

    /// Nothing.
    package init() {}

    /// A block's result is lost.
    package mutating func lose(_ block: Int) {
        stored.remove(block)
        checks[block] = nil
    }
}

/// A result that is there and is to be computed once more.
package struct PendingCheck: Sendable, Equatable {
    /// Who has brought it.
    package var parties: Set<String>
    /// Attempts that were begun at its block.
    package var attempts: Int

    /// Both as given.
    package init(parties: Set<String>, attempts: Int) { (self.parties, self.attempts) = (parties, attempts) }
}
