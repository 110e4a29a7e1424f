import Composition
package import EnergyModels
import RandomStreams
import VectorMath

/// Langevin transitions: y = x + h s(x) + sqrt(2 h) z, always accepted (ULA) or by the rule of
/// Metropolis and Hastings (MALA) with
/// log a = l(y) - l(x) - |x - y - h s(y)|^2 / (4 h) + |y - x - h s(x)|^2 / (4 h).
///
/// Without energies l(y) - l(x) is the integral of the score along a line (``AcceptanceRule/line(points:)``). With two
/// points that leaves log a = h (|s(x)|^2 - |s(y)|^2) / 4, blind to what lies between.
package struct LangevinKernel: TransitionKernel {
    private let adjusted: Bool
    private let acceptance: AcceptanceRule
    private var line: LineIntegral?
    private var noise: LaneMatrix
    private var proposal: LaneMatrix
    private var evaluation: Evaluation
    private var change: [Double]
    private var forward: [Double]
    private var backward: [Double]
    private var decision: Decision

    /// - Parameters:
    ///   - adjusted: whether proposals may be rejected (MALA).
    ///   - acceptance: where they may, how l(y) - l(x) is known; not along a path.
    package init(adjusted: Bool, acceptance: AcceptanceRule = .energy, dimension: Int, lanes: Int) {
        precondition(acceptance != .path)
        self.adjusted = adjusted
        self.acceptance = acceptance
        if adjusted, case .line(let points) = acceptance {
            line = LineIntegral(points: points, dimension: dimension, lanes: lanes)
        }
        change = [Double](repeating: 0, count: lanes)
        noise = LaneMatrix(rows: dimension, lanes: lanes)
        proposal = noise
        evaluation = Evaluation(dimension: dimension, lanes: lanes)
        forward = [Double](repeating: 0, count: lanes)
        backward = forward
        decision = Decision(lanes: lanes)
    }

    package mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) throws(EvaluationError) -> TransitionInfo {
        let h = context.stepSize
        context.stream.fillNormals(
            &noise, purpose: .proposal, level: context.level, transition: context.transition)
        proposal.set(state.position, plus: h, state.evaluation.score)
        proposal.add((2 * h).squareRoot(), noise)
        if !adjusted, let bounds = context.bounds { bounds.fold(&proposal, momentum: &noise) }
        try target.evaluate(at: proposal, into: &evaluation)
        if adjusted {
            proposal.driftResiduals(
                from: state.position, step: h, drift: state.evaluation.score, into: &forward)
            state.position.driftResiduals(from: proposal, step: h, drift: evaluation.score, into: &backward)
            if line != nil {
                try line?.integrate(
                    from: state.position, state.evaluation.score, to: proposal, evaluation.score, target: &target,
                    into: &change)
            } else {
                state.evaluation.changes(to: evaluation, into: &change)
            }
            for lane in forward.indices {
                forward[lane] = change[lane] + (forward[lane] - backward[lane]) / (4 * h)
            }
        }
        state.evaluations += 1 + (line == nil ? 0 : acceptance.evaluations)
        return decision.decide(
            &state, position: proposal, evaluation: evaluation, logRatio: adjusted ? forward : nil,
            in: context)
    }
}
