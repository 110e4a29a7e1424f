import EnergyModels
import VectorMath

/// `logsumexp(scale * l_i + offset_i)` over components, and its gradient.
struct LogSumEvaluator {
    private var components: [any DensityEvaluator]
    private var evaluations: [Evaluation]
    private var highest: [Double]
    private var total: [Double]

    init(_ components: [any Density], dimension: Int, lanes: Int, at level: NoiseLevel) {
        self.components = components.map { $0.evaluator(lanes: lanes, at: level) }
        evaluations = components.map { _ in Evaluation(dimension: dimension, lanes: lanes) }
        highest = [Double](repeating: 0, count: lanes)
        total = highest
    }

    mutating func move(to level: NoiseLevel) {
        for index in components.indices { components[index].move(to: level) }
    }

    mutating func evaluate(
        at x: LaneMatrix, scale: Double, offsets: [Double], into evaluation: inout Evaluation
    ) {
        let lanes = x.lanes
        for lane in 0..<lanes { (highest[lane], total[lane]) = (-.infinity, 0) }
        for index in components.indices {
            components[index].evaluate(at: x, into: &evaluations[index])
            for lane in 0..<lanes {
                let term = scale * evaluations[index].logDensity[lane] + offsets[index]
                evaluations[index].logDensity[lane] = term
                // A NaN must reach the result; a comparison alone would lose it.
                if term > highest[lane] || term.isNaN { highest[lane] = term }
            }
        }
        for index in components.indices {
            for lane in 0..<lanes {
                // Where no component has density all count alike, so that the score still points somewhere.
                let none = highest[lane] == -.infinity
                evaluations[index].logDensity[lane] =
                    none ? 0 : evaluations[index].logDensity[lane] - highest[lane]
            }
            Elementary.exp(inPlace: &evaluations[index].logDensity)
            for lane in 0..<lanes { total[lane] += evaluations[index].logDensity[lane] }
        }
        evaluation.score.scale(by: 0)
        for index in components.indices {
            for lane in 0..<lanes {
                evaluations[index].logDensity[lane] *= scale / total[lane]
            }
            evaluation.score.add(evaluations[index].score, weightedBy: evaluations[index].logDensity)
        }
        Elementary.log(inPlace: &total)
        for lane in 0..<lanes { evaluation.logDensity[lane] = highest[lane] + total[lane] }
    }
}
