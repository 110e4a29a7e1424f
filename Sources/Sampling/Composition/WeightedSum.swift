import EnergyModels
import VectorMath

/// Sum of w_i l_i with score sum of w_i s_i: product, negation, tempering and guidance, a classifier's too, alike. An
/// empty sum is the flat density.
struct WeightedSum: Combination {
    private let terms: [Operand]
    private let weights: [Double]

    init(terms: [Operand], weights: [Double]) {
        precondition(terms.count == weights.count)
        self.terms = terms
        self.weights = weights
    }

    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator {
        Evaluator(
            terms: terms.map { OperandEvaluator($0, dimension: dimension, lanes: lanes, at: level) }, weights: weights)
    }

    private struct Evaluator: CombinationEvaluator {
        var terms: [OperandEvaluator]
        let weights: [Double]

        mutating func move(to level: NoiseLevel) {
            for index in terms.indices { terms[index].move(to: level) }
        }

        mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation) {
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] = 0 }
            if terms.isEmpty { evaluation.score.scale(by: 0) }
            for index in terms.indices {
                let term = terms[index].evaluation(at: x, leaves: leaves)
                let weight = weights[index]
                for lane in evaluation.logDensity.indices {
                    evaluation.logDensity[lane] += weight * term.logDensity[lane]
                }
                if index == 0 {
                    evaluation.score.setScaled(weight, term.score)
                } else {
                    evaluation.score.add(weight, term.score)
                }
            }
        }
    }
}
