/// Where a block is on its way: levels from the noisiest down, at each an entry and then transitions,
/// and at the last level those that lead to further draws.
struct BlockPlace: Equatable {
    /// One piece of the way.
    enum Unit: Equatable {
        /// Going over to a level.
        case entry(level: Int)
        /// One transition of all chains, counted from 0 within the level.
        case transition(Int, level: Int)
    }

    /// Units done.
    private(set) var unitsDone = 0
    /// The level that was entered last; one above the first before that.
    private(set) var level: Int
    /// Transitions made at the level.
    private(set) var transitions = 0

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
            transitions = min(left - 1, plan.transitions(at: level))
            left -= 1 + transitions
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
        transitions += 1
        unitsDone += 1
        return .transition(transitions - 1, level: level)
    }

    /// Draws that are behind this place.
    func draws(of plan: SamplingPlan) -> Int {
        let further = transitions - plan.annealingTransitions(at: level)
        return level == plan.lastLevel && further >= 0 ? 1 + further / plan.thin : 0
    }

    /// Whether a draw is kept exactly here.
    func isDraw(of plan: SamplingPlan) -> Bool {
        let further = transitions - plan.annealingTransitions(at: level)
        return level == plan.lastLevel && further >= 0 && further.isMultiple(of: plan.thin)
    }

    /// Whether the next unit enters a level or leads to another draw than the one before it, or there is none.
    func isBoundary(of plan: SamplingPlan) -> Bool {
        level > plan.lastLevel ? transitions == plan.annealingTransitions(at: level) : isDraw(of: plan)
    }
}
