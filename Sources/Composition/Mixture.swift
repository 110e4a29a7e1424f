import EnergyModels
import VectorMath

/// `logsumexp(log p_i + l_i - z_i)` with normalised weights p_i and log normalisers z_i; its score is
/// the scores of the components, weighted by how likely each is to have made the point.
struct Mixture: Density {
    private let components: [any Density]
    private let offsets: [Double]
    let dimension: Int

    init(components: [any Density], weights: [Double], logNormalizers: [Double]) {
        precondition(!components.isEmpty && components.count == weights.count)
        precondition(logNormalizers.count == weights.count)
        self.components = components
        let total = weights.reduce(0, +)
        offsets = zip(weights, logNormalizers).map { Elementary.log($0 / total) - $1 }
        dimension = components[0].dimension
    }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            offsets: offsets,
            sum: LogSumEvaluator(components, dimension: dimension, lanes: lanes, at: level))
    }

    private struct Evaluator: DensityEvaluator {
        let offsets: [Double]
        var sum: LogSumEvaluator

        mutating func move(to level: NoiseLevel) { sum.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            sum.evaluate(at: x, scale: 1, offsets: offsets, into: &evaluation)
        }
    }
}

/// The released code's mixture, `logsumexp(tau sigma l_i) / sigma` with score tau times the weighted
/// scores: a tempered density that depends on the level, kept for comparison.
struct SharpenedMixture: Density {
    private let components: [any Density]
    private let sharpness: Double
    let dimension: Int

    init(components: [any Density], sharpness: Double) {
        precondition(!components.isEmpty)
        self.components = components
        self.sharpness = sharpness
        dimension = components[0].dimension
    }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            sharpness: sharpness, noise: level.noise, offsets: components.map { _ in 0 },
            sum: LogSumEvaluator(components, dimension: dimension, lanes: lanes, at: level))
    }

    private struct Evaluator: DensityEvaluator {
        let sharpness: Double
        var noise: Double
        let offsets: [Double]
        var sum: LogSumEvaluator

        mutating func move(to level: NoiseLevel) {
            noise = level.noise
            sum.move(to: level)
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            sum.evaluate(at: x, scale: sharpness * noise, offsets: offsets, into: &evaluation)
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] /= noise }
            evaluation.score.scale(by: 1 / noise)
        }
    }
}
