import Composition
import EnergyModels
import Foundation
import RandomStreams
import RunFolder
import Testing
import VectorMath

@testable import Sampling

/// A mixture of pictures with a standard deviation of 0.2, or the product of it with another of the same pictures: a
/// mixture again, of which at level 0 those components are left that are a picture of both.
private struct Templates {
    static let count = 5
    static let deviation = 0.2
    static let weights = [[1.0, 2, 3, 4, 5], [4.0, 1, 3, 2, 2]]
    static let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 30))

    let dimension: Int
    let isProduct: Bool

    /// Patches of 16 pixels each between -0.5 and 0.5.
    var pictures: [[Double]] {
        let stream = RandomStream(seed: 1, firstChain: 0)
        return (0..<Self.count).map { picture in
            (0..<dimension).map { pixel in
                var uniform = [0.0]
                stream.fillUniforms(&uniform, purpose: .selection, level: picture, transition: pixel / 16)
                return uniform[0] - 0.5
            }
        }
    }

    func plan(_ settings: SamplerSettings, seed: UInt64, draws: Int = 1, thin: Int = 1) throws -> SamplingPlan {
        let means = pictures
        let models = Self.weights.map { weights in
            GaussianMixture(
                means: means,
                standardDeviations: means.map { $0.map { _ in Self.deviation } }, weights: weights)
        }
        let target: TargetExpression =
            isProduct ? .product([.leaf("one"), .leaf("two")], weights: [1, 1]) : .leaf("one")
        var settings = settings
        settings.start = .target
        return SamplingPlan(
            density: try target.density(models: ["one": models[0], "two": models[1]]), totalWeight: target.totalWeight,
            schedule: Self.schedule, settings: settings, seed: seed, lanes: 64, draws: draws, thin: thin)
    }

    /// Of the components at level 0.
    var shares: [Double] {
        let all = (0..<Self.count).map { Self.weights[0][$0] * (isProduct ? Self.weights[1][$0] : 1) }
        return all.map { $0 / all.reduce(0, +) }
    }

    /// Of the components at level 0, along each axis.
    var variance: Double {
        let level = Self.schedule.levels[0]
        return (level.signalVariance * Self.deviation * Self.deviation + level.noiseVariance) / (isProduct ? 2 : 1)
    }

    /// Log of the integral of the target at level 0; products of different pictures have none there.
    var logNormalizer: Double {
        guard isProduct else { return 0 }
        let sums = Self.weights.map { $0.reduce(0, +) }
        let both = (0..<Self.count).reduce(0.0) { $0 + Self.weights[0][$1] / sums[0] * Self.weights[1][$1] / sums[1] }
        // Of N(x; m, s^2)^2, with variance = s^2 / 2.
        return log(both) - Double(dimension) / 2 * log(8 * .pi * variance)
    }

    /// What is known of samples [dimension], each of one chain: which component is the nearest, how far off its mean they
    /// are along it in standard deviations, and the mean square over axes in variances.
    func features(_ x: ArraySlice<Float>, _ pictures: [[Double]]) -> [Double] {
        let signal = Self.schedule.levels[0].signal
        let squares = pictures.map { picture in
            zip(x, picture).reduce(0.0) { $0 + (Double($1.0) - signal * $1.1) * (Double($1.0) - signal * $1.1) }
        }
        let nearest = squares.indices.min { squares[$0] < squares[$1] } ?? 0
        let picture = pictures[nearest]
        let norm = picture.reduce(0) { $0 + $1 * $1 }.squareRoot()
        let along = zip(x, picture).reduce(0.0) { $0 + (Double($1.0) - signal * $1.1) * $1.1 } / norm
        return (0..<Self.count).map { $0 == nearest ? 1 : 0 }
            + [along / variance.squareRoot(), squares[nearest] / Double(dimension) / variance]
    }

    /// What these are on average.
    var expected: [Double] { shares + [0, 1] }

    /// Their standard deviations.
    var deviations: [Double] {
        shares.map { ($0 * (1 - $0)).squareRoot() } + [1, (2 / Double(dimension)).squareRoot()]
    }
}

@Suite("Many dimensions")
struct ManyDimensionsTests {
    private static func finished(_ plan: SamplingPlan, index: Int) throws -> BlockResult {
        var block = plan.block(index: index, chains: plan.lanes)
        while try block.advance() {}
        return block.result(chains: plan.lanes)
    }

    /// Settings with steps that a pilot block has found for the target.
    private static func tuned(_ settings: SamplerSettings, for templates: Templates) throws -> SamplerSettings {
        let pilot = try finished(try templates.plan(settings, seed: 30), index: 0)
        var settings = settings
        settings.kernel = settings.kernel.stepping(by: .perLevel(pilot.stepSizes))
        return settings
    }

    private static func steps(_ kind: SamplerSettings.Kind) -> StepSizes {
        .tuned(TuningSettings(targetAcceptance: kind.usualAcceptance ?? 0, pilots: 1))
    }

    // Seven numbers beyond 4 standard errors: a false alarm in 5e-4 of all cases, of which there are four.
    @Test(
        "Tuned HMC and MALA have the shares, means and variances of pictures in 768 dimensions",
        arguments: [SamplerSettings.Kind.hmc, .mala], [false, true])
    func chains(kind: SamplerSettings.Kind, isProduct: Bool) throws {
        let templates = Templates(dimension: 768, isProduct: isProduct)
        let isHMC = kind == .hmc
        let kernel: SamplerSettings.Kernel =
            isHMC
            ? .hmc(step: Self.steps(.hmc), leapfrog: LeapfrogSettings(steps: 3, damping: 0), acceptance: .energy)
            : .mala(step: Self.steps(.mala), acceptance: .energy)
        let settings = try Self.tuned(
            SamplerSettings(kernel: kernel, transitions: isHMC ? 4 : 15, levels: 0...29), for: templates)
        // Chains that have just come to level 0 still are a little wider than it is; the second draw has forgotten that.
        let plan = try templates.plan(settings, seed: 31, draws: 2, thin: isHMC ? 20 : 60)
        let pictures = templates.pictures
        let (lanes, blocks) = (64, 4)
        var sums = templates.expected.map { _ in 0.0 }
        var accepted = [Double](repeating: 0, count: 30)
        for index in 0..<blocks {
            let result = try Self.finished(plan, index: index)
            for chain in 0..<lanes {
                let start = (2 * chain + 1) * templates.dimension
                let x = result.samples[start..<start + templates.dimension]
                for (place, number) in templates.features(x, pictures).enumerated() { sums[place] += number }
            }
            for (place, part) in result.acceptance.enumerated() { accepted[place % 30] += Double(part) }
        }
        let count = Double(lanes * blocks)
        // At level 0 most of them are further transitions, of chains that are at rest and accept less than those on the way.
        #expect(accepted.allSatisfy { (0.2...0.95).contains($0 / count) }, "\(accepted.map { $0 / count })")
        for place in sums.indices {
            let error = templates.deviations[place] / count.squareRoot()
            let z = (sums[place] / count - templates.expected[place]) / error
            #expect(z.magnitude < 4, "\(place): \(sums[place] / count), not \(templates.expected[place]), z \(z)")
        }
    }

    // Eight z-scores from 16 blocks: beyond 5.2 in 1e-4 of all cases each, if they were normal; they are skewed.
    @Test("A population with bridges has them and the normaliser, in 192 dimensions", arguments: [false, true])
    func population(isProduct: Bool) throws {
        let templates = Templates(dimension: 192, isProduct: isProduct)
        var settings = SamplerSettings(
            kernel: .hmc(
                step: Self.steps(.hmc), leapfrog: LeapfrogSettings(steps: 3, damping: 0), acceptance: .energy),
            transitions: 1, levels: 0...29, population: PopulationSettings(threshold: 0.8, bridges: 16))
        settings = try Self.tuned(settings, for: templates)
        let plan = try templates.plan(settings, seed: 32, draws: 2, thin: 10)
        let pictures = templates.pictures
        var estimates = [[Double]](repeating: [], count: 1 + templates.expected.count)
        var bridges: Int32 = 0
        for index in 0..<16 {
            let result = try Self.finished(plan, index: index)
            let share = exp(result.logNormalizer - templates.logNormalizer)
            let weights = result.logWeights.map { exp($0) }
            var sums = templates.expected.map { _ in 0.0 }
            for chain in 0..<64 {
                let start = (2 * chain + 1) * templates.dimension
                let x = result.samples[start..<start + templates.dimension]
                for (place, number) in templates.features(x, pictures).enumerated() {
                    sums[place] += weights[chain] * (number - templates.expected[place])
                }
            }
            let total = weights.reduce(0, +)
            estimates[0].append(share - 1)
            for place in sums.indices { estimates[1 + place].append(share * sums[place] / total) }
            let crossed: [Int32] = result.statistics.values(of: "bridges")
            bridges += crossed.reduce(0, +)
            #expect(result.effectiveSizes.allSatisfy { $0 > 0.6 * 64 }, "\(result.effectiveSizes)")
        }
        for (place, numbers) in estimates.enumerated() { #expect(zScore(numbers).magnitude < 5.2, "\(place)") }
        #expect(bridges > 16 * 5)
        // And the normaliser is near, of a density that falls by hundreds of nats.
        let ratio = 1 + mean(estimates[0])
        #expect(log(ratio).magnitude < 2, "\(ratio)")
    }
}
