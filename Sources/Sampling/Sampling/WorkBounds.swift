/// What the blocks of a sampler can do at the most: whoever is sent their results can tell by it what can't be true.
extension SamplerSettings {
    /// The most transitions of a chain on bridges on the way to one level.
    var mostTransitionsOnBridges: Int {
        (population?.bridges ?? 0) * max(transitions, refinement?.transitions ?? 0)
    }

    /// The most evaluations that these cost a chain.
    var mostEvaluationsOnBridges: Int {
        (population?.bridges ?? 0) + Bridge.evaluations * mostTransitionsOnBridges * evaluationsPerTransition
    }

    /// The most proposals that a chain and its replicas make at levels.
    package func mostProposals(draws: Int, thin: Int) -> Double {
        let further = Double(draws - 1) * Double(thin) * Double(1 + (exchange?.pairs ?? 0))
        let below = Double(refinement?.levels ?? 0) * Double(refinement?.transitions ?? 0)
        return Double(levels.count) * Double(transitions) + below + further
    }

    /// The most units of ``RunnableBlock/steps``.
    ///
    /// - Parameter levels: of the schedule.
    package func mostSteps(levels: Int, draws: Int, thin: Int) -> Double {
        Double(levels + (refinement?.levels ?? 0)) + mostProposals(draws: draws, thin: thin)
    }

    /// The most evaluations of energy and score that a chain costs, its replicas and, in a pilot block, the trials of
    /// its step sizes included.
    ///
    /// - Parameter levels: of the schedule.
    package func mostEvaluations(levels: Int, draws: Int, thin: Int) -> Double {
        let trials = Double(tuning == nil ? 1 : StepSearch.mostTrials + 1)
        // One on entering a level, and at most one more for what is made of a point there.
        let entries = 2 * Double(levels + (refinement?.levels ?? 0) + draws)
        let bridges = Double(levels + (refinement?.levels ?? 0)) * Double(mostEvaluationsOnBridges)
        let exchanges = exchange.map { Double((draws - 1) * thin / $0.every * $0.mostEvaluations) } ?? 0
        return entries + exchanges + bridges
            + mostProposals(draws: draws, thin: thin) * Double(evaluationsPerTransition) * trials
    }

    /// The step sizes that a pilot block may find, with room for rounding at the ends.
    package static let findableStepSizes =
        StepSearch.range.lowerBound * 0.999...StepSearch.range.upperBound * 1.001
}
