/// Where a block is on its way: levels from the noisiest down, at each an entry and then transitions,
/// and at the last level those that lead to further draws.
///
/// Where replicas are exchanged each of the latter is a round: a transition of every replica, each a unit of its own,
/// and then that of the chains themselves.
struct BlockPlace: Equatable {
    /// One piece of the way.
    enum Unit: Equatable {
        /// Going over to a level.
        case entry(level: Int)
        /// One transition of all chains, counted from 0 within the level.
        case transition(Int, level: Int)
        /// One transition of a replica of all chains, with the number that the chains' own has in this round.
        case replica(Int, transition: Int)
    }

    /// Units done.
    private(set) var unitsDone = 0
    /// The level that was entered last; one above the first before that.
    private(set) var level: Int
    /// Transitions made at the level.
    private(set) var transitions = 0
    /// Replicas that have moved since.
    private(set) var replicas = 0

    /// The start.
    init(startOf plan: SamplingPlan) {
        level = plan.firstLevel + 1
    }

    /// The place after so many units, of at most ``SamplingPlan/units``.
    init(after units: Int, of plan: SamplingPlan) {
        self.init(startOf: plan)
        unitsDone = units
        var left = units
        while left > 0 {
            level -= 1
            left -= 1
            transitions = min(left, plan.annealingTransitions(at: level))
            left -= transitions
            guard level == plan.lastLevel else { continue }
            transitions += left / (1 + plan.replicas)
            replicas = left % (1 + plan.replicas)
            left = 0
        }
    }

    /// Goes on by a unit and tells which it is; nil at the end.
    mutating func advance(in plan: SamplingPlan) -> Unit? {
        if level > plan.firstLevel || transitions == plan.transitions(at: level) {
            guard level > plan.lastLevel else { return nil }
            level -= 1
            transitions = 0
            unitsDone += 1
            return .entry(level: level)
        }
        unitsDone += 1
        if further(in: plan) != nil, replicas < plan.replicas {
            replicas += 1
            return .replica(replicas - 1, transition: transitions)
        }
        replicas = 0
        transitions += 1
        return .transition(transitions - 1, level: level)
    }

    /// Transitions made towards further draws; nil before the first draw.
    private func further(in plan: SamplingPlan) -> Int? {
        let further = transitions - plan.annealingTransitions(at: level)
        return level == plan.lastLevel && further >= 0 ? further : nil
    }

    /// Draws that are behind this place.
    func draws(of plan: SamplingPlan) -> Int { further(in: plan).map { 1 + $0 / plan.thin } ?? 0 }

    /// Whether a draw is kept exactly here.
    func isDraw(of plan: SamplingPlan) -> Bool {
        replicas == 0 && further(in: plan)?.isMultiple(of: plan.thin) == true
    }

    /// Exchanges of replicas that are behind this place.
    func exchanges(of plan: SamplingPlan) -> Int {
        guard let exchange = plan.settings.exchange, let further = further(in: plan) else { return 0 }
        return further / exchange.every
    }

    /// Whether the replicas are exchanged exactly here.
    func isExchange(of plan: SamplingPlan) -> Bool {
        guard let exchange = plan.settings.exchange, let further = further(in: plan) else { return false }
        return replicas == 0 && further > 0 && further.isMultiple(of: exchange.every)
    }

    /// Whether the next unit enters a level or leads to another draw than the one before it, or there is none.
    func isBoundary(of plan: SamplingPlan) -> Bool {
        level > plan.lastLevel ? transitions == plan.annealingTransitions(at: level) : isDraw(of: plan)
    }
}
