import EnergyModels
import VectorMath

/// `logsumexp(log p_i + l_i - z_i)` with normalised weights p_i and log normalisers z_i; its score is
/// the scores of the components, weighted by how likely each is to have made the point.
struct Mixture: Combination {
    private let components: [Operand]
    private let logWeights: [Double]
    private let logNormalizers: [LogNormalizer]

    init(components: [Operand], weights: [Double], logNormalizers: [LogNormalizer]) {
        precondition(!components.isEmpty && components.count == weights.count)
        precondition(logNormalizers.count == weights.count)
        self.components = components
        self.logNormalizers = logNormalizers
        let total = weights.reduce(0, +)
        logWeights = weights.map { Elementary.log($0 / total) }
    }

    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator {
        Evaluator(
            mixture: self, offsets: offsets(at: level),
            sum: LogSumEvaluator(components, dimension: dimension, lanes: lanes, at: level))
    }

    private func offsets(at level: NoiseLevel) -> [Double] {
        zip(logWeights, logNormalizers).map { $0 - $1.value(at: level.index) }
    }

    private struct Evaluator: CombinationEvaluator {
        let mixture: Mixture
        var offsets: [Double]
        var sum: LogSumEvaluator

        mutating func move(to level: NoiseLevel) {
            offsets = mixture.offsets(at: level)
            sum.move(to: level)
        }

        mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation) {
            sum.evaluate(at: x, leaves: leaves, scale: 1, offsets: offsets, into: &evaluation)
        }
    }
}

/// The released code's mixture, `logsumexp(tau sigma (l_i - z_i)) / sigma` with score tau times the weighted
/// scores: a tempered density that depends on the level, kept for comparison. The released code has no z_i.
struct SharpenedMixture: Combination {
    private let components: [Operand]
    private let sharpness: Double
    private let logNormalizers: [LogNormalizer]

    init(components: [Operand], sharpness: Double, logNormalizers: [LogNormalizer]) {
        precondition(!components.isEmpty && components.count == logNormalizers.count)
        self.components = components
        self.logNormalizers = logNormalizers
        self.sharpness = sharpness
    }

    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator {
        Evaluator(
            mixture: self, noise: level.noise, offsets: offsets(at: level),
            sum: LogSumEvaluator(components, dimension: dimension, lanes: lanes, at: level))
    }

    private func offsets(at level: NoiseLevel) -> [Double] {
        logNormalizers.map { -sharpness * level.noise * $0.value(at: level.index) }
    }

    private struct Evaluator: CombinationEvaluator {
        let mixture: SharpenedMixture
        var noise: Double
        var offsets: [Double]
        var sum: LogSumEvaluator

        mutating func move(to level: NoiseLevel) {
            noise = level.noise
            offsets = mixture.offsets(at: level)
            sum.move(to: level)
        }

        mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation) {
            sum.evaluate(
                at: x, leaves: leaves, scale: mixture.sharpness * noise, offsets: offsets, into: &evaluation)
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] /= noise }
            evaluation.score.scale(by: 1 / noise)
        }
    }
}
