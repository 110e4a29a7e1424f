import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

/// N(0, I) or another density, but for a region where something is wrong.
private struct Holed: Density {
    enum Defect: Sendable, CaseIterable { case everything, logDensity, plusInfinity, score, infiniteScore }

    let defect: Defect
    var inner: any Density = standardNormal(2)
    let shape = PointShape(dimension: 2)

    /// Where the defect is.
    static func isBad(_ x: Double) -> Bool { x > 0.8 }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(defect: defect, inner: inner.evaluator(lanes: lanes, at: level))
    }

    struct Evaluator: DensityEvaluator {
        let defect: Defect
        var inner: any DensityEvaluator

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            try inner.evaluate(at: x, into: &evaluation)
            for lane in 0..<x.lanes where Holed.isBad(x[0, lane]) {
                switch defect {
                case .everything: (evaluation.logDensity[lane], evaluation.score[0, lane]) = (.nan, .nan)
                case .logDensity: evaluation.logDensity[lane] = .nan
                case .plusInfinity: evaluation.logDensity[lane] = .infinity
                case .score: evaluation.score[1, lane] = .nan
                case .infiniteScore: evaluation.score[1, lane] = -.infinity
                }
            }
        }
    }
}

private let kinds: [SamplerSettings.Kind] = [.ula, .mala, .uhmc, .hmc]

private let moves: [(SamplerSettings.Kind, AcceptanceRule)] =
    kinds.map { ($0, .energy) } + [(.mala, .line(points: 4)), (.hmc, .line(points: 4)), (.hmc, .path)]

private func settings(_ kind: SamplerSettings.Kind, _ acceptance: AcceptanceRule = .energy) -> SamplerSettings {
    SamplerSettings(
        kind: kind, acceptance: acceptance, transitions: 1, leapfrogSteps: 1, damping: 0.5, stepSize: .constant(0.5),
        levels: 0...0)
}

@Suite("Divergences")
struct DivergenceTests {
    @Test(
        "A proposal that is not finite is rejected and counted, by every kernel and for every defect",
        arguments: moves, Holed.Defect.allCases)
    fileprivate func rejection(move: (SamplerSettings.Kind, AcceptanceRule), defect: Holed.Defect) throws {
        let kind = move.0
        let lanes = 256
        var target = Holed(defect: defect).evaluator(lanes: lanes, at: singleLevel.levels[0])
        let stream = RandomStream(seed: 21, firstChain: 0)
        var state = ChainState(dimension: 2, lanes: lanes)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: 0)
        for lane in 0..<lanes where Holed.isBad(state.position[0, lane]) { state.position[0, lane] *= -1 }
        try state.evaluate(&target)
        var kernel = try #require(settings(kind, move.1).kernel.transitionKernel(dimension: 2, lanes: lanes))
        var mistakes = 0
        for transition in 0..<10 {
            let before = state
            let context = TransitionContext(level: 0, transition: transition, stepSize: 0.5, stream: stream)
            try kernel.transition(&state, target: &target, in: context)
            for lane in 0..<lanes {
                let diverged = state.divergences[lane] - before.divergences[lane]
                let moved = state.accepted[lane] - before.accepted[lane]
                let stayed = column(state.position, lane) == column(before.position, lane)
                let counted = (0...1).contains(diverged) && (0...1).contains(moved) && diverged + moved <= 1
                let decided = kind.isAdjusted || diverged + moved == 1
                if !counted || !decided || stayed != (moved == 0) { mistakes += 1 }
            }
        }
        #expect(mistakes == 0)
        #expect(state.divergences.reduce(0, +) > 50)
        for lane in 0..<lanes {
            #expect(!Holed.isBad(state.position[0, lane]))
            #expect(state.logDensityIsFinite(lane))
            #expect(column(state.momentum, lane).allSatisfy { $0.isFinite })
        }
    }

    @Test("Without defects nothing diverges", arguments: kinds)
    func nothing(kind: SamplerSettings.Kind) throws {
        let plan = SamplingPlan(
            density: standardNormal(2), schedule: singleLevel, settings: settings(kind), seed: 4, lanes: 64)
        var block = ChainBlock(plan: plan, index: 0)
        while try block.advance() {}
        #expect(block.result(chains: 64).divergences.allSatisfy { $0 == 0 })
    }

    @Test(
        "Chains that start in a region without numbers stay finite, and are marked",
        arguments: SamplerSettings.Kind.allCases)
    func startInside(kind: SamplerSettings.Kind) throws {
        var settings = settings(kind)
        settings.transitions = kind == .reverse ? 0 : 4
        settings.reverseSteps = true
        settings.levels = 0...5
        let plan = SamplingPlan(
            density: Holed(defect: .everything),
            schedule: NoiseSchedule(ScheduleDescription(kind: .linear(), levels: 6)), settings: settings,
            seed: 4, lanes: 256)
        var start = LaneMatrix(rows: 2, lanes: 256)
        RandomStream(seed: 4, firstChain: 0).fillNormals(&start, purpose: .initialPosition, level: 5)
        var block = ChainBlock(plan: plan, index: 0)
        while try block.advance() {}
        let result = block.result(chains: 256)
        #expect(result.samples.allSatisfy { $0.isFinite })
        for lane in 0..<256 where Holed.isBad(start[0, lane]) { #expect(result.divergences[lane] > 0) }
    }

    @Test("The descendants of a diverged chain are marked as it is", arguments: Holed.Defect.allCases)
    fileprivate func descendants(defect: Holed.Defect) throws {
        let narrow = Gaussian(mean: [0.6, 0], covariance: [[0.1, 0], [0, 0.1]])
        let plan = SamplingPlan(
            density: Holed(defect: defect, inner: narrow), schedule: GaussianProduct.schedule,
            settings: SamplerSettings(
                kind: .hmc, transitions: 2, leapfrogSteps: 1, damping: 0.5, stepSize: .constant(0.5), levels: 0...11,
                population: PopulationSettings(threshold: 0.9)),
            seed: 4, lanes: 64)
        func chains(_ state: ChainState) -> [[Double]] {
            (0..<64).map { column(state.position, $0) + column(state.momentum, $0) + [Double(state.divergences[$0])] }
        }
        var block = ChainBlock(plan: plan, index: 0)
        var (copied, marked) = (0, 0)
        for _ in 0..<12 {
            let before = Set(chains(block.state))
            // The entry, and two transitions.
            _ = try block.advance()
            let after = chains(block.state)
            #expect(after.allSatisfy { before.contains($0) })
            copied += Set(after).count < 64 ? 1 : 0
            marked += Set(block.state.divergences).count > 1 ? 1 : 0
            for _ in 0..<2 { _ = try block.advance() }
        }
        #expect(copied > 2 && marked > 1)
    }
}

extension ChainState {
    fileprivate func logDensityIsFinite(_ lane: Int) -> Bool {
        evaluation.logDensity[lane].isFinite && column(evaluation.score, lane).allSatisfy { $0.isFinite }
    }
}
