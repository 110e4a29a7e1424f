package import Composition
package import EnergyModels
package import RandomStreams

/// A Markov transition of all chains of a block at one noise level.
package protocol TransitionKernel {
    /// Moves every chain once, counts in the state what was accepted and what diverged, and tells of it.
    ///
    /// - Throws: ``EvaluationError``, with the state as it was before.
    @discardableResult
    mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) throws(EvaluationError) -> TransitionInfo
}

/// What a transition needs to know besides the state.
package struct TransitionContext: Sendable {
    /// The noise level t.
    package var level: Int
    /// Counted from 0 within the level; addresses the random numbers.
    package var transition: Int
    /// Langevin's h or the leapfrog's step, above zero.
    package var stepSize: Double
    /// M, above zero.
    package var mass: Double
    /// Where unadjusted kernels reflect.
    package var bounds: Bounds?
    /// The block's random numbers.
    package var stream: RandomStream

    package init(
        level: Int, transition: Int, stepSize: Double, mass: Double = 1, bounds: Bounds? = nil,
        stream: RandomStream
    ) {
        self.level = level
        self.transition = transition
        self.stepSize = stepSize
        self.mass = mass
        self.bounds = bounds
        self.stream = stream
    }
}
