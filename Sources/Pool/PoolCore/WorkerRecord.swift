/// A block that a worker holds.
struct HeldBlock {
    let attempt: Attempt
    let granted: Duration
    /// When it came to be among the first blocks of its worker, which are those that run.
    var started: Duration?
    /// When the block last reported progress or a checkpoint; nil for one that may still wait for a slot.
    var progress: Duration?
    /// The part of the block that is done, from 0 to 1.
    var fraction = 0.0
    /// Seconds that the block is expected to take; nil if nobody knows.
    let estimate: Double?
    /// Whether the worker was asked to hand it back.
    var isRecalled = false
}

/// What the scheduler knows of a worker.
struct WorkerRecord {
    /// How long a worker keeps away from a job that it was unable to work on.
    struct Rest {
        let until: Duration
        let length: Duration
        /// What was in the way.
        let reason: String
    }

    let slots: Int
    /// Who answers for it.
    let party: String
    /// Workers of one arithmetic compute equal bytes. The servers beside a worker come and go.
    var arithmetic: Arithmetic
    var lastHeard: Duration
    /// In the order of granting, which is the order in which a worker starts its blocks, as far as nothing else shows.
    private(set) var leases: [HeldBlock] = []
    /// What the leases are expected to take, those left out of which nobody knows.
    private(set) var heldSeconds = 0.0
    private(set) var finished = 0
    /// Whether it has told of a block that it runs, or brought a result.
    private(set) var hasComputed = false
    var rests: [JobNumber: Rest] = [:]
    /// Blocks that it failed at and others have finished, since its last result.
    var failures = 0
    /// The number of the last grant that was sent to it.
    var lastGrant: UInt64 = 0
    /// When that was sent.
    var lastGranted: Duration
    /// When it was last told to stop or hand back something, or to register.
    var lastTaken: Duration
    /// When it was last sent a piece of a model.
    var lastSupplied: Duration
    /// Why it gets no more work; nil if it does.
    var dismissal: String?

    init(slots: Int, arithmetic: Arithmetic, party: String, at now: Duration) {
        self.slots = slots
        self.party = party
        self.arithmetic = arithmetic
        (lastHeard, lastGranted, lastTaken, lastSupplied) = (now, now, now, now)
    }

    var isSetAside: Bool { dismissal != nil }
    /// Whether it could run one more block at once.
    var hasFreeSlot: Bool { leases.count < slots && !isSetAside }

    func lease(of attempt: Attempt) -> HeldBlock? { leases.first { $0.attempt == attempt } }

    mutating func add(_ lease: HeldBlock) {
        leases.append(lease)
        heldSeconds += lease.estimate ?? 0
        start(at: lease.granted)
    }

    /// Takes a lease away; the next one in the queue is then taken to run.
    mutating func remove(_ attempt: Attempt, at now: Duration) -> HeldBlock? {
        guard let place = leases.firstIndex(where: { $0.attempt == attempt }) else { return nil }
        let lease = leases.remove(at: place)
        heldSeconds = leases.isEmpty ? 0 : heldSeconds - (lease.estimate ?? 0)
        start(at: now)
        return lease
    }

    private mutating func start(at now: Duration) {
        let last = min(slots, leases.count) - 1
        if last >= 0, leases[last].started == nil { leases[last].started = now }
    }

    mutating func note(progress fraction: Double?, of attempt: Attempt, at now: Duration) {
        guard var place = leases.firstIndex(where: { $0.attempt == attempt }) else { return }
        // What gets further runs, although it was granted later: then one that was thought to run waits, for its model.
        if place >= slots, let other = leases[..<slots].firstIndex(where: { $0.progress == nil }) {
            leases.swapAt(place, other)
            (leases[place].started, leases[other].started) = (nil, now)
            place = other
        }
        hasComputed = true
        leases[place].progress = now
        if let fraction { leases[place].fraction = fraction }
    }

    /// Takes away a block that has come to its end; nil if the worker is not known to hold it.
    mutating func finish(_ attempt: Attempt, at now: Duration) -> HeldBlock? {
        guard let place = leases.firstIndex(where: { $0.attempt == attempt }) else { return nil }
        // What was thought to wait has run, so one that was thought to run had not begun.
        if place >= slots, let waiting = leases[..<slots].firstIndex(where: { $0.progress == nil }) {
            leases[waiting].started = now
        }
        finished += 1
        failures = 0
        hasComputed = true
        rests[attempt.job] = nil
        return remove(attempt, at: now)
    }

    /// Each rest in a row is twice as long as the one before; what comes in while it rests is of the same trouble.
    mutating func rest(from job: JobNumber, _ reason: String, at now: Duration, _ configuration: PoolConfiguration) {
        guard !rests(from: job, at: now) else { return }
        let length = min(rests[job].map { $0.length * 2 } ?? configuration.rest, configuration.longestRest)
        rests[job] = Rest(until: now + length, length: length, reason: reason)
    }

    func rests(from job: JobNumber, at now: Duration) -> Bool { rests[job].map { now < $0.until } ?? false }

    mutating func recall(_ attempt: Attempt) {
        guard let place = leases.firstIndex(where: { $0.attempt == attempt }) else { return }
        leases[place].isRecalled = true
    }

    /// Forgets how long everything has taken: time went by that nobody worked in.
    mutating func startAnew(at now: Duration) {
        (lastHeard, lastGranted, lastTaken) = (now, now, now)
        for place in leases.indices {
            if leases[place].started != nil { leases[place].started = now }
            if leases[place].progress != nil { leases[place].progress = now }
        }
    }

    /// How many more blocks of `seconds` each it should be given: enough to hide the round trip, and toward the end
    /// of a job no more than a fair part of what is left.
    ///
    /// - Parameter fair: the most that a slot should hold.
    func room(seconds: Double?, fair: Int, _ configuration: PoolConfiguration) -> Int {
        guard !isSetAside else { return 0 }
        var room = 2 * slots - leases.count
        if let seconds {
            let target = configuration.queuedWork / .seconds(1) * Double(slots)
            let wanted = min((target - heldSeconds) / seconds, Double(slots * configuration.deepestQueue))
            room = max(room, Int(max(0, wanted)))
        }
        room = min(room, min(slots * min(configuration.deepestQueue, fair), configuration.mostHeld) - leases.count)
        // A quarter of the room at a time keeps grants few while blocks are short.
        return leases.count < slots || 4 * room >= leases.count + room ? max(0, room) : 0
    }
}
