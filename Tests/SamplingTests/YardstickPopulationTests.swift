import Composition
import EnergyModels
import Foundation
import Sampling
import Testing

/// The tasks of the 2023 paper's experiments in the plane, by exact densities.
enum Yardstick {
    static let product = PlaneTarget(
        name: "product", expression: .product([.leaf("ring"), .leaf("bar")], weights: [1, 1]),
        models: [
            "ring": GaussianMixture(
                means: RingAndBar.centres, standardDeviations: RingAndBar.centres.map { _ in [0.03, 0.03] },
                weights: RingAndBar.centres.map { _ in 1 }),
            "bar": UniformBox(low: [-0.2, -1], high: [0.2, 1]),
        ])
    static let mixture = PlaneTarget(
        name: "mixture",
        expression: .mixture([.leaf("left"), .leaf("right")], weights: [1, 1], logNormalizers: [0, 0]),
        models: [
            "left": UniformBox(low: [-0.3, -1], high: [-0.1, 1]), "right": UniformBox(low: [0.1, -1], high: [0.3, 1]),
        ])
    static let negation = PlaneTarget(
        name: "negation", expression: .product([.leaf("outer"), .leaf("inner")], weights: [1.3, -0.3]),
        models: [
            "outer": UniformBox(low: [-0.7, -0.7], high: [0.7, 0.7]),
            "inner": UniformBox(low: [-0.3, -0.3], high: [0.3, 0.3]),
        ])

    /// MALA with a step of about 0.8 sigma_t^2, from level 27 on, where the modes have not yet parted: 196 gradients a
    /// chain.
    static let settings = SamplerSettings(
        kind: .mala, transitions: 6, stepSize: .betaPower(scale: 300, exponent: 1.8), levels: 0...27,
        population: PopulationSettings(threshold: 0.8))

    /// HMC, 200 gradients a chain.
    static let hamiltonian = SamplerSettings(
        kind: .hmc, transitions: 3, leapfrogSteps: 3, stepSize: .betaPower(scale: 13.5, exponent: 0.9), levels: 0...19,
        population: PopulationSettings(threshold: 0.8))

    /// One small step of the same size on every level, 200 gradients a chain.
    static let constantStep = SamplerSettings(
        kind: .mala, transitions: 1, stepSize: .constant(0.003), levels: 0...99,
        population: PopulationSettings(threshold: 0.5))
}

// The mean total variation (TV) of 2 048 chains from the exact density, that of as many independent exact samples
// ("noise"), and of how many seeds it is over twice the noise; where there are 400 or more, of seeds that had no part in
// the choice of the settings:
//
//                    noise    populations of 64             256              1 024            HMC, 64
//   product          0.0184   0.0236, 88 of 1 000 seeds     0.0230, 30/400   0.0222, 24/400   0.0243, 45/400
//   mixture          0.0573   0.0645, 0/400                 0.0631, 0/20     0.0615, 0/20     0.0682, 0/20
//   negation         0.0326   0.0484, 107 of 1 000 seeds    0.0463, 27/400   0.0446, 24/400   0.0465, 31/400
//
// What is left over the noise is how many chains end in each of the modes, which part long before the last level: with 60
// transitions a level, which is equilibrium on each of them, it is as much (0.0239 and 0.0447). Of the selected chains
// 9 to 12, 4 to 5 and 2 % are the same as another one; by all chains with their weights instead of the selected TV is
// 0.0225 for 0.0236, 0.0620 for 0.0645, and 0.0473 for 0.0484. The log likelihood of the product is 2.761, a seed's varies
// by 0.04.
@Suite("Populations on the yardsticks")
struct YardstickPopulationTests {
    private static let cases: [(PlaneTarget, SamplerSettings, Int)] =
        [Yardstick.product, Yardstick.mixture, Yardstick.negation].flatMap { target in
            [64, 256, 1024].map { (target, Yardstick.settings, $0) }
        } + [(Yardstick.product, Yardstick.hamiltonian, 64)]

    // False alarms: the mean of 20 seeds is 5.5 standard errors below its bound at the least, 2e-8; ten seeds of 20 above
    // where 11 % are, 1e-5.
    @Test("Merged populations reach the last level's density, and their normaliser is unbiased", arguments: cases)
    fileprivate func quality(target: PlaneTarget, settings: SamplerSettings, lanes: Int) throws {
        let study = try PopulationStudy(target, settings, lanes: lanes)
        #expect(study.excess < 2, "\(study.figures)")
        #expect(study.above < 10, "\(study.figures)")
        // Duplicates add little.
        #expect(mean(study.variations) < 1.1 * mean(study.weightedVariations))
        #expect(mean(study.repeated) < (lanes == 64 ? 0.2 : 0.1))
        study.expectRightNormalizers()
        if target.name == Yardstick.product.name {
            // The means of 20 seeds vary by 0.009 and by 0.002.
            let likelihoods = study.points.map { points in
                let inside = points.filter { max($0.x.magnitude, $0.y.magnitude) <= 1.1 }
                return mean(inside.map { RingAndBar.logRatio($0.x, $0.y) })
            }
            #expect((mean(likelihoods) - 2.75).magnitude < 0.1)
            let near = study.points.flatMap { $0 }.filter { hypot($0.x, $0.y.magnitude - 0.5) < 0.09 }.count
            #expect((Double(near) / Double(20 * PopulationStudy.chains) - 0.93).magnitude < 0.015)
        }
    }

    @Test("A step that does not follow the noise leaves the negation off by more than the bound")
    func constantStep() throws {
        // Measured 2.98 times the noise.
        let study = try PopulationStudy(Yardstick.negation, Yardstick.constantStep, lanes: 64)
        #expect(study.excess > 2.5, "\(study.figures)")
    }
}
