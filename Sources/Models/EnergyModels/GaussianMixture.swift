import VectorMath

/// A mixture of axis-aligned Gaussians, exact at every noise level: component k noised to level t
/// has centre sqrt(abar) mu_k and variances abar std_k^2 + sigma^2.
package struct GaussianMixture: Density {
    /// The shape of a point.
    package let shape: PointShape
    private let means: [[Double]]
    private let variances: [[Double]]
    private let logWeights: [Double]

    /// - Parameters:
    ///   - means: [K][d].
    ///   - standardDeviations: [K][d], above zero.
    ///   - weights: [K], above zero; normalised here.
    ///   - shape: of a point with d coordinates; nil for [d].
    package init(means: [[Double]], standardDeviations: [[Double]], weights: [Double], shape: PointShape? = nil) {
        precondition(!means.isEmpty && means.count == standardDeviations.count && means.count == weights.count)
        self.shape = shape ?? PointShape(dimension: means[0].count)
        precondition(self.shape.dimension == means[0].count)
        self.means = means
        variances = standardDeviations.map { $0.map { $0 * $0 } }
        let total = weights.reduce(0, +)
        logWeights = weights.map { Elementary.log($0 / total) }
    }

    /// An evaluator for blocks of `lanes` chains that stands at `level`.
    package func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(mixture: self, lanes: lanes, level: level)
    }

    private struct Evaluator: DensityEvaluator {
        let mixture: GaussianMixture
        var means: [Double] = []
        var inverseVariances: [Double] = []
        var logCoefficients: [Double] = []
        var scratch: [Double]

        init(mixture: GaussianMixture, lanes: Int, level: NoiseLevel) {
            self.mixture = mixture
            scratch = [Double](repeating: 0, count: mixture.means.count * lanes)
            move(to: level)
        }

        mutating func move(to level: NoiseLevel) {
            means = mixture.means.flatMap { $0.map { $0 * level.signal } }
            let noised = mixture.variances.map { $0.map { level.signalVariance * $0 + level.noiseVariance } }
            inverseVariances = noised.flatMap { $0.map { 1 / $0 } }
            logCoefficients = zip(mixture.logWeights, noised).map { logWeight, variances in
                variances.reduce(logWeight) { $0 - 0.5 * Elementary.log(2 * .pi * $1) }
            }
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            LaneDensities.gaussianMixture(
                at: x, means: means, inverseVariances: inverseVariances, logCoefficients: logCoefficients,
                logDensity: &evaluation.logDensity, score: &evaluation.score, scratch: &scratch)
        }
    }
}
