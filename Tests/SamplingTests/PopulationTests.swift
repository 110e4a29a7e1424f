import Composition
import EnergyModels
import Foundation
import Sampling
import Testing
import VectorMath

private func finished(_ plan: SamplingPlan, index: Int = 0, chains: Int? = nil) throws -> ChainBlock {
    var block = ChainBlock(plan: plan, index: index, chains: chains)
    while try block.advance() {}
    return block
}

/// A plan whose levels are those of `schedule` and whose transitions do nothing to speak of.
private func plan(
    of density: any Density, bounds: Bounds? = nil, threshold: Double = 0.5, stepSize: Double = 1e-60,
    levels: ClosedRange<Int> = 0...11, lanes: Int = 64
) -> SamplingPlan {
    SamplingPlan(
        density: density, bounds: bounds, schedule: GaussianProduct.schedule,
        settings: SamplerSettings(
            kind: .mala, transitions: 1, stepSize: .constant(stepSize), levels: levels,
            population: PopulationSettings(threshold: threshold)),
        seed: 8, lanes: lanes)
}

// Every z-score here has the false alarm 2e-7 of zThreshold; there are 12 in a call of worst.
@Suite("Populations")
struct PopulationTests {
    @Test(
        "The normaliser and moments of a product of Gaussians are unbiased, wherever the chains start and end",
        arguments: [
            (SamplerSettings.Kind.mala, 0.3, 0...11), (.hmc, 0.5, 0...11), (.mala, 0.3, 3...7), (.hmc, 0.5, 0...0),
        ])
    func unbiased(kind: SamplerSettings.Kind, stepSize: Double, levels: ClosedRange<Int>) throws {
        let plan = try GaussianProduct.plan(kind, stepSize: stepSize, damping: 0.9, levels: levels)
        let result = try GaussianProduct.worst(2000, level: levels.lowerBound) {
            try PopulationEnd(of: plan, index: $0)
        }
        #expect(result.z < zThreshold, "\(result.name)")
    }

    @Test("Chains that can't move still estimate the normaliser without bias")
    func still() throws {
        let plan = try GaussianProduct.plan(.mala, stepSize: 1e-60, damping: 0, lanes: 64)
        let result = try GaussianProduct.worst(2000) { try PopulationEnd(of: plan, index: $0) }
        #expect(result.z < zThreshold, "\(result.name)")
        let start = ChainBlock(plan: plan, index: 0).state.position
        let end = try PopulationEnd(of: plan, index: 0).position
        let starts = Set((0..<64).map { column(start, $0) })
        let ends = Set((0..<64).map { column(end, $0) })
        #expect(ends.isSubset(of: starts) && ends.count < 64)
    }

    @Test("Where the target is the start's own density all weights are equal and the normaliser is exactly one")
    func constant() throws {
        let result = try finished(plan(of: standardNormal(3), threshold: 1, stepSize: 0.2)).result(chains: 64)
        #expect(result.logNormalizer.magnitude < 1e-12)
        #expect(result.logWeights.allSatisfy { $0.magnitude < 1e-12 })
        #expect(result.effectiveSizes.allSatisfy { ($0 - 64).magnitude < 1e-4 })
    }

    @Test(
        "Chains that are folded into bounds at their start are weighted by the density that they then have",
        arguments: [
            ([-0.3, -1.0], [0.2, 4.0]), ([0.5, -2.5], [0.9, 2.5]), ([-1.0, -0.9], [1.0, 1.11]),
            ([1.0, -40.0], [3.5, 60.0]),
        ])
    func bounds(low: [Double], high: [Double]) throws {
        let expression = TargetExpression.bounded(of: .leaf("normal"), low: .init(low), high: .init(high))
        let density = try expression.density(models: ["normal": standardNormal(2)])
        let plan = plan(of: density, bounds: expression.bounds, levels: 4...4)
        let normalizers = try (0..<400).map { try exp(finished(plan, index: $0).result(chains: 64).logNormalizer) }
        func below(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
        let exact = (0..<2).reduce(1.0) { $0 * (below(high[$1]) - below(low[$1])) }
        #expect(zScore(normalizers, expected: exact).magnitude < zThreshold)
        #expect((mean(normalizers) / exact - 1).magnitude < 0.03)
    }

    @Test("A chain that is resampled takes position, momentum and evaluation of one parent along")
    func parents() throws {
        let plan = try GaussianProduct.plan(.hmc, threshold: 1, stepSize: 0.5, damping: 0.9, lanes: 64)
        var block = ChainBlock(plan: plan, index: 3)
        var resampled = 0
        for level in (0...11).reversed() {
            let before = block.state
            let entered = try block.advance()
            #expect(entered)
            let old = Set((0..<64).map { column(before.position, $0) + column(before.momentum, $0) })
            let new = (0..<64).map { column(block.state.position, $0) + column(block.state.momentum, $0) }
            #expect(new.allSatisfy { old.contains($0) })
            resampled += Set(new).count < 64 ? 1 : 0
            var evaluator = plan.density.evaluator(lanes: 64, at: plan.schedule.levels[level])
            var evaluation = block.state.evaluation
            try evaluator.evaluate(at: block.state.position, into: &evaluation)
            #expect(evaluation == block.state.evaluation)
            _ = try block.advance()
        }
        #expect(resampled > 5)
    }

    @Test("Statistics tell effective sizes, ancestors and parents of the levels that were entered")
    func statistics() throws {
        let plan = try GaussianProduct.plan(
            .mala, threshold: 0.9, stepSize: 0.3, damping: 0, levels: 2...9, lanes: 64)
        let result = try finished(plan, index: 1).result(chains: 64)
        #expect(result.logWeights.count == 64)
        for numbers in [result.ancestors, result.parents] { #expect(numbers.count == 12) }
        var (ancestors, parents) = (Int32(64), Int32(64))
        for level in (2...9).reversed() {
            #expect((1...64).contains(result.effectiveSizes[level]))
            if Double(result.effectiveSizes[level]) >= 0.9 * 64 {
                #expect(result.parents[level] == parents && result.ancestors[level] == ancestors)
            } else {
                #expect(result.parents[level] < 64)
            }
            #expect(result.ancestors[level] <= ancestors && result.ancestors[level] <= result.parents[level])
            (ancestors, parents) = (result.ancestors[level], result.parents[level])
        }
        #expect(ancestors < 64)
        for level in [0, 1, 10, 11] {
            #expect(result.effectiveSizes[level].isNaN && result.ancestors[level] == 0 && result.parents[level] == 0)
        }
        // At a level that was resampled last the weights are equal, at another one they give the effective size.
        if Double(result.effectiveSizes[2]) < 0.9 * 64 {
            #expect(result.logWeights.allSatisfy { $0 == 0 })
        } else {
            let weights = result.logWeights.map { exp($0) }
            let sum = weights.reduce(0, +)
            let size = sum * sum / weights.reduce(0) { $0 + $1 * $1 }
            #expect((Float(size) - result.effectiveSizes[2]).magnitude < 1e-3)
        }
    }

    @Test("Without a population its statistics are empty and nothing is weighted")
    func off() throws {
        let on = try GaussianProduct.plan(.mala, stepSize: 0.3, damping: 0)
        var settings = on.settings
        settings.population = nil
        let off = SamplingPlan(density: on.density, schedule: on.schedule, settings: settings, seed: 5, lanes: 16)
        let result = try finished(off).result(chains: 9)
        #expect(result.logWeights.isEmpty && result.effectiveSizes.isEmpty)
        #expect(result.ancestors.isEmpty && result.parents.isEmpty && result.logNormalizer.isNaN)
        #expect(try result.samples != Array(finished(on).result(chains: 16).samples.prefix(18)))
    }

    @Test("The lanes that pad a block have no part in its population, however many there are")
    func padding() throws {
        func result(lanes: Int) throws -> BlockResult {
            let plan = try GaussianProduct.plan(.hmc, stepSize: 0.5, damping: 0.9, lanes: lanes)
            return try finished(plan, chains: 21).result(chains: 21)
        }
        let alone = try result(lanes: 21)
        #expect(alone.parents[0] < 21)
        for lanes in [22, 32, 64] {
            let padded = try result(lanes: lanes)
            #expect(padded.samples == alone.samples && padded.logWeights == alone.logWeights)
            #expect(padded.logDensity == alone.logDensity && padded.effectiveSizes == alone.effectiveSizes)
            #expect(padded.logNormalizer == alone.logNormalizer && padded.ancestors == alone.ancestors)
        }
        let whole = try finished(try GaussianProduct.plan(.hmc, stepSize: 0.5, damping: 0.9, lanes: 64)).result(
            chains: 64)
        #expect(Array(whole.logWeights.prefix(21)) != alone.logWeights)
        #expect(whole.logNormalizer != alone.logNormalizer)
    }

    @Test("A chain outside the target's support weighs nothing, and a population that is all outside says so")
    func zeroWeights() throws {
        func block(_ low: Double, threshold: Double) throws -> BlockResult {
            let expression = TargetExpression.bounded(of: .leaf("normal"), low: [low, -50], high: [low + 50, 50])
            // No bounds in the plan: chains are not folded into the box.
            let density = try expression.density(models: ["normal": standardNormal(2)])
            return try finished(plan(of: density, threshold: threshold)).result(chains: 64)
        }
        let half = try block(0, threshold: 0.001)
        let inside = half.logWeights.filter { $0 > -.infinity }
        #expect((10...54).contains(inside.count))
        #expect(half.effectiveSizes.allSatisfy { ($0 - Float(inside.count)).magnitude < 1e-4 })
        #expect((half.logNormalizer - log(Double(inside.count) / 64)).magnitude < 1e-12)
        for (chain, weight) in half.logWeights.enumerated() {
            #expect((weight > -.infinity) == (half.samples[2 * chain] >= 0))
        }
        let resampled = try block(0, threshold: 1)
        #expect((resampled.logNormalizer - half.logNormalizer).magnitude < 1e-12)
        #expect((0..<64).allSatisfy { resampled.samples[2 * $0] >= 0 })
        #expect(resampled.parents[0] == Int32(inside.count))

        let outside = try block(40, threshold: 1)
        #expect(outside.logNormalizer == -.infinity)
        #expect(outside.logWeights.allSatisfy { $0 == -.infinity })
        #expect(outside.effectiveSizes.allSatisfy { $0 == 0 })
        #expect(outside.ancestors.allSatisfy { $0 == 64 })
    }

    @Test("Populations that can't be right are named")
    func conflicts() throws {
        func conflict(
            _ kind: SamplerSettings.Kind, _ threshold: Double?, reverseSteps: Bool = false, hasEnergy: Bool = true
        ) -> SamplerConflict? {
            SamplerSettings(
                kind: kind, acceptance: .line(points: 2), transitions: 1, stepSize: .constant(1),
                reverseSteps: reverseSteps, levels: 0...1,
                population: threshold.map { PopulationSettings(threshold: $0) }
            ).conflict(hasEnergy: hasEnergy, draws: 1)
        }
        func isOfPopulation(_ conflict: SamplerConflict?, _ reason: String) -> Bool {
            conflict?.option == .population && conflict?.description.contains(reason) == true
        }
        for kind in [SamplerSettings.Kind.ula, .mala, .uhmc, .hmc] {
            #expect(conflict(kind, 0.5) == nil)
            #expect(conflict(kind, 1) == nil)
            #expect(isOfPopulation(conflict(kind, 0.5, hasEnergy: false), "this target has scores alone"))
            #expect(conflict(kind, nil, reverseSteps: true, hasEnergy: false) == nil)
        }
        for wrong in [0, -0.5, 1.5, .infinity] {
            #expect(isOfPopulation(conflict(.mala, wrong), "threshold is \(wrong), not above 0"))
        }
        #expect(isOfPopulation(conflict(.mala, .nan), "threshold is nan"))
        #expect(isOfPopulation(conflict(.mala, 0.5, reverseSteps: true), "weighted over reverse steps"))
        #expect(isOfPopulation(conflict(.reverse, 0.5), "weighted over reverse steps"))
    }
}

@Suite("Populations of unadjusted chains")
struct UnadjustedPopulationTests {
    // Measured over 1 for 400 populations of 64: ULA with h of 0.3, 0.1, 0.03 and 0.01 0.471, 0.855, 0.965 and 0.989,
    // U-HMC with 0.8, 0.5, 0.3 and 0.1 0.455, 0.820, 0.946 and 0.997; standard errors 0.003 to 0.008.
    @Test(
        "Their normaliser is off by what the step size costs",
        arguments: [(SamplerSettings.Kind.ula, [0.3, 0.1, 0.01]), (.uhmc, [0.8, 0.5, 0.1])])
    func bias(kind: SamplerSettings.Kind, stepSizes: [Double]) throws {
        let exact = GaussianProduct.exact(0).logNormalizer
        let scores = try stepSizes.map { stepSize in
            let plan = try GaussianProduct.plan(kind, transitions: 5, stepSize: stepSize, damping: 0.5, lanes: 64)
            let ratios = try (0..<400).map { try exp(PopulationEnd(of: plan, index: $0).logNormalizer - exact) }
            return (z: zScore(ratios, expected: 1), bias: 1 - mean(ratios))
        }
        #expect(scores[0].z < -4 * zThreshold && scores[1].z < -4 * zThreshold)
        #expect(scores[2].z.magnitude < zThreshold)
        #expect(scores[0].bias > 2 * scores[1].bias && scores[1].bias > 4 * scores[2].bias)
    }
}

@Suite("Deliberate bugs of populations")
struct PopulationBugTests {
    private func plan() throws -> SamplingPlan {
        try GaussianProduct.plan(.hmc, threshold: 0.7, stepSize: 0.5, damping: 0.95)
    }

    @Test("A population written down plainly is the block's, and is unbiased")
    func plain() throws {
        let plan = try plan()
        for index in 0..<20 {
            let plain = try #require(try PopulationEnd(plainly: plan, index: index, fault: nil))
            let block = try PopulationEnd(of: plan, index: index)
            #expect(plain.position == block.position && plain.momentum == block.momentum)
            #expect((plain.logNormalizer - block.logNormalizer).magnitude < 1e-10)
            for (one, other) in zip(plain.logWeights, block.logWeights) { #expect((one - other).magnitude < 1e-10) }
        }
        let result = try GaussianProduct.worst(4000) { try PopulationEnd(plainly: plan, index: $0, fault: nil) }
        #expect(result.z < zThreshold, "\(result.name)")
    }

    @Test("A bug is found out", arguments: PopulationFault.allCases)
    func found(fault: PopulationFault) throws {
        let plan = try plan()
        let result = try GaussianProduct.worst(4000) { try PopulationEnd(plainly: plan, index: $0, fault: fault) }
        #expect(result.z > 1.5 * zThreshold, "\(result.name)")
    }

    /// Weighted means of the centred coordinates of 40 merges of 200 populations of 4.
    private func merged(equally: Bool) throws -> [[Double]] {
        let plan = try GaussianProduct.plan(.mala, threshold: 0.5, stepSize: 1e-3, damping: 0, lanes: 4)
        let exact = GaussianProduct.exact(0)
        return try (0..<40).map { merge in
            let results = try (0..<200).map { index in
                var block = ChainBlock(plan: plan, index: 200 * merge + index)
                while try block.advance() {}
                return block.result(chains: 4)
            }
            let selected = PopulationMerge(
                results.enumerated().map {
                    .init(index: $0, logNormalizer: equally ? 0 : $1.logNormalizer, logWeights: $1.logWeights)
                }
            ).selection(of: 800, seed: UInt64(merge))
            try #require(selected.count == 800)
            return (0..<2).map { axis in
                let mean = mean(selected.map { Double(results[$0.block].samples[2 * $0.chain + axis]) })
                return (mean - exact.mean[axis]) / exact.variance[axis].squareRoot()
            }
        }
    }

    @Test("Blocks that count alike when they are merged are found out")
    func blocksAlike() throws {
        // Student's t with 39 degrees of freedom: beyond 6 with probability 5e-7, for two axes 1e-6. The bias of a merge,
        // of the order of one over its effective size, is under half a standard error.
        let right = try merged(equally: false)
        for axis in 0..<2 { #expect(zScore(right.map { $0[axis] }).magnitude < 6) }
        let wrong = try merged(equally: true)
        let scores = (0..<2).map { axis in zScore(wrong.map { $0[axis] }).magnitude }
        #expect(scores.reduce(0, max) > 12, "\(scores)")
    }
}
