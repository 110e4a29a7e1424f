import Composition
import EnergyModels
import Foundation
import RandomStreams
import Sampling
import Testing
import VectorMath

/// Two Gaussians of one width, and classifiers that tell which of them made a point.
private enum Pair {
    static let means = [[0.7, 0.1], [-0.7, -0.1]]
    static let deviation = 0.4
    static let weights = [0.3, 0.7]
    static let mixture = GaussianMixture(
        means: means, standardDeviations: means.map { _ in [deviation, deviation] }, weights: weights)

    static func component(_ label: Int) -> any Density {
        let square = deviation * deviation
        return Gaussian(mean: means[label], covariance: [[square, 0], [0, square]])
    }

    /// A classifier network without blocks at schedules of so many levels: input map `scale` times the identity,
    /// output map [2][2] and biases [2].
    static func network(levels: Int, scale: Float = 1, output: [Float], biases: [Float]) -> any Classifier {
        let architecture = NetworkDescription.Architecture(
            kind: .classifier, dimension: 2, hidden: 2, widen: 1, blocks: 0, embedding: 1, levels: levels, classes: 2)
        let network = Network(
            description: NetworkDescription(
                architecture: architecture, energy: nil, schedule: .init(kind: .cosine, levels: levels)),
            parameters: [
                [Float](repeating: 0, count: levels), [scale, 0, 0, scale], [0, 0], output, biases,
            ])
        guard let classifier = network.classifier else { preconditionFailure("no classifier") }
        return classifier
    }

    /// The posterior at one level, where its logits are linear in x: signal mu x / variance, and biases.
    static func posterior(at level: NoiseLevel) -> any Classifier {
        let variance = level.signalVariance * deviation * deviation + level.noiseVariance
        let biases = zip(means, weights).map { mean, weight in
            Float(log(weight) - level.signalVariance * (mean[0] * mean[0] + mean[1] * mean[1]) / (2 * variance))
        }
        return network(
            levels: 1, output: means.flatMap { $0.map { Float(level.signal * $0 / variance) } }, biases: biases)
    }

    static func guided(_ of: any Density, by classifier: any Classifier, label: Int, scale: Double = 1) -> any Density {
        let target = TargetExpression.classifier(of: .leaf("of"), by: "by", label: label, scale: scale)
        guard let density = try? target.density(models: ["of": of], classifiers: ["by": classifier]) else {
            preconditionFailure("no density")
        }
        return density
    }
}

/// Which component made a point, at every level: log p up to a constant.
private struct Posterior: Classifier {
    let shape = PointShape(dimension: 2)
    let classes = 2

    func logProbability(of label: Int) -> any Density {
        let posterior = TargetExpression.negation(of: .leaf("component"), by: .leaf("mixture"), weight: 1)
        let models: [String: any Density] = ["component": Pair.component(label), "mixture": Pair.mixture]
        guard let density = try? posterior.density(models: models) else { preconditionFailure("no density") }
        return density
    }
}

@Suite("Sampling under a classifier's guidance")
struct ClassifierGuidanceTests {
    // 18 z-scores: false alarm 18 * 2e-7 = 4e-6 each.
    @Test(
        "Kernels keep the component that a classifier network leaves of a mixture, by energies or by scores",
        arguments: [AcceptanceRule.energy, .line(points: 10)], [0, 3])
    func invariant(rule: AcceptanceRule, leapfrogSteps: Int) throws {
        let level = singleLevel.levels[0]
        let of: any Density = rule.needsEnergy ? Pair.mixture : ScoreOnly(Pair.mixture)
        let exact = ExactCase(
            name: "guided", density: Pair.guided(of, by: Pair.posterior(at: level), label: 0), level: level
        ) { firstChain, lanes in
            var x = LaneMatrix(rows: 2, lanes: lanes)
            RandomStream(seed: 77, firstChain: firstChain).fillNormals(&x, purpose: .initialPosition, level: 0)
            let spread = (level.signalVariance * Pair.deviation * Pair.deviation + level.noiseVariance).squareRoot()
            for axis in 0..<2 {
                for lane in 0..<lanes { x[axis, lane] = level.signal * Pair.means[0][axis] + spread * x[axis, lane] }
            }
            return x
        }
        func kernel(_ dimension: Int, _ lanes: Int) -> any TransitionKernel {
            if leapfrogSteps == 0 {
                return LangevinKernel(adjusted: true, acceptance: rule, dimension: dimension, lanes: lanes)
            }
            return HamiltonianKernel(
                adjusted: true, acceptance: rule, leapfrogSteps: leapfrogSteps, damping: 0.5, dimension: dimension,
                lanes: lanes)
        }
        let result = try invariance(
            of: kernel, on: exact, stepSize: leapfrogSteps == 0 ? 0.2 : 0.7, transitions: 5)
        #expect(result.worst < zThreshold, "\(result.worstName)")
        #expect((0.6...0.95).contains(result.acceptance))
    }

    // By the wrong label the means lie 1.3 apart: the test above would not see its bug otherwise.
    @Test("The wrong label is found out")
    func wrongLabel() throws {
        let level = singleLevel.levels[0]
        let density = Pair.guided(Pair.mixture, by: Pair.posterior(at: level), label: 1)
        let exact = ExactCase(name: "wrong", density: density, level: level) { firstChain, lanes in
            var x = LaneMatrix(rows: 2, lanes: lanes)
            RandomStream(seed: 77, firstChain: firstChain).fillNormals(&x, purpose: .initialPosition, level: 0)
            for axis in 0..<2 {
                for lane in 0..<lanes { x[axis, lane] = level.signal * Pair.means[0][axis] + 0.5 * x[axis, lane] }
            }
            return x
        }
        let result = try invariance(
            of: { LangevinKernel(adjusted: true, dimension: $0, lanes: $1) }, on: exact, stepSize: 0.2,
            transitions: 5, blocks: 10)
        #expect(result.worst > 20)
    }

    private static let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 12))

    private func samples(_ settings: SamplerSettings, blocks: Int = 8) throws -> (x: [Double], results: [BlockResult]) {
        let plan = SamplingPlan(
            density: Pair.guided(Pair.mixture, by: Posterior(), label: 0), schedule: Self.schedule,
            settings: settings, seed: 6, lanes: 256)
        let results = try (0..<blocks).map { index in
            var block = ChainBlock(plan: plan, index: index)
            while try block.advance() {}
            return block.result(chains: 256)
        }
        return (results.flatMap { result in (0..<256).map { Double(result.samples[2 * $0]) } }, results)
    }

    // The bound is that of 6 standard errors of 2 048 independent chains plus a bias of at most 0.03 (step size and
    // annealing): mean 0.69, standard deviation 0.42.
    @Test("Annealing with every kernel ends at the component", arguments: SamplerSettings.Kind.allCases)
    func annealing(kind: SamplerSettings.Kind) throws {
        let settings = SamplerSettings(
            kind: kind, transitions: kind == .reverse ? 0 : 10, leapfrogSteps: kind.isHamiltonian ? 3 : 1,
            damping: kind.isHamiltonian ? 0.5 : 0, stepSize: .constant(kind.isHamiltonian ? 0.3 : 0.05),
            reverseSteps: true, levels: 0...11)
        let x = try samples(settings).x
        let level = Self.schedule.levels[0]
        let spread = (level.signalVariance * Pair.deviation * Pair.deviation + level.noiseVariance).squareRoot()
        let error = 6 * spread / 2048.0.squareRoot()
        #expect((mean(x) - level.signal * Pair.means[0][0]).magnitude < error + 0.03, "\(mean(x))")
        // Ancestral steps of twelve levels are too coarse to keep the width.
        guard kind != .reverse else { return }
        #expect((variance(x).squareRoot() - spread).magnitude < error + 0.03, "\(variance(x).squareRoot())")
    }

    // The weights of the components are 0.3 and 0.7, and the guided mixture has the integral of one component times
    // its weight, which is left out of this posterior: so the normaliser is 1. The estimates of eight populations of
    // 256, of standard deviation 0.05 each, have a mean within 0.1 of it, which is 5.6 standard errors.
    @Test("A population ends at the component and finds its normaliser")
    func population() throws {
        let (x, results) = try samples(
            SamplerSettings(
                kind: .mala, transitions: 5, stepSize: .constant(0.1), levels: 0...11,
                population: PopulationSettings(threshold: 0.5)))
        let estimates = results.map { exp($0.logNormalizer) }
        #expect((mean(estimates) - 1).magnitude < 0.1, "\(estimates)")
        #expect(mean(x) > 0.5 && !x.contains { $0 < -1.2 })
    }

    // Input and output maps multiply to 4.25e38 x: beyond single precision where x is above 0.8. Where it is below
    // zero the label's log probability is hugely negative, so that chains stay between; that is no divergence, unless
    // the slope overflows.
    @Test(
        "A proposal where the logits are not finite is rejected and counts as a divergence",
        arguments: [
            SamplerSettings.Kind.ula, .mala, .uhmc, .hmc,
        ])
    func divergence(kind: SamplerSettings.Kind) throws {
        let lanes = 256
        let classifier = Pair.network(levels: 1, scale: 2e19, output: [2.125e19, 0, 0, 0], biases: [0, 0])
        let density = Pair.guided(standardNormal(2), by: classifier, label: 0)
        var target = density.evaluator(lanes: lanes, at: singleLevel.levels[0])
        let stream = RandomStream(seed: 21, firstChain: 0)
        var state = ChainState(dimension: 2, lanes: lanes)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: 0)
        for lane in 0..<lanes { state.position[0, lane] = 0.1 + 0.6 * Double(lane) / Double(lanes) }
        try state.evaluate(&target)
        let settings = SamplerSettings(
            kind: kind, transitions: 1, leapfrogSteps: 1, damping: 0.5, stepSize: .constant(0.3), levels: 0...0)
        var kernel = try #require(settings.kernel.transitionKernel(dimension: 2, lanes: lanes))
        for transition in 0..<10 {
            let before = state
            let context = TransitionContext(level: 0, transition: transition, stepSize: 0.3, stream: stream)
            try kernel.transition(&state, target: &target, in: context)
            for lane in 0..<lanes where state.divergences[lane] > before.divergences[lane] {
                #expect(column(state.position, lane) == column(before.position, lane))
            }
        }
        #expect(state.divergences.reduce(0, +) > 50)
        for lane in 0..<lanes {
            #expect(state.position[0, lane] < 0.81)
            #expect(state.evaluation.logDensity[lane].isFinite)
        }
    }
}
