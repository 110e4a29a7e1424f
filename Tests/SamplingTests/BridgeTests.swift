import Composition
import EnergyModels
import Foundation
import RunFolder
import Testing

@testable import Sampling

/// A product of two Gaussians of standard deviations 0.2 and 0.3 about the origin in 64 dimensions, on so few levels that
/// from one to the next the weights of a population spread over many nats.
private enum WideJumps {
    static let dimension = 64
    static let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 6))
    static let variances = [0.04, 0.09]

    /// Of the product at level 0: each axis counts alike.
    static var logNormalizer: Double {
        let level = schedule.levels[0]
        let sum = variances.reduce(0) { $0 + level.signalVariance * $1 + level.noiseVariance }
        return -0.5 * Double(dimension) * log(2 * .pi * sum)
    }

    static func plan(bridges: Int, threshold: Double = 0.5, seed: UInt64 = 4) throws -> SamplingPlan {
        let models = variances.map { variance in
            Gaussian(
                mean: [Double](repeating: 0, count: dimension),
                covariance: (0..<dimension).map { row in (0..<dimension).map { $0 == row ? variance : 0 } })
        }
        let density = try TargetExpression.product([.leaf("one"), .leaf("two")], weights: [1, 1])
            .density(models: ["one": models[0], "two": models[1]])
        var settings = SamplerSettings(
            kind: .hmc, transitions: 2, leapfrogSteps: 3, damping: 0.3, stepSize: .noisePower(scale: 0.25, exponent: 1),
            levels: 0...5,
            population: PopulationSettings(threshold: threshold, bridges: bridges))
        settings.start = .target
        return SamplingPlan(
            density: density, totalWeight: 2, schedule: schedule, settings: settings, seed: seed, lanes: 64)
    }

    static func result(_ plan: SamplingPlan, index: Int) throws -> BlockResult {
        var block = ChainBlock(plan: plan, index: index)
        while try block.advance() {}
        return block.result(chains: plan.lanes)
    }
}

@Suite("Bridges between levels")
struct BridgeTests {
    // 12 z-scores of a false alarm of 2e-7 each.
    @Test(
        "With bridges at equal distances normaliser and moments stay unbiased",
        arguments: [(SamplerSettings.Kind.mala, 0.3, 2), (.hmc, 0.5, 3)])
    func unbiased(kind: SamplerSettings.Kind, stepSize: Double, bridges: Int) throws {
        let plain = try GaussianProduct.plan(kind, threshold: 1, stepSize: stepSize, damping: 0.9)
        var settings = plain.settings
        // No effective size reaches a threshold of 1, so that all bridges are crossed and none is where chains say.
        settings.population = PopulationSettings(threshold: 1, bridges: bridges)
        let plan = SamplingPlan(
            density: plain.density, schedule: plain.schedule, settings: settings, seed: 5, lanes: plain.lanes)
        let crossed: [Int32] = try WideJumps.result(plan, index: 0).statistics.values(of: "bridges")
        #expect(crossed == [Int32](repeating: Int32(bridges), count: 11) + [0])
        let result = try GaussianProduct.worst(1000) { try PopulationEnd(of: plan, index: $0) }
        #expect(result.z < zThreshold, "\(result.name)")
    }

    @Test("Where levels lie too far apart bridges keep the effective size up")
    func held() throws {
        let blocks = 16
        var errors: [[Double]] = []
        for bridges in [0, 16] {
            let plan = try WideJumps.plan(bridges: bridges)
            errors.append(
                try (0..<blocks).map { index in
                    let result = try WideJumps.result(plan, index: index)
                    let sizes = result.effectiveSizes
                    if bridges == 0 {
                        #expect((sizes.min() ?? 64) < 8)
                    } else {
                        let crossed: [Int32] = result.statistics.values(of: "bridges")
                        // A bridge that must not be too near may take it a little below the threshold.
                        #expect(sizes.allSatisfy { $0 > 12 }, "\(sizes)")
                        #expect(crossed.allSatisfy { $0 < 16 } && crossed.reduce(0, +) > 5, "\(crossed)")
                        let most = plan.settings.mostEvaluations(levels: 6, draws: 1, thin: 1)
                        #expect(Double(result.gradientEvaluations) <= 64 * most)
                    }
                    return result.logNormalizer - WideJumps.logNormalizer
                })
        }
        // With 15 degrees of freedom t is beyond 7 in 4e-6 of all cases.
        #expect(zScore(errors[1]).magnitude < 7)
        // Without them it is far off: few chains carry all the weight.
        #expect(mean(errors[1].map(\.magnitude)) < 0.6 * mean(errors[0].map(\.magnitude)))
    }

    @Test("A population that needs no bridge is the same with and without")
    func unneeded() throws {
        let plain = try GaussianProduct.plan(.mala, threshold: 0.05, stepSize: 0.3, damping: 0, lanes: 64)
        var settings = plain.settings
        settings.population?.bridges = 8
        let bridged = SamplingPlan(
            density: plain.density, schedule: plain.schedule, settings: settings, seed: plain.seed, lanes: 64)
        let (one, other) = (try WideJumps.result(plain, index: 1), try WideJumps.result(bridged, index: 1))
        let crossed: [Int32] = other.statistics.values(of: "bridges")
        #expect(crossed.allSatisfy { $0 == 0 })
        #expect(one.sampleBytes == other.sampleBytes && one.gradientEvaluations == other.gradientEvaluations)
    }

    @Test("Bridges that are too few for the threshold lie at equal distances")
    func tooFew() {
        var population = Population(PopulationSettings(threshold: 0.9, bridges: 3), chains: 8)
        let (before, after) = ([Double](repeating: 0, count: 8), (0..<8).map { -100 * Double($0) })
        #expect(population.part(from: before, to: after, bridges: 3) == 0.25)
        #expect(population.part(from: before, to: after, bridges: 1) == 0.5)
        #expect(population.part(from: before, to: after, bridges: 0) == 1)
        let parents = population.cross(from: before, to: after, part: 0.25, uniform: 0.5)
        #expect(parents == [Int](repeating: 0, count: 8))
        #expect((population.logCollected + log(8)).magnitude < 1e-9)
    }

    @Test("A pilot block with bridges finds steps with which the target part is accepted")
    func pilot() throws {
        var settings = try WideJumps.plan(bridges: 16).settings
        settings.kernel = .hmc(
            step: .tuned(TuningSettings(targetAcceptance: 0.8, pilots: 1)), leapfrog: LeapfrogSettings(steps: 3),
            acceptance: .energy)
        let plain = try WideJumps.plan(bridges: 16)
        let plan = SamplingPlan(
            density: plain.density, totalWeight: 2, schedule: plain.schedule, settings: settings, seed: 6, lanes: 64)
        var pilot = PilotBlock(plan: plan, index: 0, chains: 64)
        while try pilot.advance() {}
        let found = pilot.result(chains: 64)
        settings.kernel = settings.kernel.stepping(by: .perLevel(found.stepSizes))
        let job = SamplingPlan(
            density: plain.density, totalWeight: 2, schedule: plain.schedule, settings: settings, seed: 7, lanes: 64)
        let result = try WideJumps.result(job, index: 0)
        let accepted = (0..<6).map { level in
            mean((0..<64).map { Double(result.acceptance[$0 * 6 + level]) })
        }
        // A mean of 128 decisions; it is off by 0.035 on average.
        #expect(accepted.allSatisfy { ($0 - 0.8).magnitude < 0.2 }, "\(accepted)")
    }
}

@Suite("The start of chains")
struct StartTests {
    @Test("Chains that start as the target weigh the same where all models are the noise")
    func equalWeights() throws {
        let normal = standardNormal(40)
        let density = try TargetExpression.product([.leaf("one"), .leaf("two")], weights: [2, 0.5])
            .density(models: ["one": normal, "two": normal])
        func sizes(_ start: SamplerSettings.Start) throws -> (size: Float, logNormalizer: Double) {
            var settings = SamplerSettings(
                kind: .mala, transitions: 1, stepSize: .constant(0.01), levels: 11...11,
                population: PopulationSettings(threshold: 0.5))
            settings.start = start
            let plan = SamplingPlan(
                density: density, totalWeight: 2.5, schedule: GaussianProduct.schedule, settings: settings, seed: 8,
                lanes: 64)
            let result = try WideJumps.result(plan, index: 0)
            return (result.effectiveSizes[11], result.logNormalizer)
        }
        let target = try sizes(.target)
        #expect((target.size - 64).magnitude < 1e-3)
        // The integral of N(x)^W is (2 pi)^(d (1 - W) / 2) W^(-d / 2).
        let exact = 20 * (-1.5 * log(2 * .pi) - log(2.5))
        #expect((target.logNormalizer - exact).magnitude < 1e-9)
        #expect(try sizes(.normal).size < 16)
    }

    // Two z-scores of a false alarm of 2e-7.
    @Test("Within bounds they are weighted by the density that they then have")
    func bounds() throws {
        let (low, high) = ([-0.3, -1.0], [0.2, 4.0])
        let expression = TargetExpression.bounded(
            of: .product([.leaf("normal")], weights: [4]), low: .init(low), high: .init(high))
        let density = try expression.density(models: ["normal": standardNormal(2)])
        var settings = SamplerSettings(
            kind: .mala, transitions: 1, stepSize: .constant(1e-60), levels: 4...4,
            population: PopulationSettings(threshold: 0.5))
        settings.start = .target
        let plan = SamplingPlan(
            density: density, totalWeight: 4, bounds: expression.bounds, schedule: GaussianProduct.schedule,
            settings: settings, seed: 8, lanes: 64)
        let normalizers = try (0..<400).map { try exp(WideJumps.result(plan, index: $0).logNormalizer) }
        func below(_ x: Double) -> Double { 0.5 * erfc(-2 * x / 2.0.squareRoot()) }
        // Of N(x)^4 in the box: (2 pi)^-3 / 4 times what N(0, 1/4) has there along each of the two axes.
        let inside = (0..<2).reduce(1.0) { $0 * (below(high[$1]) - below(low[$1])) }
        let exact = pow(2 * Double.pi, -3) / 4 * inside
        #expect(zScore(normalizers, expected: exact).magnitude < zThreshold)
    }
}
