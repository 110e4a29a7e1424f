import EnergyModels
import VectorMath

/// A density cut off outside a box: there the log density is minus infinity. The score stays that of
/// the density itself, so that a trajectory may pass outside; only its end is judged.
struct BoundedDensity: Density {
    private let density: any Density
    private let bounds: Bounds

    init(of density: any Density, bounds: Bounds) {
        self.density = density
        self.bounds = bounds
    }

    var shape: PointShape { density.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(inner: density.evaluator(lanes: lanes, at: level), bounds: bounds)
    }

    private struct Evaluator: DensityEvaluator {
        var inner: any DensityEvaluator
        let bounds: Bounds

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            inner.evaluate(at: x, into: &evaluation)
            for row in 0..<x.rows {
                for lane in 0..<x.lanes where x[row, lane] < bounds.low[row] || x[row, lane] > bounds.high[row] {
                    evaluation.logDensity[lane] = -.infinity
                }
            }
        }
    }
}
