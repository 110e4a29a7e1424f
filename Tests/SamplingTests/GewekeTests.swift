import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

/// The posterior of a point x with a density as its prior, known by data y = x + tau z; other data on every lane.
private struct Posterior: DensityEvaluator {
    var prior: any DensityEvaluator
    let data: LaneMatrix
    let tau: Double

    mutating func move(to level: NoiseLevel) { prior.move(to: level) }

    mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
        try prior.evaluate(at: x, into: &evaluation)
        for row in 0..<x.rows {
            for lane in 0..<x.lanes {
                let gap = (data[row, lane] - x[row, lane]) / tau
                evaluation.logDensity[lane] -= gap * gap / 2
                evaluation.score[row, lane] += gap / tau
            }
        }
    }
}

/// One round of Geweke's (2004): data are drawn given the chains' points, then the points move by a kernel given the
/// data. If the kernel leaves every posterior as it is, the round leaves prior and momenta as they are, whatever a
/// posterior's normaliser.
private struct GewekeRound: TransitionKernel {
    var kernel: any TransitionKernel
    let prior: any Density
    let level: NoiseLevel
    let tau: Double
    let transitions: Int

    mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) throws(EvaluationError) -> TransitionInfo {
        let lanes = state.position.lanes
        var data = LaneMatrix(rows: state.position.rows, lanes: lanes)
        context.stream.fillNormals(
            &data, purpose: .dataPoint, level: context.level, transition: context.transition)
        data.scale(by: tau)
        data.add(1, state.position)
        var posterior: any DensityEvaluator = Posterior(
            prior: prior.evaluator(lanes: lanes, at: level), data: data, tau: tau)
        try state.evaluate(&posterior)
        var info = TransitionInfo(accepted: [])
        for transition in 0..<transitions {
            var inner = context
            inner.transition = context.transition * transitions + transition
            info = try kernel.transition(&state, target: &posterior, in: inner)
        }
        return info
    }
}

/// How a kernel is tried: 20 480 chains, ten rounds of two transitions from exact draws of the prior.
private struct Trial: Sendable, CustomTestStringConvertible {
    let prior: ExactCase
    let stepSize: Double
    /// 0 for Langevin.
    var leapfrogSteps = 0
    var damping = 0.0
    var rule = AcceptanceRule.energy

    var testDescription: String { "\(prior.name), \(leapfrogSteps > 0 ? "hmc" : "mala"), \(rule)" }

    func kernel(_ dimension: Int, _ lanes: Int) -> any TransitionKernel {
        if leapfrogSteps == 0 {
            return LangevinKernel(adjusted: true, acceptance: rule, dimension: dimension, lanes: lanes)
        }
        return HamiltonianKernel(
            adjusted: true, acceptance: rule, leapfrogSteps: leapfrogSteps, damping: damping, dimension: dimension,
            lanes: lanes)
    }

    func drift(_ kernel: (_ dimension: Int, _ lanes: Int) -> any TransitionKernel) throws -> Invariance {
        let density = rule.needsEnergy ? prior.density : ScoreOnly(prior.density)
        return try invariance(
            of: {
                GewekeRound(kernel: kernel($0, $1), prior: density, level: prior.level, tau: 0.7, transitions: 2)
            }, on: prior, stepSize: stepSize, transitions: 10)
    }
}

private let trials = [ExactCases.bumpy, ExactCases.mixture].flatMap { prior in
    [AcceptanceRule.energy, .line(points: 12)].flatMap { rule in
        [
            Trial(prior: prior, stepSize: 0.08, rule: rule),
            Trial(prior: prior, stepSize: 0.4, leapfrogSteps: 2, damping: 0.7, rule: rule),
        ]
    }
}

@Suite("Geweke's joint test")
struct GewekeTests {
    // 18 z-scores a run: false alarm 18 * 2e-7 = 4e-6 each. `acceptance` counts two transitions as one.
    @Test("Data drawn given the chains, and chains moved given the data, keep the prior", arguments: trials)
    fileprivate func joint(trial: Trial) throws {
        let result = try trial.drift(trial.kernel)
        #expect(result.worst < zThreshold, "\(result.worstName)")
        #expect((1.1...1.8).contains(result.acceptance))
    }

    @Test(
        "A bug is found out",
        arguments: [
            (Fault.squaredStep, 0), (.proposalForgotten, 0), (.aliasedMomentum, 2), (.momentumKept, 2),
        ])
    func faults(fault: Fault, leapfrogSteps: Int) throws {
        let trial = Trial(
            prior: ExactCases.bumpy, stepSize: leapfrogSteps > 0 ? 0.5 : 0.08, leapfrogSteps: leapfrogSteps,
            damping: 0.7)
        let method =
            leapfrogSteps > 0
            ? PlainKernel.Method.hamiltonian(leapfrogSteps: leapfrogSteps, damping: 0.7) : .langevin
        let right = try trial.drift { _, _ in PlainKernel(method: method, fault: nil) }
        #expect(right.worst < zThreshold, "\(right.worstName)")
        let wrong = try trial.drift { _, _ in PlainKernel(method: method, fault: fault) }
        #expect(wrong.worst > 1.5 * zThreshold, "\(wrong.worst)")
    }
}
