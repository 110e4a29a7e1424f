import EnergyModels
import VectorMath

/// A density between those of two neighbouring levels (geometric bridge; Neal 1993, Gelman and Meng 1998):
/// l(x) = (1 - p) l(x, above) + p l(x, below), its score composed alike.
///
/// From one level to the next the weights of a population spread the more the more dimensions there are. Any level that
/// models know can be bridged so, also by networks, which know no noise in between.
struct Bridge: DensityEvaluator {
    /// Stands at the level below after every evaluation.
    private var target: any DensityEvaluator
    private let above: NoiseLevel
    private let below: NoiseLevel
    /// p, the part of the way that is behind, above 0 and below 1.
    private let part: Double
    private var ofBelow: Evaluation

    init(
        _ target: any DensityEvaluator, from above: NoiseLevel, to below: NoiseLevel, part: Double,
        like evaluation: Evaluation
    ) {
        self.target = target
        self.above = above
        self.below = below
        self.part = part
        ofBelow = evaluation
    }

    /// How many evaluations of the target one of the bridge costs.
    static let evaluations = 2

    /// It has no levels of its own.
    mutating func move(to level: NoiseLevel) {}

    mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
        target.move(to: above)
        try target.evaluate(at: x, into: &evaluation)
        target.move(to: below)
        try target.evaluate(at: x, into: &ofBelow)
        evaluation.move(by: part, towards: ofBelow)
    }

    /// A step or a mass between those of the two levels, in proportion.
    static func between(_ above: Double, _ below: Double, part: Double) -> Double {
        Elementary.exp((1 - part) * Elementary.log(above) + part * Elementary.log(below))
    }
}

extension Evaluation {
    /// Goes the part p of the way to another evaluation at the same points, 0 < p < 1.
    mutating func move(by part: Double, towards other: Evaluation) {
        for lane in logDensity.indices {
            logDensity[lane] = (1 - part) * logDensity[lane] + part * other.logDensity[lane]
        }
        score.combine(part, other.score, keeping: 1 - part)
    }
}
