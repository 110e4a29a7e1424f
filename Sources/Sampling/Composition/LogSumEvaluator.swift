import EnergyModels
import VectorMath

/// `logsumexp(scale * l_i + offset_i)` over components, and its gradient.
struct LogSumEvaluator {
    private var components: [OperandEvaluator]
    /// By component and lane: first the terms of the sum, then their parts in the score.
    private var terms: [[Double]]
    private var highest: [Double]
    private var total: [Double]

    init(_ components: [Operand], dimension: Int, lanes: Int, at level: NoiseLevel) {
        self.components = components.map { OperandEvaluator($0, dimension: dimension, lanes: lanes, at: level) }
        highest = [Double](repeating: 0, count: lanes)
        total = highest
        terms = components.map { _ in [Double](repeating: 0, count: lanes) }
    }

    mutating func move(to level: NoiseLevel) {
        for index in components.indices { components[index].move(to: level) }
    }

    mutating func evaluate(
        at x: LaneMatrix, leaves: [Evaluation], scale: Double, offsets: [Double], into evaluation: inout Evaluation
    ) {
        let lanes = x.lanes
        for lane in 0..<lanes { (highest[lane], total[lane]) = (-.infinity, 0) }
        for index in components.indices {
            let component = components[index].evaluation(at: x, leaves: leaves)
            for lane in 0..<lanes {
                let term = scale * component.logDensity[lane] + offsets[index]
                terms[index][lane] = term
                // A NaN must reach the result; a comparison alone would lose it.
                if term > highest[lane] || term.isNaN { highest[lane] = term }
            }
        }
        for index in components.indices {
            for lane in 0..<lanes {
                // Where no component has density all count alike, so that the score still points somewhere.
                let none = highest[lane] == -.infinity
                terms[index][lane] = none ? 0 : terms[index][lane] - highest[lane]
            }
            Elementary.exp(inPlace: &terms[index])
            for lane in 0..<lanes { total[lane] += terms[index][lane] }
        }
        evaluation.score.scale(by: 0)
        for index in components.indices {
            for lane in 0..<lanes { terms[index][lane] *= scale / total[lane] }
            evaluation.score.add(components[index].last(leaves).score, weightedBy: terms[index])
        }
        Elementary.log(inPlace: &total)
        for lane in 0..<lanes { evaluation.logDensity[lane] = highest[lane] + total[lane] }
    }
}
