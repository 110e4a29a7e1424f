import EnergyModels
import VectorMath

/// `logsumexp(log p_i + l_i - z_i)` with normalised weights p_i and log normalisers z_i; its score is
/// the scores of the components, weighted by how likely each is to have made the point.
struct Mixture: Density {
    private let components: [any Density]
    private let logWeights: [Double]
    private let logNormalizers: [LogNormalizer]
    let shape: PointShape

    init(components: [any Density], weights: [Double], logNormalizers: [LogNormalizer]) {
        precondition(!components.isEmpty && components.count == weights.count)
        precondition(logNormalizers.count == weights.count)
        self.components = components
        self.logNormalizers = logNormalizers
        let total = weights.reduce(0, +)
        logWeights = weights.map { Elementary.log($0 / total) }
        shape = components[0].shape
    }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            mixture: self, offsets: offsets(at: level),
            sum: LogSumEvaluator(components, dimension: dimension, lanes: lanes, at: level))
    }

    private func offsets(at level: NoiseLevel) -> [Double] {
        zip(logWeights, logNormalizers).map { $0 - $1.value(at: level.index) }
    }

    private struct Evaluator: DensityEvaluator {
        let mixture: Mixture
        var offsets: [Double]
        var sum: LogSumEvaluator

        mutating func move(to level: NoiseLevel) {
            offsets = mixture.offsets(at: level)
            sum.move(to: level)
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            sum.evaluate(at: x, scale: 1, offsets: offsets, into: &evaluation)
        }
    }
}

/// The released code's mixture, `logsumexp(tau sigma (l_i - z_i)) / sigma` with score tau times the weighted
/// scores: a tempered density that depends on the level, kept for comparison. The released code has no z_i.
struct SharpenedMixture: Density {
    private let components: [any Density]
    private let sharpness: Double
    private let logNormalizers: [LogNormalizer]
    let shape: PointShape

    init(components: [any Density], sharpness: Double, logNormalizers: [LogNormalizer]) {
        precondition(!components.isEmpty && components.count == logNormalizers.count)
        self.components = components
        self.logNormalizers = logNormalizers
        self.sharpness = sharpness
        shape = components[0].shape
    }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            mixture: self, noise: level.noise, offsets: offsets(at: level),
            sum: LogSumEvaluator(components, dimension: dimension, lanes: lanes, at: level))
    }

    private func offsets(at level: NoiseLevel) -> [Double] {
        logNormalizers.map { -sharpness * level.noise * $0.value(at: level.index) }
    }

    private struct Evaluator: DensityEvaluator {
        let mixture: SharpenedMixture
        var noise: Double
        var offsets: [Double]
        var sum: LogSumEvaluator

        mutating func move(to level: NoiseLevel) {
            noise = level.noise
            offsets = mixture.offsets(at: level)
            sum.move(to: level)
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            sum.evaluate(at: x, scale: mixture.sharpness * noise, offsets: offsets, into: &evaluation)
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] /= noise }
            evaluation.score.scale(by: 1 / noise)
        }
    }
}
