import Chaos
import Testing

/// Processes that answer at once, in simulated time.
private struct SimulatedPool {
    typealias Plan = DisturbancePlan<SplitMix64>

    var plan: Plan
    var alive: Set<Member> = []
    var paused: Set<Member> = []
    /// What was done, with its time in milliseconds.
    var history: [String] = []
    /// Signals to processes that are not there, starts of those that are, resumptions of those that run.
    var mistakes: [String] = []

    init(_ settings: DisturbanceSettings, seed: UInt64) {
        plan = Plan(settings, random: SplitMix64(seed: seed))
    }

    mutating func advance(to now: Int) {
        perform(plan.handle(.tick, at: .milliseconds(now)), at: now)
    }

    private mutating func perform(_ actions: [Plan.Action], at now: Int) {
        for action in actions {
            history.append("\(now) \(action)")
            switch action {
            case .start(let member):
                if !alive.insert(member).inserted { mistakes.append("\(action)") }
            case .send(let signal, let member):
                if !alive.contains(member) || (signal == .resume) != paused.contains(member) && signal != .kill {
                    mistakes.append("\(action)")
                }
                switch signal {
                case .stop: paused.insert(member)
                case .resume: paused.remove(member)
                case .kill, .terminate:
                    alive.remove(member)
                    paused.remove(member)
                    let stopped = signal == .terminate
                    let ending = Ending(status: stopped ? member == .coordinator ? 143 : 0 : 9, bySignal: !stopped)
                    perform(plan.handle(.ended(member, ending), at: .milliseconds(now)), at: now)
                }
            }
        }
    }
}

@Suite("The decisions of a disturbance plan")
struct DisturbancePlanTests {
    private let all: Set<Member> = [.coordinator, .submitter, .worker(1), .worker(2), .worker(3)]

    private func settings(seconds: Int = 60, kinds: [Disturbance] = Disturbance.allCases) -> DisturbanceSettings {
        DisturbanceSettings(every: .seconds(1), lasting: .seconds(seconds), workers: 3, kinds: kinds)
    }

    private func pool(_ settings: DisturbanceSettings, seed: UInt64, until end: Int) -> SimulatedPool {
        var pool = SimulatedPool(settings, seed: seed)
        for now in stride(from: 0, through: end, by: 10) { pool.advance(to: now) }
        return pool
    }

    @Test("A seed gives the same history each time, another seed another one")
    func seeds() {
        let first = pool(settings(), seed: 5, until: 80_000)
        #expect(first.history.count > 60)
        #expect(first.history == pool(settings(), seed: 5, until: 80_000).history)
        #expect(first.history != pool(settings(), seed: 6, until: 80_000).history)
    }

    @Test("All processes are started first, the coordinator before all others")
    func beginning() {
        var plan = DisturbancePlan(settings(), random: SplitMix64(seed: 1))
        let actions = plan.handle(.tick, at: .zero)
        #expect(actions.first == .start(.coordinator))
        #expect(Set(actions.map { "\($0)" }) == Set(all.map { "start(\($0))" }))
    }

    @Test("Each kind hits in a minute or two, about as often as the mean gap says")
    func coverage() {
        let plan = pool(settings(seconds: 600), seed: 3, until: 600_000).plan
        for kind in Disturbance.allCases { #expect(plan.counts[kind, default: 0] >= 20, "\(kind)") }
        #expect((450...750).contains(plan.counts.values.reduce(0, +)))
        #expect(plan.unexpectedEnds.isEmpty && plan.lateStops.isEmpty)
    }

    @Test("No signal goes to a process that is not there, and nothing is started twice", arguments: 1...20)
    func targets(seed: UInt64) {
        #expect(pool(settings(), seed: seed, until: 90_000).mistakes == [])
    }

    @Test("Only the kinds that were asked for hit")
    func kinds() {
        let plan = pool(settings(kinds: [.workerPaused, .submitterKilled]), seed: 2, until: 60_000).plan
        #expect(Set(plan.counts.keys) == [.workerPaused, .submitterKilled])
    }

    @Test("Nobody is paused or away for more than 10 s, and when disturbance is over all run again", arguments: 1...20)
    func progress(seed: UInt64) {
        var pool = SimulatedPool(settings(), seed: seed)
        var lastSeen = Dictionary(uniqueKeysWithValues: all.map { ($0, 0) })
        for now in stride(from: 0, through: 70_000, by: 10) {
            pool.advance(to: now)
            for member in pool.alive.subtracting(pool.paused) { lastSeen[member] = now }
            for (member, time) in lastSeen where now - time > 10_000 {
                Issue.record("\(member) was last seen \(now - time) ms ago")
                return
            }
        }
        #expect(pool.alive == all)
        #expect(pool.paused == [])
        let disturbed = pool.plan.counts
        for now in stride(from: 70_010, through: 80_000, by: 10) { pool.advance(to: now) }
        #expect(pool.plan.counts == disturbed)
    }

    /// A plan whose only kind is a planned stop, one second and more after it has begun, and the worker that it hit.
    private func planAtStop() throws -> (DisturbancePlan<SplitMix64>, Member, Int) {
        var plan = DisturbancePlan(settings(kinds: [.workerStopped]), random: SplitMix64(seed: 4))
        for now in stride(from: 0, to: 60_000, by: 10) {
            for case .send(.terminate, let member) in plan.handle(.tick, at: .milliseconds(now)) {
                return (plan, member, now)
            }
        }
        return try (plan, #require(nil as Member?), 0)
    }

    @Test("A worker that answers SIGTERM late, or with another status than 0, is noted")
    func lateStops() throws {
        let cases: [(Ending, Int, Int)] = [
            (Ending(status: 0), 1_900, 0), (Ending(status: 0), 2_100, 1), (Ending(status: 143), 100, 1),
            (Ending(status: 15, bySignal: true), 100, 1),
        ]
        for (ending, delay, count) in cases {
            var (plan, member, now) = try planAtStop()
            #expect(now >= 1_000)
            _ = plan.handle(.ended(member, ending), at: .milliseconds(now + delay))
            #expect(plan.lateStops.count == count, "\(ending) after \(delay) ms")
            #expect(plan.unexpectedEnds == [])
        }
    }

    @Test("A worker that does not go on SIGTERM is killed after 10 s, and replaced")
    func deafWorker() throws {
        var (plan, member, begin) = try planAtStop()
        var killed: Int?
        var actions: [DisturbancePlan<SplitMix64>.Action] = []
        for now in stride(from: begin + 10, to: begin + 20_000, by: 10) {
            actions = plan.handle(.tick, at: .milliseconds(now))
            if actions.contains(.send(.kill, member)) { killed = now }
            if killed != nil { break }
        }
        #expect(try #require(killed) == begin + 10_000)
        let end = begin + 10_010
        actions = plan.handle(.ended(member, Ending(status: 9, bySignal: true)), at: .milliseconds(end))
        for now in stride(from: end, to: end + 10_000, by: 10) where !actions.contains(.start(member)) {
            actions = plan.handle(.tick, at: .milliseconds(now))
        }
        #expect(actions.contains(.start(member)))
    }

    @Test("A process that ends unasked is noted and started again; a submitter may ask for another try")
    func unaskedEnds() {
        var plan = DisturbancePlan(settings(kinds: []), random: SplitMix64(seed: 1))
        _ = plan.handle(.tick, at: .zero)
        _ = plan.handle(.ended(.worker(2), Ending(status: 11, bySignal: true)), at: .seconds(1))
        _ = plan.handle(.ended(.submitter, Ending(status: 75)), at: .seconds(1))
        _ = plan.handle(.ended(.worker(1), Ending(status: 0)), at: .seconds(1))
        #expect(plan.unexpectedEnds == ["worker-2: signal 11", "worker-1: exit status 0"])
        #expect(plan.resubmissions == 1)
        #expect(plan.handle(.tick, at: .seconds(2)) == [.start(.worker(1)), .start(.worker(2)), .start(.submitter)])
    }
}
