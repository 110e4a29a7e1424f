package import EnergyModels
package import VectorMath

/// Where the chains of a block stand.
package struct ChainState: Sendable, Equatable {
    /// [dimension][lanes].
    package var position: LaneMatrix
    /// Log density and score at `position` and the current level: the reason why a transition never
    /// evaluates a point twice.
    package var evaluation: Evaluation
    /// v / M, standard normal in equilibrium, [dimension][lanes]. In these units a momentum carried
    /// over to a level with another mass is still in equilibrium there.
    package var momentum: LaneMatrix
    /// Transitions accepted at the current level, [lanes].
    package var accepted: [Int32]
    /// Proposals with a non-finite energy or gradient so far, and draws that could not be denoised or are not finite as
    /// floats, [lanes].
    package var divergences: [Int32]
    /// Evaluations of the composition so far; each counts once per chain.
    package var evaluations: Int

    /// Chains at the origin, not yet evaluated.
    package init(dimension: Int, lanes: Int) {
        position = LaneMatrix(rows: dimension, lanes: lanes)
        evaluation = Evaluation(dimension: dimension, lanes: lanes)
        momentum = LaneMatrix(rows: dimension, lanes: lanes)
        accepted = [Int32](repeating: 0, count: lanes)
        divergences = accepted
        evaluations = 0
    }

    /// Evaluates the target at the position.
    package mutating func evaluate(_ target: inout any DensityEvaluator) throws(EvaluationError) {
        try target.evaluate(at: position, into: &evaluation)
        evaluations += 1
    }
}
