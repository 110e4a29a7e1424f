package import VectorMath

/// A density at every noise level, known up to a constant: what a composition is made of.
package protocol Density: Sendable {
    /// The shape of a point.
    var shape: PointShape { get }

    /// A new evaluator for blocks of `lanes` chains that stands at `level`. Buffers are made here,
    /// once, and reused by every evaluation.
    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator
}

extension Density {
    /// The number of coordinates of a point.
    package var dimension: Int { shape.dimension }
}

/// Evaluates a density for all chains of a block at one noise level.
package protocol DensityEvaluator {
    /// Goes over to another noise level; what depends on the level alone is computed here.
    mutating func move(to level: NoiseLevel)

    /// Log density and score at `x` [dimension][lanes], coordinates in C order, both from one computation.
    ///
    /// - Throws: ``EvaluationError``, where the numbers don't come of arithmetic alone. The evaluator can go on being used.
    mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError)
}

/// Log densities and scores of the chains of a block.
package struct Evaluation: Sendable, Equatable {
    /// [lanes], up to a constant of the level.
    package var logDensity: [Double]
    /// The gradient of the log density, [dimension][lanes].
    package var score: LaneMatrix

    /// Zeros of the given shape.
    package init(dimension: Int, lanes: Int) {
        logDensity = [Double](repeating: 0, count: lanes)
        score = LaneMatrix(rows: dimension, lanes: lanes)
    }
}
