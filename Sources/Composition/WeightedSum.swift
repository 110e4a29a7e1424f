import EnergyModels
import VectorMath

/// Sum of w_i l_i with score sum of w_i s_i: product, negation, tempering and guidance, a classifier's too, alike.
struct WeightedSum: Density {
    private let terms: [any Density]
    private let weights: [Double]
    let shape: PointShape

    /// A term of weight zero is left out: it must not turn minus infinity into NaN.
    init(terms: [any Density], weights: [Double]) {
        precondition(!terms.isEmpty && terms.count == weights.count)
        let kept = terms.indices.filter { weights[$0] != 0 }
        self.terms = kept.map { terms[$0] }
        self.weights = kept.map { weights[$0] }
        shape = terms[0].shape
    }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            terms: terms.map { $0.evaluator(lanes: lanes, at: level) }, weights: weights,
            term: Evaluation(dimension: dimension, lanes: lanes))
    }

    private struct Evaluator: DensityEvaluator {
        var terms: [any DensityEvaluator]
        let weights: [Double]
        var term: Evaluation

        mutating func move(to level: NoiseLevel) {
            for index in terms.indices { terms[index].move(to: level) }
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] = 0 }
            // An empty sum, all weights being zero, is the flat density.
            if terms.isEmpty { evaluation.score.scale(by: 0) }
            for index in terms.indices {
                terms[index].evaluate(at: x, into: &term)
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
