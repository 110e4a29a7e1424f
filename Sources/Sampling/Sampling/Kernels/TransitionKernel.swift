public import Composition
public import EnergyModels
public import RandomStreams

/// A Markov transition of all chains of a block at one noise level.
public protocol TransitionKernel {
    /// Moves every chain once, counts in the state what was accepted and what diverged, and tells of it.
    ///
    /// - Throws: ``EvaluationError``, with the state as it was before.
    @discardableResult
    mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) throws(EvaluationError) -> TransitionInfo
}

/// What a transition needs to know besides the state.
public struct TransitionContext: Sendable {
    /// The noise level t.
    public var level: Int
    /// Counted from 0 within the level; addresses the random numbers.
    public var transition: Int
    /// Langevin's h or the leapfrog's step, above zero.
    public var stepSize: Double
    /// M, above zero.
    public var mass: Double
    /// Where unadjusted kernels reflect.
    public var bounds: Bounds?
    /// The block's random numbers.
    public var stream: RandomStream

    public init(
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
