import Composition
import ContentHash
import EnergyModels
import Sampling
import VectorMath

/// What a worker's arithmetic comes out as. Workers of equal fingerprint compute equal bytes.
public enum Fingerprint {
    /// The first 16 hexadecimal digits of the SHA-256 of a small run that uses every kernel of the
    /// vector library.
    public static func probe() -> String {
        let ring = GaussianMixture(
            means: [[0.5, 0], [0, 0.5]], standardDeviations: [[0.1, 0.2], [0.3, 0.1]], weights: [1, 2])
        let bar = UniformBox(low: [-0.2, -1], high: [0.2, 1])
        let tilt = Gaussian(mean: [0.1, 0.2], covariance: [[1, 0.3], [0.3, 0.5]])
        var hash = SHA256()
        for kind in [SamplerSettings.Kind.hmc, .mala] {
            let settings = SamplerSettings(
                kind: kind, transitions: 2, leapfrogSteps: 2, damping: 0.5,
                stepSize: .betaPower(scale: 0.1, exponent: 0.5), reverseSteps: true, levels: 0...7)
            let target = TargetExpression.product(
                [.mixture([.leaf("ring"), .leaf("tilt")], weights: [1, 2], logNormalizers: [0, 0]), .leaf("bar")],
                weights: [1, 1])
            guard let density = try? target.density(models: ["ring": ring, "bar": bar, "tilt": tilt]) else { return "" }
            let plan = SamplingPlan(
                density: density, schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 8)),
                settings: settings, seed: 1, lanes: 8)
            var block = ChainBlock(plan: plan, index: 0)
            while block.advance() {}
            hash.update(Array("\(block.state.position.elements) \(block.state.evaluation.logDensity)".utf8))
        }
        return String(hash.finalize().hex.prefix(16))
    }
}
