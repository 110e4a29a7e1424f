import Composition
import EnergyModels
import RandomStreams
import RunFolder
import Testing
import VectorMath

@testable import Sampling

extension SamplingPlan {
    /// What its blocks leave beside their samples, as a job says it beforehand.
    fileprivate var declared: [RunStatistic] {
        settings.statistics(
            levels: schedule.levels.count, lanes: lanes, draws: draws, thin: thin, hasEnergy: hasEnergy,
            trace: trace)
    }
}

@Suite("Statistics of blocks")
struct BlockStatisticTests {
    @Test("A block leaves the arrays that its settings declare, in order, each with its rows and possible numbers")
    func declared() throws {
        var names: Set<String> = []
        for example in CheckpointCase.all {
            var block = ChainBlock(plan: example.plan, index: 0)
            while try block.advance() {}
            let rows = block.result(chains: 8).statistics
            let declared = example.plan.declared
            #expect(rows.names == declared.map(\.name), "\(example)")
            for statistic in declared {
                let bytes = rows[statistic.name] ?? []
                #expect(bytes.count == statistic.size(chains: 8, blocks: 1), "\(statistic.name) of \(example)")
                #expect(statistic.isPossible(bytes, chains: 8), "\(statistic.name) of \(example)")
            }
            names.formUnion(rows.names)
        }
        #expect(
            names.isSuperset(of: [
                "acceptance", "log_weight", "round_trips", "swap_acceptance", "refinement_acceptance",
                "refinement_effective_size", "lp", "energy", "diverging", "trace",
            ]))
    }

    @Test("Of each draw a block tells the log density, with a momentum the energy, and the divergences since the last")
    func ofDraws() throws {
        for example in CheckpointCase.all where example.plan.draws > 1 {
            let plan = example.plan
            var block = ChainBlock(plan: plan, index: 1)
            var (logDensity, energy): ([[Double]], [[Double]]) = ([], [])
            var kept = 0
            while try block.advance() {
                let place = BlockPlace(after: block.stepsDone, of: plan)
                guard place.draws(of: plan) > kept else { continue }
                kept += 1
                let state = block.state
                logDensity.append(state.evaluation.logDensity)
                energy.append(
                    (0..<8).map { lane in
                        let squares = (0..<state.momentum.rows).reduce(0) {
                            $0 + state.momentum[$1, lane] * state.momentum[$1, lane]
                        }
                        return squares / 2 - state.evaluation.logDensity[lane]
                    })
            }
            let result = block.result(chains: 8)
            let found: (lp: [Double], energy: [Double]) = (
                result.statistics.values(of: "lp"), result.statistics.values(of: "energy")
            )
            let diverging: [Int32] = result.statistics.values(of: "diverging")
            #expect(found.energy.isEmpty == !plan.settings.kind.isHamiltonian, "\(example)")
            #expect(kept == plan.draws && diverging.count == 8 * plan.draws && found.lp.count == 8 * plan.draws)
            for chain in 0..<8 {
                let draws = chain * plan.draws..<(chain + 1) * plan.draws
                #expect(Array(found.lp[draws]) == logDensity.map { $0[chain] })
                #expect(found.lp[draws.upperBound - 1] == result.logDensity[chain])
                #expect(diverging[draws].reduce(0, +) == result.divergences[chain])
                guard !found.energy.isEmpty else { continue }
                for (one, other) in zip(found.energy[draws], energy) { #expect((one - other[chain]).magnitude < 1e-12) }
            }
        }
    }

    @Test(
        "Points are kept of the first chains as they leave a level, the noisiest first, and none of chains that only pad"
    )
    func traced() throws {
        for example in CheckpointCase.all {
            guard let settings = example.plan.trace else { continue }
            let plan = example.plan
            var block = ChainBlock(plan: plan, index: 1)
            // As they stood before the next level was entered, or when the first draw was made.
            var left: [Int: [[Double]]] = [:]
            var more = true
            while more {
                let (level, before) = (block.level, block.state.position)
                let isDrawn = BlockPlace(after: block.stepsDone, of: plan).draws(of: plan) > 0
                more = try block.advance()
                guard block.level < level || !more || isDrawn, left[level] == nil else { continue }
                left[level] = (0..<8).map { lane in (0..<2).map { before[$0, lane] } }
            }
            let points: [Float] = block.result(chains: plan.lanes).statistics.values(of: "trace")
            #expect(settings.levels == settings.levels.sorted(by: >))
            let expected = (0..<3).flatMap { chain in
                settings.levels.flatMap { level in (left[level]?[chain] ?? []).map { Float($0) } }
            }
            #expect(points == expected && points.count == 3 * settings.levels.count * 2, "\(example)")
            guard plan.settings.population == nil else { continue }
            let padded: [Float] = block.result(chains: 2).statistics.values(of: "trace")
            #expect(padded.count == points.count)
            let kept = 2 * settings.levels.count * 2
            #expect(padded.prefix(kept) == points.prefix(kept) && padded.dropFirst(kept).allSatisfy(\.isNaN))
        }
    }

    @Test("It is told of draws where there are several, not so many that a block's result would be too large")
    func fewDraws() throws {
        let hmc = CheckpointCase.hamiltonian.plan.settings
        func names(_ draws: Int, lanes: Int = 64, _ settings: SamplerSettings, hasEnergy: Bool = true) -> [String] {
            settings.statistics(
                levels: 6, lanes: lanes, draws: draws, thin: 1, hasEnergy: hasEnergy, trace: nil
            ).map(\.name)
        }
        let ofChains = ["acceptance", "log_density", "divergences"]
        #expect(names(1, hmc) == ofChains)
        #expect(names(8192, hmc) == ofChains + ["lp", "energy", "diverging"])
        #expect(names(8193, hmc) == ofChains)
        #expect(names(2, lanes: 1 << 18, hmc) == ofChains + ["lp", "energy", "diverging"])
        var langevin = hmc
        langevin.kernel = .mala(step: .given(.constant(0.1)), acceptance: .energy)
        #expect(names(2, langevin) == ofChains + ["lp", "diverging"])
        langevin.kernel = .ula(step: .constant(0.1))
        #expect(names(2, langevin, hasEnergy: false) == ofChains + ["diverging"])
    }
}

@Suite("What a transition tells")
struct TransitionInfoTests {
    @Test(
        "A kernel tells what it counts, with probabilities that its decisions bear out",
        arguments: [.mala, .hmc, .ula, .uhmc] as [SamplerSettings.Kind])
    func told(kind: SamplerSettings.Kind) throws {
        let plan = CheckpointCase("", .leaf("mixture"), kind).plan
        let (lanes, level) = (256, plan.schedule.levels[2])
        var target = plan.density.evaluator(lanes: lanes, at: level)
        var kernel = try #require(plan.settings.kernel.transitionKernel(dimension: 2, lanes: lanes))
        let stream = RandomStream(seed: 4, firstChain: 0)
        var state = ChainState(dimension: 2, lanes: lanes)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: 2)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: 2)
        try state.evaluate(&target)
        var (expected, accepted) = (0.0, 0)
        for transition in 0..<40 {
            let before = state
            let info = try kernel.transition(
                &state, target: &target,
                in: TransitionContext(level: 2, transition: transition, stepSize: 0.3, stream: stream))
            #expect(info.accepted.map(Int32.init) == zip(state.accepted, before.accepted).map { $0 - $1 })
            #expect(info.diverged.map(Int32.init) == zip(state.divergences, before.divergences).map { $0 - $1 })
            #expect((info.logRatio != nil) == kind.isAdjusted)
            for lane in 0..<lanes {
                let moved = state.position[0, lane] != before.position[0, lane]
                #expect(moved == (info.accepted[lane] != 0))
                if let ratio = info.logRatio?[lane] { #expect(info.logAcceptance[lane] == min(0, ratio)) }
                expected += Elementary.exp(info.logAcceptance[lane])
            }
            accepted += info.accepted.reduce(0) { $0 + Int($1) }
        }
        // 10 240 decisions: 0.02 are four standard errors and more.
        let all = Double(40 * lanes)
        #expect((Double(accepted) / all - expected / all).magnitude < 0.02)
        #expect(kind.isAdjusted ? accepted < 40 * lanes && accepted > 0 : accepted == 40 * lanes)
    }
}
