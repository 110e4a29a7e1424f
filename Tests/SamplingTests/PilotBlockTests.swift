import Composition
import EnergyModels
import Foundation
import Testing
import VectorMath

@testable import Sampling

@Suite("Pilot blocks")
struct PilotBlockTests {
    private static func plan(
        _ kind: SamplerSettings.Kind, target: Double?, steps: LevelValues = .constant(1), lanes: Int = 64,
        seed: UInt64 = 11, population: Bool = false, transitions: Int = 10
    ) -> SamplingPlan {
        let settings = SamplerSettings(
            kind: kind, transitions: transitions, leapfrogSteps: 3, damping: 0.5, stepSize: steps,
            tuning: target.map { TuningSettings(targetAcceptance: $0, pilots: 8) }, levels: 0...19,
            population: population ? PopulationSettings(threshold: 0.5) : nil)
        let ring = GaussianMixture(
            means: [[0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]],
            standardDeviations: [[Double]](repeating: [0.03, 0.03], count: 4),
            weights: [1, 1, 1, 1])
        let bar = UniformBox(low: [-0.2, -1], high: [0.2, 1])
        let target = TargetExpression.product([.leaf("ring"), .leaf("bar")], weights: [1, 1])
        guard let density = try? target.density(models: ["ring": ring, "bar": bar]) else {
            fatalError("both are there")
        }
        return SamplingPlan(
            density: density, schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 20)),
            settings: settings, seed: seed, lanes: lanes)
    }

    private static func run(_ plan: SamplingPlan, _ index: Int, chains: Int = 64) throws -> BlockResult {
        var block = plan.block(index: index, chains: chains)
        while try block.advance() {}
        return block.result(chains: chains)
    }

    /// What pilot blocks find together.
    private static func table(_ plan: SamplingPlan) throws -> [Double] {
        try StepSizeTable.reduced((0..<16).map { try run(plan, $0).stepSizes })
    }

    @Test(
        "Chains with the step sizes that pilots found accept as asked for, at every level",
        arguments: [(.mala, 0.57, false), (.hmc, 0.65, false), (.hmc, 0.8, false), (.mala, 0.57, true)]
            as [(SamplerSettings.Kind, Double, Bool)])
    func reachesTarget(kind: SamplerSettings.Kind, target: Double, population: Bool) throws {
        let steps = try Self.table(Self.plan(kind, target: target, population: population))
        let plan = Self.plan(kind, target: nil, steps: .perLevel(steps), seed: 12, population: population)
        var sums = [Double](repeating: 0, count: 20)
        let blocks = 16
        for index in 0..<blocks {
            let acceptance = try Self.run(plan, index).acceptance
            for chain in 0..<64 { for level in 0..<20 { sums[level] += Double(acceptance[chain * 20 + level]) } }
        }
        for level in 0..<20 {
            let mean = sums[level] / Double(64 * blocks)
            #expect(abs(mean - target) < 0.03, "level \(level): \(mean) with steps of \(steps[level])")
        }
    }

    @Test("A pilot block goes on from each of its checkpoints to the same result")
    func resumes() throws {
        let plan = Self.plan(.hmc, target: 0.65, lanes: 8)
        var block = PilotBlock(plan: plan, index: 3, chains: 5)
        var checkpoints: [[UInt8]] = []
        repeat { checkpoints.append(block.checkpoint()) } while try block.advance()
        #expect(block.stepsDone == block.steps && block.steps == 20)
        let whole = block.result(chains: 5)
        #expect(whole.stepSizes.allSatisfy { $0.isFinite && $0 > 0 })
        for checkpoint in checkpoints {
            var resumed = try PilotBlock(plan: plan, index: 3, chains: 5, resuming: checkpoint)
            while try resumed.advance() {}
            let result = resumed.result(chains: 5)
            #expect(result.sampleBytes == whole.sampleBytes && result.statistics == whole.statistics)
            #expect(result.gradientEvaluations == whole.gradientEvaluations)
        }
        var damaged = checkpoints[4]
        damaged[damaged.count - 20] ^= 1
        #expect(throws: BlockCheckpointError.damaged) {
            try PilotBlock(plan: plan, index: 3, chains: 5, resuming: damaged)
        }
        #expect(throws: BlockCheckpointError.noCheckpoint) {
            try PilotBlock(plan: plan, index: 3, chains: 5, resuming: [1, 2, 3])
        }
    }

    @Test("A pilot block whose steps end at the end of their range goes on from its checkpoints too")
    func resumesAtTheEndOfTheRange() throws {
        let tuning = TuningSettings(targetAcceptance: 0.57, pilots: 1)
        let settings = SamplerSettings(
            kernel: .mala(step: .tuned(tuning), acceptance: .energy), transitions: 2, levels: 0...2)
        let plan = SamplingPlan(
            density: Gaussian(mean: [0, 0], covariance: [[1e30, 0], [0, 1e30]]),
            schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 3)), settings: settings, seed: 1,
            lanes: 64)
        var block = PilotBlock(plan: plan, index: 0, chains: 64)
        while block.stepsDone < 2, try block.advance() {}
        let resumed = try PilotBlock(plan: plan, index: 0, chains: 64, resuming: block.checkpoint())
        #expect(resumed.stepsDone == 2)
        let steps = resumed.result(chains: 64).stepSizes
        #expect(steps[2] > 0.99 * StepSearch.range.upperBound, "the search did not get to the end: \(steps)")
    }

    @Test("Gradients are an entry for each level, and for each trial the level's transitions")
    func counts() throws {
        let plan = Self.plan(.mala, target: 0.57, lanes: 8, transitions: 2)
        var block = PilotBlock(plan: plan, index: 0, chains: 8)
        var (advances, done) = (0, 0)
        while try block.advance() {
            advances += 1
            // Levels are done one by one, and none without having been entered, tried and gone through.
            #expect(block.stepsDone == done || block.stepsDone == done + 1)
            done = block.stepsDone
        }
        #expect(done == block.steps)
        #expect(advances > 20 * (1 + 2 + 2))
        #expect(block.result(chains: 8).gradientEvaluations == 8 * advances)
    }

    @Test("Where every step is accepted, or none, the search goes as far as its trials and its range allow, and ends")
    func endless() {
        for (acceptance, start) in [(1.0, 1e10), (0.0, 1e-13), (1.0, 1e-3), (0.0, 1e3)] {
            var search = StepSearch(target: 0.6, start: start, decisions: 640)
            var trials = 1
            while !search.take(acceptance: acceptance) { trials += 1 }
            #expect(trials <= StepSearch.mostTrials)
            let end = acceptance > 0.5 ? StepSearch.range.upperBound : StepSearch.range.lowerBound
            let isAtEnd = abs(search.stepSize / end - 1) < 1e-9
            #expect(isAtEnd || (trials == StepSearch.mostTrials && abs(log10(search.stepSize / start)) > 10))
        }
    }

    @Test(
        "A search ends close to its target on smooth curves, with few trials",
        arguments: [0.001, 0.03, 1, 20], [0.3, 0.57, 0.8, 0.95])
    func converges(scale: Double, target: Double) {
        for power in [1.0, 2, 4] {
            var search = StepSearch(target: target, start: 0.03, decisions: 100_000)
            var trials = 1
            while !search.take(acceptance: 1 / (1 + pow(search.stepSize / scale, power))) { trials += 1 }
            let reached = 1 / (1 + pow(search.stepSize / scale, power))
            #expect(abs(reached - target) < 0.01, "\(reached) after \(trials) trials")
            #expect(trials <= 26)
        }
    }
}
