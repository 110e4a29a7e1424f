import Composition
import EnergyModels
import Foundation
import Sampling
import Testing

private let ring: any Density = {
    let centres = (0..<8).map { index in
        let angle = 2 * Double.pi * Double(index) / 8
        return [0.7 * cos(angle), 0.7 * sin(angle)]
    }
    return GaussianMixture(
        means: centres, standardDeviations: centres.map { _ in [0.12, 0.12] }, weights: (1...8).map { Double($0) })
}()

private let models: [String: any Density] = [
    "ring": ring,
    "box": UniformBox(low: [-0.9, -1.0], high: [0.3, 0.8]),
    "tilted": Gaussian(mean: [0.2, 0.3], covariance: [[0.4, 0.25], [0.25, 0.3]]),
    "left": Gaussian(mean: [-0.4, 0.1], covariance: [[0.09, -0.04], [-0.04, 0.16]]),
    "right": Gaussian(mean: [0.3, 0.2], covariance: [[0.2, 0.1], [0.1, 0.1]]),
    "low": Gaussian(mean: [0.1, -0.4], covariance: [[0.3, 0], [0, 0.05]]),
    "wide": Gaussian(mean: [0, 0.1], covariance: [[0.8, 0], [0, 0.6]]),
    "centre": Gaussian(mean: [0.1, 0], covariance: [[0.06, 0.02], [0.02, 0.09]]),
]

private let threeFactors = PlaneTarget(
    name: "three factors",
    expression: .product([.leaf("ring"), .leaf("box"), .leaf("tilted")], weights: [1, 1, 0.7]), models: models)

/// Components over one another; its normaliser is the sum of p_i exp(-z_i).
private let overlapping = PlaneTarget(
    name: "overlapping Gaussians",
    expression: .mixture(
        [.leaf("left"), .leaf("right"), .leaf("low")], weights: [1, 2, 5], logNormalizers: [0.7, -0.4, 0.2]),
    models: models)

private let bounded = PlaneTarget(
    name: "weights 2 and -0.5 within bounds",
    expression: .bounded(
        of: .product(
            [.mixture([.leaf("left"), .leaf("right")], weights: [1, 3], logNormalizers: [0, 0]), .leaf("centre")],
            weights: [2, -0.5]), low: [-1.2, -0.8], high: [0.9, 1.1]),
    models: models)

private let nested = PlaneTarget(
    name: "nested three deep",
    expression: .product(
        [
            .mixture(
                [.product([.leaf("ring"), .leaf("wide")], weights: [1, 1]), .leaf("box")], weights: [0.3, 0.7],
                logNormalizers: [-1, 0]),
            .tempered(of: .negation(of: .leaf("wide"), by: .leaf("centre"), weight: 0.1), temperature: 1.5),
        ], weights: [1, 1]),
    models: models)

/// MALA with steps that follow the noise, three transitions on each of the levels under 50: 200 gradients a chain.
private let settings = SamplerSettings(
    kind: .mala, transitions: 3, stepSize: .perLevel(cosineSchedule.levels.map { 0.4 * $0.noiseVariance }),
    levels: 0...49, population: PopulationSettings(threshold: 0.8))

@Suite("Populations on compositions")
struct ComposedPopulationTests {
    // Measured total variation over that of independent exact samples: three factors 0.0620 over 0.0547, overlapping
    // Gaussians 0.1003 over 0.0912, within bounds 0.0789 over 0.0683, nested 0.0864 over 0.0767; none of the 80 seeds is
    // above twice the noise.
    @Test(
        "Populations reach the density of the composition, and estimate its normaliser without bias",
        arguments: [threeFactors, overlapping, bounded, nested])
    fileprivate func quality(target: PlaneTarget) throws {
        let study = try PopulationStudy(target, settings, lanes: 64)
        #expect(study.excess < 1.6, "\(study.figures)")
        #expect(study.exact.cells.last.map { $0 < 0.02 } == true)
        study.expectRightNormalizers()
    }

    @Test("A mixture's normaliser is the sum of its weights over its components' normalisers")
    func closedForm() throws {
        let sum = (exp(-0.7) + 2 * exp(0.4) + 5 * exp(-0.2)) / 8
        #expect(try (LevelIntegral(try overlapping.density()).logNormalizer - log(sum)).magnitude < 1e-3)
    }
}
