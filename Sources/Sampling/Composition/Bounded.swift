import EnergyModels
import VectorMath

/// A density cut off outside a box: there the log density is minus infinity. The score stays that of
/// the density itself, so that a trajectory may pass outside; only its end is judged.
struct Bounded: Combination {
    private let operand: Operand
    private let bounds: Bounds

    init(of operand: Operand, bounds: Bounds) {
        self.operand = operand
        self.bounds = bounds
    }

    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator {
        Evaluator(
            inner: OperandEvaluator(operand, dimension: dimension, lanes: lanes, at: level), bounds: bounds)
    }

    private struct Evaluator: CombinationEvaluator {
        var inner: OperandEvaluator
        let bounds: Bounds

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation) {
            let unbounded = inner.evaluation(at: x, leaves: leaves)
            for lane in 0..<x.lanes { evaluation.logDensity[lane] = unbounded.logDensity[lane] }
            evaluation.score.setScaled(1, unbounded.score)
            for row in 0..<x.rows {
                for lane in 0..<x.lanes where x[row, lane] < bounds.low[row] || x[row, lane] > bounds.high[row] {
                    evaluation.logDensity[lane] = -.infinity
                }
            }
        }
    }
}
