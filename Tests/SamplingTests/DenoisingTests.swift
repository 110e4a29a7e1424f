import EnergyModels
import Foundation
import Sampling
import Testing
import VectorMath

private let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 12))

private func plan(
    _ density: any Density, _ kind: SamplerSettings.Kind = .mala, levels: ClosedRange<Int> = 0...11, draws: Int = 1,
    stepSize: Double = 0.05, seed: UInt64 = 11, hasEnergy: Bool = true, denoise: Bool
) -> SamplingPlan {
    SamplingPlan(
        density: density, hasEnergy: hasEnergy, schedule: schedule,
        settings: SamplerSettings(
            kind: kind, transitions: kind == .reverse ? 0 : 3, leapfrogSteps: 2, damping: 0.5,
            stepSize: .constant(stepSize), reverseSteps: kind == .reverse, levels: levels, denoise: denoise),
        seed: seed, lanes: 64, draws: draws, thin: 2)
}

private func finished(_ plan: SamplingPlan) throws -> ChainBlock {
    var block = ChainBlock(plan: plan, index: 1)
    while try block.advance() {}
    return block
}

/// N(0, 1) on a line whose score is infinite where x is above 0.8.
private struct Torn: Density {
    let shape = PointShape(dimension: 1)

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(inner: standardNormal(1).evaluator(lanes: lanes, at: level))
    }

    struct Evaluator: DensityEvaluator {
        var inner: any DensityEvaluator

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            try inner.evaluate(at: x, into: &evaluation)
            for lane in 0..<x.lanes where x[0, lane] > 0.8 { evaluation.score[0, lane] = .infinity }
        }
    }
}

@Suite("Denoising of draws")
struct DenoisingTests {
    private static let mixture = GaussianMixture(
        means: [[0.8, 0], [-0.5, 0.6]], standardDeviations: [[0.4, 0.6], [0.5, 0.3]], weights: [1, 2])

    @Test(
        "A draw is the mean of the data that its point comes from; chains and statistics stay as they are",
        arguments: SamplerSettings.Kind.allCases, [0, 4])
    func posteriorMean(kind: SamplerSettings.Kind, lowest: Int) throws {
        let lowest = kind == .reverse ? 0 : lowest
        let (plain, denoised) = (
            try finished(plan(Self.mixture, kind, levels: lowest...11, denoise: false)),
            try finished(plan(Self.mixture, kind, levels: lowest...11, denoise: true))
        )
        #expect(plain.state == denoised.state)
        let (points, draws) = (plain.result(chains: 64), denoised.result(chains: 64))
        #expect(points.logDensity == draws.logDensity)
        #expect(points.gradientEvaluations == draws.gradientEvaluations)
        #expect(draws.divergences.allSatisfy { $0 == 0 })
        // By hand: what each component makes of a point, weighted by how likely it is to have made it.
        let level = schedule.levels[lowest]
        let (signal, noise) = (level.signal, level.noiseVariance)
        let (means, deviations) = ([[0.8, 0], [-0.5, 0.6]], [[0.4, 0.6], [0.5, 0.3]])
        for chain in 0..<64 {
            let x = column(plain.state.position, chain)
            var (expected, total) = ([0.0, 0.0], 0.0)
            for (component, weight) in [1.0, 2.0].enumerated() {
                var (part, mean) = (weight, [0.0, 0.0])
                for axis in 0..<2 {
                    let data = deviations[component][axis] * deviations[component][axis]
                    let (variance, away) = (signal * signal * data + noise, x[axis] - signal * means[component][axis])
                    part *= exp(-away * away / (2 * variance)) / variance.squareRoot()
                    mean[axis] = means[component][axis] + signal * data / variance * away
                }
                for axis in 0..<2 { expected[axis] += part * mean[axis] }
                total += part
            }
            for axis in 0..<2 {
                #expect((Double(draws.samples[2 * chain + axis]) - expected[axis] / total).magnitude < 1e-6)
            }
        }
    }

    @Test("Denoising of a score alone is denoising of the same score with its energy")
    func scoreAlone() throws {
        let known = try finished(plan(Self.mixture, .uhmc, denoise: true)).result(chains: 64)
        let alone = try finished(plan(ScoreOnly(Self.mixture), .uhmc, hasEnergy: false, denoise: true)).result(
            chains: 64)
        #expect(alone.samples == known.samples)
    }

    @Test("Data on points are found again from the least noisy level, the noise gone")
    func points() throws {
        let narrow = GaussianMixture(
            means: [[2], [-2]], standardDeviations: [[1e-4], [1e-4]], weights: [1, 1])
        func distance(_ denoise: Bool) throws -> Float {
            try finished(plan(narrow, stepSize: 0.005, denoise: denoise)).result(chains: 64).samples
                .map { ($0.magnitude - 2).magnitude }.reduce(0, max)
        }
        #expect(try distance(false) > 0.1)
        #expect(try distance(true) < 1e-3)
    }

    @Test("A draw whose mean is not finite is kept as it stands, and each one counts as a divergence")
    func divergences() throws {
        // No chain moves: those of the start that are in the torn half remain there.
        let (plain, denoised) = (
            try finished(plan(Torn(), levels: 5...5, draws: 3, stepSize: 1e-60, denoise: false)),
            try finished(plan(Torn(), levels: 5...5, draws: 3, stepSize: 1e-60, denoise: true))
        )
        let (points, draws) = (plain.result(chains: 64), denoised.result(chains: 64))
        var torn = 0
        for chain in 0..<64 {
            let isTorn = plain.state.position[0, chain] > 0.8
            torn += isTorn ? 1 : 0
            #expect(draws.divergences[chain] - points.divergences[chain] == (isTorn ? 3 : 0))
            for draw in 0..<3 {
                let (x, mean) = (points.samples[3 * chain + draw], draws.samples[3 * chain + draw])
                #expect(mean.isFinite && (mean == x) == isTorn)
            }
        }
        #expect((5...30).contains(torn))
    }
}
