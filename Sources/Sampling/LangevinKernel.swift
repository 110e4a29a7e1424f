import Composition
public import EnergyModels
import RandomStreams
import VectorMath

/// Langevin transitions: y = x + h s(x) + sqrt(2 h) z, always accepted (ULA) or by the rule of
/// Metropolis and Hastings (MALA) with
/// log a = l(y) - l(x) - |x - y - h s(y)|^2 / (4 h) + |y - x - h s(x)|^2 / (4 h).
public struct LangevinKernel: TransitionKernel {
    private let adjusted: Bool
    private var noise: LaneMatrix
    private var proposal: LaneMatrix
    private var evaluation: Evaluation
    private var forward: [Double]
    private var backward: [Double]
    private var decision: Decision

    /// - Parameter adjusted: whether proposals may be rejected (MALA).
    public init(adjusted: Bool, dimension: Int, lanes: Int) {
        self.adjusted = adjusted
        noise = LaneMatrix(rows: dimension, lanes: lanes)
        proposal = noise
        evaluation = Evaluation(dimension: dimension, lanes: lanes)
        forward = [Double](repeating: 0, count: lanes)
        backward = forward
        decision = Decision(lanes: lanes)
    }

    public mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) {
        let h = context.stepSize
        context.stream.fillNormals(
            &noise, purpose: .proposal, level: context.level, transition: context.transition)
        proposal.set(state.position, plus: h, state.evaluation.score)
        proposal.add((2 * h).squareRoot(), noise)
        if !adjusted, let bounds = context.bounds { bounds.fold(&proposal, momentum: &noise) }
        target.evaluate(at: proposal, into: &evaluation)
        state.evaluations += 1
        if adjusted {
            proposal.driftResiduals(
                from: state.position, step: h, drift: state.evaluation.score, into: &forward)
            state.position.driftResiduals(from: proposal, step: h, drift: evaluation.score, into: &backward)
            for lane in forward.indices {
                forward[lane] =
                    evaluation.logDensity[lane] - state.evaluation.logDensity[lane]
                    + (forward[lane] - backward[lane]) / (4 * h)
            }
        }
        decision.decide(
            &state, position: proposal, evaluation: evaluation, logRatio: adjusted ? forward : nil,
            in: context)
    }
}
