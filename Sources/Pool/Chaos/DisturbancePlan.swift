/// Decides what happens to which process, and when: a value that is told the time and the ends of processes, and
/// answers with what to do. It starts the processes, disturbs them and then leaves them alone, so that the job ends.
///
/// Whatever it stops it resumes, and whatever ends it starts again; both at a time that is fixed when it happens.
package struct DisturbancePlan<Random: RandomNumberGenerator & Sendable>: Sendable {
    /// What the plan hears of.
    package enum Event: Sendable, Equatable {
        /// Time has passed.
        case tick
        /// A process is no more.
        case ended(Member, Ending)
    }

    /// What the plan wants done.
    package enum Action: Sendable, Equatable {
        case start(Member)
        case send(ProcessSignal, Member)
    }

    private enum Condition: Equatable {
        case absent(until: Duration)
        case running(since: Duration)
        case paused(until: Duration)
        /// Has got its last signal, and stays away so long after its end.
        case leaving(Disturbance, since: Duration, absence: Duration)
    }

    private let settings: DisturbanceSettings
    private var random: Random
    /// In the order in which they start.
    private let members: [Member]
    private var conditions: [Member: Condition]
    private var nextDisturbance: Duration
    /// When the coordinator was last asked to stop: it sends its workers home.
    private var dismissal: Duration?

    /// How often each kind has hit.
    package private(set) var counts: [Disturbance: Int] = [:]
    /// Workers that answered SIGTERM too late or with another status than 0.
    package private(set) var lateStops: [String] = []
    /// Submitters that ended with 69 or 75, which ask for another try.
    package private(set) var resubmissions = 0
    /// Processes that ended although nobody had asked them to.
    package private(set) var unexpectedEnds: [String] = []

    /// - Parameter random: the source of all choices; the same source and the same events give the same actions.
    package init(_ settings: DisturbanceSettings, random: Random) {
        self.settings = settings
        self.random = random
        members = [.coordinator] + (0..<settings.workers).map { .worker($0 + 1) } + [.submitter]
        conditions = Dictionary(uniqueKeysWithValues: members.map { ($0, .absent(until: .zero)) })
        nextDisturbance = .zero
        nextDisturbance = settings.every.exponential(self.random.unit())
    }

    /// Takes in what happened and tells what is to be done now, in this order.
    ///
    /// - Parameter now: time since the run's begin; never less than before.
    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        if case .ended(let member, let ending) = event { note(member, ending, at: now) }
        var actions = members.compactMap { act($0, at: now) }
        if now < settings.lasting, now >= nextDisturbance, let disturbance = disturb(at: now) {
            actions.append(disturbance)
        }
        return actions
    }

    /// What is due for a process, whatever else happens.
    private mutating func act(_ member: Member, at now: Duration) -> Action? {
        switch conditions[member] {
        case .absent(let until) where now >= until:
            conditions[member] = .running(since: now)
            return .start(member)
        case .paused(let until) where now >= min(until, settings.lasting):
            conditions[member] = .running(since: now)
            return .send(.resume, member)
        case .leaving(let why, let since, let absence) where why.signal == .terminate && now - since >= .seconds(10):
            // It does not go by itself.
            conditions[member] = .leaving(why, since: now, absence: absence)
            return .send(.kill, member)
        default:
            return nil
        }
    }

    private mutating func note(_ member: Member, _ ending: Ending, at now: Duration) {
        switch conditions[member] {
        case .leaving(let why, let since, let absence):
            let delay = now - since
            if why == .workerStopped, !ending.isClean || delay > .seconds(2) {
                lateStops.append("\(member): \(ending) \(delay.milliseconds) ms after SIGTERM")
            }
            conditions[member] = .absent(until: now + absence)
        case .running, .paused:
            switch member {
            case .submitter where ending.asksForAnotherTry:
                resubmissions += 1
            case .worker where ending.isClean && dismissal.map { now - $0 < .seconds(5) } == true:
                break
            default:
                unexpectedEnds.append("\(member): \(ending)")
            }
            // What cannot live must not be started in a frenzy.
            conditions[member] = .absent(until: now + .milliseconds(500))
        case .absent, nil:
            break
        }
    }

    private mutating func disturb(at now: Duration) -> Action? {
        // The same number of draws each time: what follows does not depend on what was possible.
        let draws = (0..<5).map { _ in random.unit() }
        nextDisturbance = now + settings.every.exponential(draws[0])
        let possible = settings.kinds.map { ($0, targets(of: $0, at: now)) }.filter { !$0.1.isEmpty }
        var point = draws[1] * possible.reduce(0) { $0 + $1.0.weight }
        for (kind, targets) in possible {
            point -= kind.weight
            guard point < 0 else { continue }
            let target = targets[Int(draws[2] * Double(targets.count))]
            counts[kind, default: 0] += 1
            conditions[target] = begin(kind, at: now, length: draws[3], choice: draws[4])
            if kind == .coordinatorStopped { dismissal = now }
            return .send(kind.signal, target)
        }
        return nil
    }

    /// The processes that a disturbance can hit: those that are there and can answer it.
    private func targets(of kind: Disturbance, at now: Duration) -> [Member] {
        members.filter { member in
            switch (kind, member) {
            case (.workerKilled, .worker), (.workerPaused, .worker), (.workerStopped, .worker): break
            case (.coordinatorKilled, .coordinator), (.coordinatorPaused, .coordinator): break
            case (.coordinatorStopped, .coordinator), (.submitterKilled, .submitter): break
            default: return false
            }
            switch conditions[member] {
            // A process that has just begun may not yet listen to signals.
            case .running(let since): return kind.signal != .terminate || now - since >= .seconds(1)
            case .paused: return kind.signal == .kill
            default: return false
            }
        }
    }

    private func begin(_ kind: Disturbance, at now: Duration, length: Double, choice: Double) -> Condition {
        switch kind {
        case .workerPaused, .coordinatorPaused:
            // One in four for longer than any patience with a silent peer.
            let pause: Duration =
                choice < 0.25
                ? .seconds(6.5 + 3 * length)
                : min(.seconds(5), .milliseconds(50) + Duration.seconds(1).exponential(length))
            return .paused(until: now + pause)
        case .workerKilled, .workerStopped:
            return .leaving(kind, since: now, absence: .milliseconds(50) + Duration.seconds(0.4).exponential(length))
        case .coordinatorKilled, .coordinatorStopped, .submitterKilled:
            let absence = min(.seconds(8), .milliseconds(50) + Duration.seconds(1).exponential(length))
            return .leaving(kind, since: now, absence: absence)
        }
    }
}

/// How much a ``DisturbancePlan`` disturbs.
package struct DisturbanceSettings: Sendable {
    /// Mean time between two disturbances, which is exponentially distributed.
    package var every: Duration
    /// Afterwards the pool is left alone.
    package var lasting: Duration
    /// Worker processes, at least one.
    package var workers: Int
    /// What may happen, in a fixed order.
    package var kinds: [Disturbance]

    /// All kinds unless told otherwise.
    package init(every: Duration, lasting: Duration, workers: Int, kinds: [Disturbance] = Disturbance.allCases) {
        self.every = every
        self.lasting = lasting
        self.workers = workers
        self.kinds = kinds
    }
}
