import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

@Suite("Ancestral steps and settings")
struct AncestralStepTests {
    private static let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 12))

    @Test("Reverse diffusion follows x <- (x + beta s) / sqrt(1 - beta) + sqrt(beta) z")
    func formula() throws {
        let settings = SamplerSettings(
            kind: .reverse, transitions: 0, stepSize: .constant(1), reverseSteps: true, levels: 0...11)
        let plan = SamplingPlan(
            density: standardNormal(2), schedule: Self.schedule, settings: settings, seed: 8, lanes: 64)
        var block = ChainBlock(plan: plan, index: 0)
        while try block.advance() {}
        let stream = RandomStream(seed: 8, firstChain: 0)
        var (x, z) = (LaneMatrix(rows: 2, lanes: 64), LaneMatrix(rows: 2, lanes: 64))
        stream.fillNormals(&x, purpose: .initialPosition, level: 11)
        for level in Self.schedule.levels.dropFirst().reversed() {
            stream.fillNormals(&z, purpose: .reverseStep, level: level.index - 1)
            for index in x.elements.indices {
                // The score of N(0, I) is -x at every level.
                let mean = x.elements[index] * (1 - level.beta) / (1 - level.beta).squareRoot()
                x.elements[index] = mean + level.beta.squareRoot() * z.elements[index]
            }
        }
        for index in x.elements.indices {
            #expect((block.state.position.elements[index] - x.elements[index]).magnitude < 1e-12)
        }
    }

    @Test("Reverse diffusion of a single Gaussian ends near that Gaussian")
    func gaussian() throws {
        let settings = SamplerSettings(
            kind: .reverse, transitions: 0, stepSize: .constant(1), reverseSteps: true, levels: 0...99)
        let density = Gaussian(mean: [0.7], covariance: [[0.09]])
        let plan = SamplingPlan(
            density: density, schedule: cosineSchedule, settings: settings, seed: 3, lanes: 2048)
        let samples = try (0..<4).flatMap { index in
            var block = ChainBlock(plan: plan, index: index)
            while try block.advance() {}
            return block.result(chains: 2048).samples.map(Double.init)
        }
        // Everything is linear, so mean and variance follow from the schedule in closed form.
        var (centre, spread) = (0.0, 1.0)
        for level in cosineSchedule.levels.dropFirst().reversed() {
            let noisedVariance = level.signalVariance * 0.09 + level.noiseVariance
            let growth = 1 / (1 - level.beta).squareRoot()
            let factor = growth * (1 - level.beta / noisedVariance)
            centre = factor * centre + growth * level.beta * level.signal * 0.7 / noisedVariance
            spread = factor * factor * spread + level.beta
        }
        #expect((centre - 0.7).magnitude < 0.01)
        // Two z-scores: false alarm 4e-7.
        #expect(zScore(samples, expected: centre).magnitude < zThreshold)
        let score = (variance(samples) / spread - 1) / (2 / Double(samples.count)).squareRoot()
        #expect(score.magnitude < zThreshold)
    }

    @Test("Step sizes and masses are resolved for every level")
    func resolution() {
        let betas = Self.schedule.levels.map(\.beta)
        #expect(LevelValues.constant(0.3).resolved(over: Self.schedule) == betas.map { _ in 0.3 })
        let table = betas.indices.map { Double($0) + 0.5 }
        #expect(LevelValues.perLevel(table).resolved(over: Self.schedule) == table)
        let powers = LevelValues.betaPower(scale: 2, exponent: 0.5).resolved(over: Self.schedule)
        for (power, beta) in zip(powers, betas) {
            #expect((power / (2 * beta.squareRoot()) - 1).magnitude < 1e-14)
        }
        let settings = SamplerSettings(
            kind: .hmc, transitions: 1, stepSize: .perLevel(table),
            mass: .betaPower(scale: 1, exponent: 1), levels: 0...11)
        let plan = SamplingPlan(
            density: standardNormal(1), schedule: Self.schedule, settings: settings, seed: 0, lanes: 1)
        #expect(plan.stepSizes == table)
        for (mass, beta) in zip(plan.masses, betas) { #expect((mass / beta - 1).magnitude < 1e-14) }
    }

    @Test("Every level runs with its own step size and mass", arguments: [SamplerSettings.Kind.mala, .hmc])
    func perLevel(kind: SamplerSettings.Kind) throws {
        let table = (0..<12).map { 0.05 + 0.03 * Double($0) }
        let masses = (0..<12).map { 1 + 0.1 * Double($0) }
        let settings = SamplerSettings(
            kind: kind, transitions: 2, stepSize: .perLevel(table), mass: .perLevel(masses), levels: 3...5)
        let plan = SamplingPlan(
            density: standardNormal(1), schedule: Self.schedule, settings: settings, seed: 5, lanes: 8)
        var block = ChainBlock(plan: plan, index: 0)
        while try block.advance() {}
        let stream = RandomStream(seed: 5, firstChain: 0)
        var state = ChainState(dimension: 1, lanes: 8)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: 5)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: 5)
        var kernel = try #require(settings.kernel.transitionKernel(dimension: 1, lanes: 8))
        for level in [5, 4, 3] {
            var target = standardNormal(1).evaluator(lanes: 8, at: Self.schedule.levels[level])
            try state.evaluate(&target)
            for transition in 0..<2 {
                let context = TransitionContext(
                    level: level, transition: transition, stepSize: table[level], mass: masses[level],
                    stream: stream)
                try kernel.transition(&state, target: &target, in: context)
            }
        }
        #expect(block.state.position == state.position)
        #expect(block.state.momentum == state.momentum)
    }

    @Test("Kinds know what they are, and reverse has no kernel")
    func kinds() {
        #expect(SamplerSettings.Kind.allCases.filter(\.isHamiltonian) == [.uhmc, .hmc])
        #expect(SamplerSettings.Kind.allCases.filter(\.isAdjusted) == [.mala, .hmc])
        for kind in SamplerSettings.Kind.allCases {
            let settings = SamplerSettings(kind: kind, transitions: 1, stepSize: .constant(1), levels: 0...0)
            #expect((settings.kernel.transitionKernel(dimension: 1, lanes: 1) == nil) == (kind == .reverse))
        }
    }
}
