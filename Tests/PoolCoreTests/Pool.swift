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

    mutating func wait(_ time: Duration) { now += time }

    /// Lets time pass and the timers look at it.
    @discardableResult
    mutating func tick(after time: Duration) -> [Scheduler.Action] {
        wait(time)
        return self(.ticked)
    }

    /// Attempts that the last event granted to a worker.
    func granted(_ worker: WorkerID) -> [Attempt] { actions.granted(worker) }
}

extension [Scheduler.Action] {
    func granted(_ worker: WorkerID) -> [Attempt] {
        flatMap { action -> [Attempt] in
            if case .grant(worker, let attempts) = action { return attempts }
            return []
        }
    }

    func revoked(_ worker: WorkerID) -> [Attempt] {
        flatMap { action -> [Attempt] in
            if case .revoke(worker, let attempts) = action { return attempts }
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

    func forgets(_ worker: WorkerID) -> Bool {
        contains { action in
            if case .forget(worker, _) = action { return true }
            return false
        }
    }
}

/// Numbers that are the same on every run (Knuth's MMIX constants).
struct LinearCongruential: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) << 32 ^ (state >> 17)
    }

    /// A number below `bound`, near enough uniform.
    mutating func below(_ bound: Int) -> Int { Int((next() >> 16) % UInt64(bound)) }
}
