package import Composition
package import EnergyModels
package import VectorMath

/// A path of the leapfrog integrator for all chains of a block.
package struct Trajectory {
    /// The end so far, [dimension][lanes].
    package private(set) var position: LaneMatrix
    /// v / M at the end so far, [dimension][lanes].
    package private(set) var momentum: LaneMatrix
    /// Log density and score at the end so far.
    package private(set) var evaluation: Evaluation

    package init(dimension: Int, lanes: Int) {
        position = LaneMatrix(rows: dimension, lanes: lanes)
        momentum = position
        evaluation = Evaluation(dimension: dimension, lanes: lanes)
    }

    /// Begins a path where the chains stand, with a momentum v / M.
    package mutating func start(at state: ChainState, momentum start: LaneMatrix) {
        position.setScaled(1, state.position)
        momentum.setScaled(1, start)
        evaluation.score.setScaled(1, state.evaluation.score)
    }

    /// Takes `steps` leapfrog steps of size h / M, each at the cost of one evaluation.
    ///
    /// - Parameter bounds: a box at whose walls the path is reflected; nil lets it pass.
    package mutating func leapfrog(
        steps: Int, stepSize: Double, target: inout any DensityEvaluator, reflectingAt bounds: Bounds? = nil
    ) throws(EvaluationError) {
        momentum.add(stepSize / 2, evaluation.score)
        for step in 1...steps {
            position.add(stepSize, momentum)
            bounds?.fold(&position, momentum: &momentum)
            try target.evaluate(at: position, into: &evaluation)
            momentum.add(step < steps ? stepSize : stepSize / 2, evaluation.score)
        }
    }
}
