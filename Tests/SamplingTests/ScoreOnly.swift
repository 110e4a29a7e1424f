import EnergyModels
import VectorMath

/// A density of which the score alone is told, as networks of the kind noise do it: the log density is a number that
/// says nothing.
struct ScoreOnly: Density {
    private let density: any Density
    /// What stands for the log density, by lane.
    private let pretence: @Sendable (Int) -> Double

    init(_ density: any Density, pretence: @escaping @Sendable (Int) -> Double = { _ in 0 }) {
        self.density = density
        self.pretence = pretence
    }

    var shape: PointShape { density.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(inner: density.evaluator(lanes: lanes, at: level), pretence: pretence)
    }

    private struct Evaluator: DensityEvaluator {
        var inner: any DensityEvaluator
        let pretence: @Sendable (Int) -> Double

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            try inner.evaluate(at: x, into: &evaluation)
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] = pretence(lane) }
        }
    }
}
