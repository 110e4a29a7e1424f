import EnergyModels
import RandomStreams

/// The way of a population over bridges to a level.
///
/// Where a jump to the level would take the effective size below the threshold, the chains go a part of the way, as far as
/// the effective size stays at it, are resampled, make the level's transitions on that bridge, and look again (adaptive
/// tempering; Del Moral, Doucet and Jasra 2012). All of it follows from the block's own chains.
struct BridgeCrossing {
    let plan: SamplingPlan
    /// The level where the way ends, below the first.
    let level: Int
    /// The block's random numbers.
    let stream: RandomStream

    /// Random numbers of transitions at a level itself have addresses below: there are fewer (see the job's lengths).
    private static let firstTransition = 1 << 31

    /// Takes the chains over as many bridges as are needed and allowed.
    ///
    /// - Parameters:
    ///   - population: weighted up to the level above.
    ///   - chains: evaluated at the level, not having moved since the level above; so they are left, having moved.
    ///   - current: their evaluation at the level above.
    ///   - target: at the level.
    /// - Returns: the log density that the chains come from at last.
    /// - Throws: ``EvaluationError``, with the population and the chains on their way.
    func cross(
        _ population: inout Population, _ chains: inout ChainState, from current: Evaluation,
        target: inout any DensityEvaluator, kernel: inout (any TransitionKernel)?
    ) throws(EvaluationError) -> [Double] {
        var (current, behind) = (current, 0.0)
        let (above, below) = (plan.level(at: level + 1), plan.level(at: level))
        let transitions = plan.annealingTransitions(at: level)
        for bridge in 0..<population.mostBridges {
            let part = population.part(
                from: current.logDensity, to: chains.evaluation.logDensity, bridges: population.mostBridges - bridge)
            guard part < 1 else { break }
            var uniform = [0.0]
            stream.fillUniforms(&uniform, purpose: .resampling, level: level, transition: 1 + bridge)
            let parents = population.cross(
                from: current.logDensity, to: chains.evaluation.logDensity, part: part, uniform: uniform[0])
            current.move(by: part, towards: chains.evaluation)
            swap(&current, &chains.evaluation)
            chains.resample(parents)
            behind += part * (1 - behind)
            var density: any DensityEvaluator = Bridge(target, from: above, to: below, part: behind, like: current)
            for transition in 0..<transitions {
                // A crossing is one step of its block, however long.
                try EvaluationError.throwIfCancelled()
                let context = context(bridge * transitions + transition, part: behind)
                try kernel?.transition(&chains, target: &density, in: context)
            }
            chains.evaluations += (Bridge.evaluations - 1) * transitions * plan.settings.evaluationsPerTransition
            current = chains.evaluation
            try chains.evaluate(&target)
        }
        for lane in chains.accepted.indices { chains.accepted[lane] = 0 }
        return current.logDensity
    }

    private func context(_ transition: Int, part: Double) -> TransitionContext {
        TransitionContext(
            level: level, transition: Self.firstTransition + transition,
            stepSize: Bridge.between(plan.stepSize(at: level + 1), plan.stepSize(at: level), part: part),
            mass: Bridge.between(plan.mass(at: level + 1), plan.mass(at: level), part: part),
            bounds: plan.bounds(at: level), stream: stream)
    }
}
