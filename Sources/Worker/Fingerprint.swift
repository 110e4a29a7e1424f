import Composition
import ContentHash
import EnergyModels
import Sampling
import VectorMath

/// What a worker's arithmetic comes out as. Workers of equal fingerprint compute equal bytes.
public enum Fingerprint {
    /// The first 16 hexadecimal digits of the SHA-256 of a small run that uses every kernel of the
    /// vector library, a network and a classifier.
    public static func probe() -> String {
        let ring = GaussianMixture(
            means: [[0.5, 0], [0, 0.5]], standardDeviations: [[0.1, 0.2], [0.3, 0.1]], weights: [1, 2])
        let bar = UniformBox(low: [-0.2, -1], high: [0.2, 1])
        let tilt = Gaussian(mean: [0.1, 0.2], covariance: [[1, 0.3], [0.3, 0.5]])
        let network = network(.energy)
        guard let classifier = self.network(.classifier).classifier else { return "" }
        var hash = SHA256()
        for kind in [SamplerSettings.Kind.hmc, .mala] {
            let settings = SamplerSettings(
                kind: kind, transitions: 2, leapfrogSteps: 2, damping: 0.5,
                stepSize: .betaPower(scale: 0.1, exponent: 0.5), reverseSteps: true, levels: 0...7)
            let product = TargetExpression.product(
                [
                    .mixture([.leaf("ring"), .leaf("tilt")], weights: [1, 2], logNormalizers: [0, 0]), .leaf("bar"),
                    .leaf("net"),
                ], weights: [1, 1, 0.1])
            let target = TargetExpression.classifier(of: product, by: "judge", label: 1, scale: 0.5)
            let models: [String: any Density] = ["ring": ring, "bar": bar, "tilt": tilt, "net": network.density()]
            guard let density = try? target.density(models: models, classifiers: ["judge": classifier]) else {
                return ""
            }
            let plan = SamplingPlan(
                density: density, schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 8)),
                settings: settings, seed: 1, lanes: 8)
            var block = ChainBlock(plan: plan, index: 0)
            while block.advance() {}
            hash.update(Array("\(block.state.position.elements) \(block.state.evaluation.logDensity)".utf8))
        }
        return String(hash.finalize().hex.prefix(16))
    }

    /// A small network, or a classifier of three labels, with fixed weights.
    private static func network(_ kind: NetworkDescription.Architecture.Kind) -> Network {
        let architecture = NetworkDescription.Architecture(
            kind: kind, dimension: 2, hidden: 24, widen: 2, blocks: 1, embedding: 5, levels: 8,
            classes: kind == .classifier ? 3 : nil)
        return Network(
            description: NetworkDescription(
                architecture: architecture, energy: kind == .energy ? .init(kind: .denoising) : nil,
                schedule: .init(kind: .cosine, levels: 8)),
            parameters: architecture.parameters.map { parameter in
                (0..<parameter.shape.reduce(1, *)).map { index -> Float in Float(index * 37 % 101 - 50) * 0.01 }
            })
    }
}
