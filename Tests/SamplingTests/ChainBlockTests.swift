import Composition
import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

private let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 12))
private let mixture = GaussianMixture(
    means: [[0.8, 0], [-0.5, 0.6]], standardDeviations: [[0.4, 0.6], [0.5, 0.3]], weights: [1, 2])

private func settings(
    _ kind: SamplerSettings.Kind, acceptance: AcceptanceRule = .energy, transitions: Int = 3, leapfrogSteps: Int = 2,
    reverseSteps: Bool = false, levels: ClosedRange<Int> = 0...11
) -> SamplerSettings {
    SamplerSettings(
        kind: kind, acceptance: acceptance, transitions: transitions, leapfrogSteps: leapfrogSteps, damping: 0.5,
        stepSize: .constant(kind.isHamiltonian ? 0.3 : 0.05), reverseSteps: reverseSteps, levels: levels)
}

private func plan(
    _ settings: SamplerSettings, seed: UInt64 = 11, lanes: Int = 64, draws: Int = 1, thin: Int = 1
) -> SamplingPlan {
    SamplingPlan(
        density: mixture, schedule: schedule, settings: settings, seed: seed, lanes: lanes, draws: draws,
        thin: thin)
}

private func finished(_ plan: SamplingPlan, index: Int) throws -> ChainBlock {
    var block = ChainBlock(plan: plan, index: index)
    while try block.advance() {}
    return block
}

private let moving: [SamplerSettings.Kind] = [.ula, .mala, .uhmc, .hmc]

@Suite("Blocks of chains")
struct ChainBlockTests {
    @Test(
        "Where the score alone is known the log density is NaN and nothing else changes",
        arguments: [.ula, .uhmc] as [SamplerSettings.Kind])
    func scoreAlone(kind: SamplerSettings.Kind) throws {
        let known = try finished(plan(settings(kind)), index: 1).result(chains: 60)
        let unknown = try finished(
            SamplingPlan(
                density: mixture, hasEnergy: false, schedule: schedule, settings: settings(kind), seed: 11, lanes: 64),
            index: 1
        ).result(chains: 60)
        #expect(unknown.samples == known.samples)
        #expect(unknown.divergences == known.divergences)
        #expect(known.logDensity.allSatisfy { $0.isFinite })
        #expect(unknown.logDensity.count == 60 && unknown.logDensity.allSatisfy { $0.isNaN })
    }

    @Test(
        "A block gives the same bits first, last, twice, and interleaved with others",
        arguments: SamplerSettings.Kind.allCases)
    func repeatable(kind: SamplerSettings.Kind) throws {
        let plan = plan(settings(kind, transitions: kind == .reverse ? 0 : 3, reverseSteps: kind == .reverse))
        let alone = try finished(plan, index: 2).result(chains: 64)
        for index in [0, 1] { _ = try finished(plan, index: index) }
        #expect(try sameBits(finished(plan, index: 2).result(chains: 64), alone))
        var blocks = [ChainBlock(plan: plan, index: 1), ChainBlock(plan: plan, index: 2)]
        while try blocks[0].advance() { _ = try blocks[1].advance() }
        #expect(sameBits(blocks[1].result(chains: 64), alone))
        #expect(!sameBits(blocks[0].result(chains: 64), alone))
        #expect(Set(alone.samples).count > 100)
    }

    @Test(
        "A chain's results do not depend on the width of its block or on the lanes beside it",
        arguments: moving)
    func lanes(kind: SamplerSettings.Kind) throws {
        let wide = try finished(plan(settings(kind), lanes: 64), index: 1).result(chains: 64)
        // Chains 64 to 127 once more, in blocks of 16; and cut short, as padding would be.
        for part in 0..<4 {
            let narrow = try finished(plan(settings(kind), lanes: 16), index: 4 + part).result(chains: 16)
            #expect(narrow.samples == Array(wide.samples[part * 32..<(part + 1) * 32]))
            #expect(narrow.logDensity == Array(wide.logDensity[part * 16..<(part + 1) * 16]))
            #expect(narrow.acceptance == Array(wide.acceptance[part * 192..<(part + 1) * 192]))
        }
        let cut = try finished(plan(settings(kind), lanes: 64), index: 1).result(chains: 5)
        #expect(cut.samples == Array(wide.samples.prefix(10)))
        #expect(cut.acceptance == Array(wide.acceptance.prefix(60)))
        #expect(cut.logDensity == Array(wide.logDensity.prefix(5)))
        #expect(cut.divergences == [0, 0, 0, 0, 0])
        #expect(cut.gradientEvaluations * 64 == wide.gradientEvaluations * 5)
    }

    @Test("Another seed gives other chains")
    func seeds() throws {
        let one = try finished(plan(settings(.mala), seed: 1), index: 0).result(chains: 64)
        let other = try finished(plan(settings(.mala), seed: 2), index: 0).result(chains: 64)
        #expect(zip(one.samples, other.samples).allSatisfy { $0 != $1 })
    }

    @Test("Statistics have their shapes, and NaN where no transition ran", arguments: moving)
    func shapes(kind: SamplerSettings.Kind) throws {
        let plan = plan(settings(kind, reverseSteps: true, levels: 4...8), draws: 1)
        let block = try finished(plan, index: 0)
        let result = block.result(chains: 10)
        #expect(result.samples.count == 10 * 2)
        #expect(result.acceptance.count == 10 * 12)
        #expect(result.logDensity.count == 10)
        #expect(result.divergences == [Int32](repeating: 0, count: 10))
        for chain in 0..<10 {
            for level in 0..<12 {
                let fraction = result.acceptance[chain * 12 + level]
                if (4...8).contains(level) {
                    #expect((0...1).contains(fraction))
                    #expect((fraction * 3).rounded() == fraction * 3)
                    if !kind.isAdjusted { #expect(fraction == 1) }
                } else {
                    #expect(fraction.isNaN)
                }
            }
        }
    }

    @Test("Every level costs K L + 1 evaluations, every further draw its transitions alone")
    func evaluations() throws {
        func cost(_ settings: SamplerSettings, draws: Int = 1, thin: Int = 1) throws -> Int {
            try finished(plan(settings, draws: draws, thin: thin), index: 0).result(chains: 3).gradientEvaluations
        }
        #expect(try cost(settings(.mala, transitions: 3)) == 3 * 12 * (3 + 1))
        #expect(try cost(settings(.ula, transitions: 5)) == 3 * 12 * (5 + 1))
        #expect(try cost(settings(.hmc, transitions: 3, leapfrogSteps: 4)) == 3 * 12 * (3 * 4 + 1))
        #expect(try cost(settings(.uhmc, transitions: 2, leapfrogSteps: 1)) == 3 * 12 * (2 + 1))
        #expect(try cost(settings(.mala, acceptance: .line(points: 5))) == 3 * 12 * (3 * (1 + 3) + 1))
        #expect(try cost(settings(.mala, acceptance: .line(points: 2))) == 3 * 12 * (3 + 1))
        #expect(try cost(settings(.hmc, acceptance: .line(points: 10))) == 3 * 12 * (3 * (2 + 8) + 1))
        #expect(try cost(settings(.hmc, acceptance: .path)) == 3 * 12 * (3 * 2 + 1))
        // A kernel that always accepts integrates nothing.
        #expect(try cost(settings(.ula, acceptance: .line(points: 5))) == 3 * 12 * (3 + 1))
        #expect(try cost(settings(.reverse, transitions: 0, reverseSteps: true)) == 3 * 12)
        #expect(try cost(settings(.hmc, levels: 2...5)) == 3 * 4 * (3 * 2 + 1))
        #expect(try cost(settings(.hmc, reverseSteps: true, levels: 2...5)) == 3 * (12 + 4 * 3 * 2))
        #expect(try cost(settings(.hmc), draws: 4, thin: 5) == 3 * (12 * (3 * 2 + 1) + 3 * 5 * 2))
    }

    @Test("Draw j is the state after K + j thin transitions at the last level", arguments: moving)
    func draws(kind: SamplerSettings.Kind) throws {
        let coarse = try finished(plan(settings(kind), draws: 3, thin: 2), index: 0).result(chains: 7)
        let fine = try finished(plan(settings(kind), draws: 5, thin: 1), index: 0).result(chains: 7)
        let single = try finished(plan(settings(kind)), index: 0).result(chains: 7)
        #expect(coarse.samples.count == 7 * 3 * 2)
        for chain in 0..<7 {
            for draw in 0..<3 {
                let one = coarse.samples[(chain * 3 + draw) * 2..<(chain * 3 + draw + 1) * 2]
                let other = fine.samples[(chain * 5 + 2 * draw) * 2..<(chain * 5 + 2 * draw + 1) * 2]
                #expect(Array(one) == Array(other))
            }
            let first = Array(coarse.samples[chain * 6..<chain * 6 + 2])
            #expect(first == Array(single.samples[chain * 2..<chain * 2 + 2]))
        }
        #expect(coarse.logDensity == fine.logDensity)
        #expect(coarse.acceptance.map(\.bitPattern) == fine.acceptance.map(\.bitPattern))
    }

    @Test("Further draws continue the transitions of the last level", arguments: moving)
    func continuation(kind: SamplerSettings.Kind) throws {
        let drawn = try finished(plan(settings(kind, levels: 2...2), draws: 3, thin: 2), index: 0)
        let straight = try finished(plan(settings(kind, transitions: 3 + 2 * 2, levels: 2...2)), index: 0)
        #expect(drawn.state == straight.state)
        #expect(
            drawn.result(chains: 64).acceptance.map(\.bitPattern)
                == straight.result(chains: 64).acceptance.map(\.bitPattern))
    }

    @Test("A level's transitions are those of the kernel with the plan's stream", arguments: moving)
    func level(kind: SamplerSettings.Kind) throws {
        let settings = settings(kind, levels: 6...6)
        let block = try finished(plan(settings), index: 3)
        let stream = RandomStream(seed: 11, firstChain: 3 * 64)
        var state = ChainState(dimension: 2, lanes: 64)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: 6)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: 6)
        var target = mixture.evaluator(lanes: 64, at: schedule.levels[6])
        try state.evaluate(&target)
        var kernel = try #require(settings.kernel.transitionKernel(dimension: 2, lanes: 64))
        for transition in 0..<3 {
            let stepSize = kind.isHamiltonian ? 0.3 : 0.05
            let context = TransitionContext(level: 6, transition: transition, stepSize: stepSize, stream: stream)
            try kernel.transition(&state, target: &target, in: context)
        }
        #expect(block.state == state)
    }

    @Test("Progress counts entries and transitions, and acceptance is told on the way")
    func progress() throws {
        // Levels 5, 4 and 3 are entered and get three transitions; two further draws, two transitions apart.
        let transitions = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]
        let boundaries: Set = [0, 4, 8, 12, 14, 16]
        var block = ChainBlock(plan: plan(settings(.mala, levels: 3...5), draws: 3, thin: 2), index: 0)
        #expect(block.steps == 16)
        #expect(block.latestAcceptance(chains: 64) == nil)
        #expect(block.atLevelBoundary)
        for (unit, made) in transitions.enumerated() {
            let evaluations = block.state.evaluations
            let advanced = try block.advance()
            #expect(advanced)
            #expect(block.stepsDone == unit + 1)
            #expect(block.state.evaluations == evaluations + 1)
            #expect(block.atLevelBoundary == boundaries.contains(unit + 1))
            let accepted = block.state.accepted.reduce(0) { $0 + Int($1) }
            #expect(block.latestAcceptance(chains: 64) == (made > 0 ? Double(accepted) / Double(64 * made) : nil))
        }
        let state = block.state
        let advanced = try block.advance()
        #expect(!advanced)
        #expect(block.state == state)
        #expect(block.stepsDone == 16)
    }

    @Test("A level without transitions is one unit, and draws follow it where it is the last")
    func levelsWithoutTransitions() throws {
        var block = ChainBlock(
            plan: plan(settings(.mala, reverseSteps: true, levels: 4...8), draws: 3, thin: 2), index: 0)
        #expect(block.steps == 12 + 5 * 3 + 2 * 2)
        var boundaries: [Int] = []
        repeat { if block.atLevelBoundary { boundaries.append(block.stepsDone) } } while try block.advance()
        #expect(boundaries == [0, 1, 2, 3, 7, 11, 15, 19, 23, 24, 25, 26, 27, 29, 31])
    }

    @Test("Reverse diffusion proposes nothing, so its acceptance is NaN, also with several draws")
    func reverseAcceptance() throws {
        for draws in [1, 3] {
            let plan = plan(settings(.reverse, transitions: 0, reverseSteps: true), draws: draws)
            let block = try finished(plan, index: 0)
            #expect(block.latestAcceptance(chains: 4) == nil)
            #expect(block.result(chains: 4).acceptance.allSatisfy { $0.isNaN })
        }
    }
}
