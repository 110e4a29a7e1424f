import Composition
import EnergyModels
import Foundation
import Sampling
import Testing
import VectorMath

/// Two narrow modes of weights 0.3 and 0.7 that no transition at level 0 leads between.
private let modes = GaussianMixture(
    means: [[-1, 0.2], [1, 0]], standardDeviations: [[0.1, 0.1], [0.1, 0.1]], weights: [0.3, 0.7])

/// Steps that fit the noised modes: a part of their variance (Langevin), of its square root (leapfrog).
private func stepSizes(_ kind: SamplerSettings.Kind, deviation: Double) -> LevelValues {
    .perLevel(
        cosineSchedule.levels.map {
            let variance = deviation * deviation * $0.signalVariance + $0.noiseVariance
            return kind.isHamiltonian ? 0.7 * variance.squareRoot() : 0.5 * variance
        })
}

private func plan(
    _ kind: SamplerSettings.Kind, of density: any Density = modes, exchange: ExchangeSettings?, deviation: Double = 0.1,
    transitions: Int = 2, draws: Int, thin: Int = 1, lanes: Int = 64
) -> SamplingPlan {
    SamplingPlan(
        density: density, schedule: cosineSchedule,
        settings: SamplerSettings(
            kind: kind, transitions: transitions, leapfrogSteps: 2, damping: 0.5,
            stepSize: stepSizes(kind, deviation: deviation), levels: 0...99, exchange: exchange),
        seed: 17, lanes: lanes, draws: draws, thin: thin)
}

private func finished(_ plan: SamplingPlan, index: Int = 0) throws -> BlockResult {
    var block = ChainBlock(plan: plan, index: index)
    while try block.advance() {}
    return block.result(chains: plan.lanes)
}

private func spaced(_ replicas: Int, every: Int = 1) -> ExchangeSettings {
    ExchangeSettings(levels: ExchangeSettings.levels(replicas, over: 0...99, of: cosineSchedule), every: every)
}

/// The mean over chains of the part of each pair's decisions that were swaps.
private func swapping(_ result: BlockResult) -> [Double] {
    let chains = result.roundTrips.count
    let pairs = result.swapAcceptance.count / chains
    return (0..<pairs).map { pair in
        mean((0..<chains).map { chain in Double(result.swapAcceptance[chain * pairs + pair]) })
    }
}

@Suite("Replica exchange")
struct ReplicaExchangeTests {
    @Test(
        "Draws go between modes where replicas are exchanged, and stay in one where they are not",
        arguments: [SamplerSettings.Kind.mala, .hmc])
    func modesMix(kind: SamplerSettings.Kind) throws {
        let draws = 1000
        func parts(_ result: BlockResult) -> [Double] {
            (0..<64).map { chain in
                let inRight = (0..<draws).filter { result.samples[2 * (chain * draws + $0)] > 0 }
                return Double(inRight.count) / Double(draws)
            }
        }
        let plain = try parts(finished(plan(kind, exchange: nil, draws: draws)))
        #expect(plain.allSatisfy { $0 == 0 || $0 == 1 })
        // Seen: means of 0.692 and 0.702, a standard deviation over chains of 0.06 and 0.05, 99 and 102 round trips a
        // chain. Chains are independent, so the false alarm of the mean is 2e-7.
        let result = try finished(plan(kind, exchange: spaced(8), draws: draws))
        let exchanged = parts(result)
        #expect(zScore(exchanged, expected: 0.7).magnitude < zThreshold)
        #expect(variance(exchanged).squareRoot() < 0.1)
        #expect(result.roundTrips.allSatisfy { (40...200).contains($0) })
        #expect(swapping(result).allSatisfy { $0 > 0.5 })
    }

    // Over 64 chains, 50 draws each. A chain's means over its draws are independent of those of other chains; their
    // standard deviation makes the bounds 5 standard errors wide, false alarm 6e-7. Exact samples have 2.75 and 0.93.
    // Seen: 2.75 and 0.929 at 7 726 gradients a chain; without exchange 1.75 and 0.854 at 4 260, for the second half of
    // the draws.
    @Test("What annealing does wrong is forgotten where replicas are exchanged: ring and bar")
    func ringAndBar() throws {
        func quality(_ exchange: ExchangeSettings?, thin: Int) throws -> (near: [Double], likelihood: [Double]) {
            let draws = 100
            let result = try finished(
                plan(.mala, of: try RingAndBar.density(), exchange: exchange, deviation: 0.03, draws: draws, thin: thin)
            )
            let means = (0..<64).map { chain in
                let points = (draws / 2..<draws).map { draw in
                    (0..<2).map { Double(result.samples[2 * (chain * draws + draw) + $0]) }
                }
                let near = points.filter { hypot($0[0], $0[1].magnitude - 0.5) < 0.09 }.count
                return (
                    near: Double(near) / Double(draws / 2),
                    likelihood: mean(points.map { RingAndBar.logRatio($0[0], $0[1]) })
                )
            }
            return (means.map(\.near), means.map(\.likelihood))
        }
        let exchanged = try quality(spaced(8), thin: 5)
        func error(_ x: [Double]) -> Double { (variance(x) / 64).squareRoot() }
        #expect((mean(exchanged.near) - 0.93).magnitude < 5 * error(exchanged.near) + 0.005)
        #expect(error(exchanged.near) < 0.01)
        #expect((mean(exchanged.likelihood) - 2.75).magnitude < 5 * error(exchanged.likelihood) + 0.02)
        #expect(error(exchanged.likelihood) < 0.05)
        let plain = try quality(nil, thin: 40)
        #expect(mean(plain.near) < 0.9 && mean(plain.likelihood) < 2.2)
    }

    @Test("Where every swap is taken walkers go round, and round trips are counted as they are made", arguments: 2...7)
    func walkers(replicas: Int) throws {
        // N(0, I) is itself at every level.
        let rounds = 60
        let result = try finished(
            plan(
                .mala, of: standardNormal(2), exchange: spaced(replicas, every: 2), deviation: 1, draws: 1 + rounds / 3,
                thin: 3, lanes: 8))
        #expect(result.swapAcceptance.count == 8 * (replicas - 1))
        #expect(result.swapAcceptance.allSatisfy { $0 == 1 })
        // The same by hand: where each walker is, and the ends where it was.
        var places = Array(0..<replicas)
        var ends = [[Int]](repeating: [], count: replicas)
        ends[0] = [0]
        for exchange in 0..<rounds / 2 {
            for pair in stride(from: replicas == 2 ? 0 : exchange % 2, to: replicas - 1, by: 2) {
                places.swapAt(pair, pair + 1)
            }
            for (end, place) in [0, replicas - 1].enumerated() where ends[places[place]].last != end {
                ends[places[place]].append(end)
            }
        }
        // From the first visit of the last level on, every second end is the last level again.
        let trips = ends.map { max(0, (($0.first == 0 ? $0.count : $0.count - 1) - 1) / 2) }.reduce(0, +)
        #expect(trips > 0)
        #expect(result.roundTrips == [Int32](repeating: Int32(trips), count: 8))
    }

    @Test("Every round costs each replica's transition, every exchange two evaluations for each of its pairs")
    func cost() throws {
        func perChain(_ kind: SamplerSettings.Kind, _ exchange: ExchangeSettings?, draws: Int, thin: Int) throws -> Int
        {
            try finished(plan(kind, exchange: exchange, draws: draws, thin: thin, lanes: 4)).gradientEvaluations / 4
        }
        // Levels with two transitions; then rounds.
        #expect(try perChain(.mala, nil, draws: 7, thin: 2) == 100 * 3 + 12)
        #expect(try perChain(.mala, spaced(2), draws: 7, thin: 2) == 100 * 3 + 12 * 2 + 12 * 2)
        #expect(try perChain(.mala, spaced(4), draws: 7, thin: 2) == 100 * 3 + 12 * 4 + 6 * (4 + 2))
        #expect(try perChain(.hmc, spaced(5, every: 3), draws: 13, thin: 1) == 100 * 5 + 12 * 5 * 2 + 2 * (4 + 4))
        #expect(try perChain(.mala, spaced(5, every: 13), draws: 13, thin: 1) == 100 * 3 + 12 * 5)
    }

    @Test("Replicas that never meet leave the draws as they are, and swaps without a decision are not a number")
    func never() throws {
        let plain = try finished(plan(.hmc, exchange: nil, draws: 5, thin: 2))
        let apart = try finished(plan(.hmc, exchange: spaced(3, every: 9), draws: 5, thin: 2))
        #expect(apart.samples == plain.samples)
        #expect(apart.logDensity == plain.logDensity)
        #expect(apart.roundTrips == [Int32](repeating: 0, count: 64))
        #expect(apart.swapAcceptance.count == 128 && apart.swapAcceptance.allSatisfy { $0.isNaN })
        #expect(plain.roundTrips.isEmpty && plain.swapAcceptance.isEmpty)
        let levels = spaced(3).levels
        for level in 0..<100 {
            let fractions = (0..<64).map { (plain.acceptance[$0 * 100 + level], apart.acceptance[$0 * 100 + level]) }
            if level == 0 || !levels.contains(level) {
                #expect(fractions.allSatisfy { $0 == $1 })
            } else {
                // Two transitions before, and eight rounds.
                #expect(fractions.allSatisfy { ($1 * 10).rounded() == $1 * 10 && (0...1).contains($1) })
            }
        }
    }

    @Test("A chain's draws and counts do not depend on the width of its block or on the lanes beside it")
    func lanes() throws {
        let wide = try finished(plan(.hmc, exchange: spaced(4), draws: 6, thin: 2), index: 1)
        for part in 0..<4 {
            let narrow = try finished(plan(.hmc, exchange: spaced(4), draws: 6, thin: 2, lanes: 16), index: 4 + part)
            let chains = part * 16..<(part + 1) * 16
            #expect(narrow.samples == Array(wide.samples[chains.lowerBound * 12..<chains.upperBound * 12]))
            #expect(narrow.roundTrips == Array(wide.roundTrips[chains]))
            #expect(narrow.swapAcceptance == Array(wide.swapAcceptance[chains.lowerBound * 3..<chains.upperBound * 3]))
        }
    }

    @Test("Progress counts every replica's transition, and draws are kept at the ends of rounds")
    func progress() throws {
        let plan = plan(.mala, exchange: spaced(3), draws: 3, thin: 2, lanes: 4)
        var block = ChainBlock(plan: plan, index: 0)
        let annealing = 100 * (1 + 2)
        #expect(block.steps == annealing + 4 * 3)
        var boundaries: [Int] = []
        var evaluations: [Int] = []
        while try block.advance() {
            if block.atLevelBoundary, block.stepsDone >= annealing { boundaries.append(block.stepsDone - annealing) }
            if block.stepsDone >= annealing { evaluations.append(block.state.evaluations - 300) }
        }
        #expect(block.stepsDone == block.steps)
        #expect(boundaries == [0, 6, 12])
        #expect(evaluations == [0, 1, 2, 5, 6, 7, 10, 11, 12, 15, 16, 17, 20])
    }
}

@Suite("Settings of an exchange")
struct ExchangeSettingsTests {
    @Test("Levels are spaced by about the same factor of noise, whatever there is to choose from")
    func levels() {
        #expect(ExchangeSettings.levels(6, over: 0...99, of: cosineSchedule) == [0, 2, 6, 14, 31, 99])
        #expect(ExchangeSettings.levels(100, over: 0...99, of: cosineSchedule) == Array(0...99))
        #expect(ExchangeSettings.levels(2, over: 7...8, of: cosineSchedule) == [7, 8])
        for schedule in [cosineSchedule, NoiseSchedule(ScheduleDescription(kind: .linear(), levels: 100))] {
            for count in 2...20 {
                let levels = ExchangeSettings.levels(count, over: 3...70, of: schedule)
                #expect(levels.count == count && levels.first == 3 && levels.last == 70)
                #expect(zip(levels, levels.dropFirst()).allSatisfy(<))
            }
        }
    }

    @Test("An exchange that can't be is refused by what forbids it")
    func conflicts() {
        func conflict(
            _ levels: [Int], every: Int = 1, kind: SamplerSettings.Kind = .hmc, hasEnergy: Bool = true, draws: Int = 2,
            range: ClosedRange<Int> = 0...9, reverseSteps: Bool = false, threshold: Double? = nil
        ) -> String? {
            let conflict = SamplerSettings(
                kind: kind, acceptance: .line(points: 2), transitions: 1, stepSize: .constant(1),
                reverseSteps: reverseSteps, levels: range,
                population: threshold.map { PopulationSettings(threshold: $0) },
                exchange: ExchangeSettings(levels: levels, every: every)
            ).conflict(hasEnergy: hasEnergy, draws: draws)
            #expect(conflict == nil || conflict?.option == .exchange)
            return conflict?.description
        }
        #expect(conflict([0, 5]) == nil)
        #expect(conflict([0, 1, 9], kind: .mala, reverseSteps: true) == nil)
        #expect(conflict([3, 5], range: 3...9) == nil)
        #expect(conflict([3, 5], range: 3...9, reverseSteps: true)?.hasPrefix("the first level must be 0") == true)
        #expect(conflict([1, 5])?.hasPrefix("the first level must be 0") == true)
        for levels in [[], [0], [0, 0], [5, 0], [0, 10], [-1, 0]] {
            #expect(conflict(levels)?.hasPrefix("levels must be at least two") == true)
        }
        #expect(conflict([0, 5], every: 0) == "every is 0, not at least 1")
        #expect(conflict([0, 5], hasEnergy: false)?.contains("this target has scores alone") == true)
        for kind in [SamplerSettings.Kind.ula, .uhmc, .reverse] {
            #expect(conflict([0, 5], kind: kind)?.hasPrefix("\(kind) samples no level exactly") == true)
        }
        #expect(conflict([0, 5], threshold: 0.5)?.contains("chains of a population") == true)
        #expect(conflict([0, 5], draws: 1)?.contains("more than 1 draw") == true)
    }
}
