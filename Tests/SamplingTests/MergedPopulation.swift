import Composition
import EnergyModels
import Foundation
import Sampling
import Testing
import VectorMath

/// A target in the plane for populations on the cosine schedule.
struct PlaneTarget: Sendable, CustomTestStringConvertible {
    let name: String
    let expression: TargetExpression
    let models: [String: any Density]

    var testDescription: String { name }

    func density() throws -> any Density { try expression.density(models: models) }

    func plan(_ settings: SamplerSettings, seed: UInt64, lanes: Int) throws -> SamplingPlan {
        SamplingPlan(
            density: try density(), bounds: expression.bounds, schedule: cosineSchedule, settings: settings, seed: seed,
            lanes: lanes)
    }
}

/// Populations of a seed, merged.
struct MergedPopulation {
    let merge: PopulationMerge
    let results: [BlockResult]

    init(_ plan: SamplingPlan, blocks: Int) throws {
        results = try (0..<blocks).map { index in
            var block = ChainBlock(plan: plan, index: index)
            while try block.advance() {}
            return block.result(chains: plan.lanes)
        }
        merge = PopulationMerge(
            results.enumerated().map {
                .init(index: $0, logNormalizer: $1.logNormalizer, logWeights: $1.logWeights)
            })
    }

    /// All chains' points in the plane with their weights.
    var weighted: [WeightedPoint] {
        results.flatMap { result in
            let weights = result.logWeights.map { exp($0) }
            let share = exp(result.logNormalizer - merge.logNormalizer) / weights.reduce(0, +)
            return weights.enumerated().map { chain, weight in
                WeightedPoint(
                    x: Double(result.samples[2 * chain]), y: Double(result.samples[2 * chain + 1]),
                    weight: weight * share)
            }
        }
    }

    /// The chosen chains' points in the plane, weighted equally.
    func selected(_ count: Int, seed: UInt64) -> [WeightedPoint] {
        merge.selection(of: count, seed: seed).map { chosen in
            let samples = results[chosen.block].samples
            return WeightedPoint(
                x: Double(samples[2 * chosen.chain]), y: Double(samples[2 * chosen.chain + 1]), weight: 1)
        }
    }
}

/// What 20 seeds of 2 048 chains, in populations of one size, say of a target.
struct PopulationStudy {
    static let seeds: ClosedRange<UInt64> = 1...20
    static let chains = 2048

    let exact: LevelIntegral
    /// Per seed, of the selected chains.
    private(set) var variations: [Double] = []
    /// Per seed, of all chains with their weights.
    private(set) var weightedVariations: [Double] = []
    /// Per seed, the part of the selected that are the same chain as another one.
    private(set) var repeated: [Double] = []
    /// Per seed, the selected points.
    private(set) var points: [[WeightedPoint]] = []
    /// Per block of every seed, the estimated normaliser over the exact one.
    private(set) var ofBlocks: [Double] = []
    /// Per seed, the merged estimate over the exact normaliser.
    private(set) var ofSeeds: [Double] = []
    /// Per seed, the error of the logarithm in its stated standard errors.
    private(set) var deviations: [Double] = []

    init(_ target: PlaneTarget, _ settings: SamplerSettings, lanes: Int) throws {
        exact = try LevelIntegral(try target.density())
        for seed in Self.seeds {
            let run = try MergedPopulation(
                try target.plan(settings, seed: seed, lanes: lanes), blocks: Self.chains / lanes)
            let selected = run.selected(Self.chains, seed: seed)
            points.append(selected)
            variations.append(exact.totalVariation(selected))
            weightedVariations.append(exact.totalVariation(run.weighted))
            repeated.append(1 - Double(Set(selected.map { [$0.x, $0.y] }).count) / Double(Self.chains))
            ofBlocks += run.results.map { exp($0.logNormalizer - exact.logNormalizer) }
            let error = run.merge.logNormalizer - exact.logNormalizer
            ofSeeds.append(exp(error))
            deviations.append(error / run.merge.standardError)
        }
    }

    /// The mean total variation over that of as many independent exact samples.
    var excess: Double { mean(variations) / exact.noise(Self.chains) }

    /// Seeds with more than twice the total variation of independent exact samples.
    var above: Int { variations.filter { $0 > 2 * exact.noise(Self.chains) }.count }

    /// All figures, to be written down where they are told.
    var figures: String {
        String(
            format: "noise %.4f, TV %.4f (x %.2f), most %.4f, above %d; weighted %.4f; repeated %.2f; "
                + "z of blocks %.2f, sum of squares %.1f", exact.noise(Self.chains), mean(variations), excess,
            variations.max() ?? .nan, above, mean(weightedVariations), mean(repeated),
            zScore(ofBlocks, expected: 1), deviations.reduce(0) { $0 + $1 * $1 })
    }

    /// Whether the estimates of the normaliser are unbiased, and as uncertain as they say.
    func expectRightNormalizers() {
        // Of all populations of all seeds, 40 at the least: false alarm 2e-7, for 40 (Student's t with 39 degrees of
        // freedom) 7e-6.
        #expect(zScore(ofBlocks, expected: 1).magnitude < zThreshold, "\(figures)")
        // Of the 20 seeds' merged estimates, by Student's t with 19 degrees of freedom: beyond 6 with probability 9e-6.
        #expect(zScore(ofSeeds, expected: 1).magnitude < 6, "\(figures)")
        // 20 squares of nearly normal deviations, each of an error known from 32 populations (Student's t with 31 degrees
        // of freedom): outside with probability 4e-5. Fewer populations know their error too badly.
        if ofBlocks.count >= 640 {
            #expect((3...65).contains(deviations.reduce(0) { $0 + $1 * $1 }), "\(figures)")
        }
    }
}
