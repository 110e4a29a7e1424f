public import EnergyModels
import RandomStreams
import VectorMath

/// Hamiltonian transitions with partial refreshment (Horowitz 1991): v <- c v + sqrt(1 - c^2) M z,
/// L leapfrog steps, then always accepted (U-HMC) or with
/// log a = l(y) - l(x) + (|v|^2 - |v'|^2) / (2 M^2), v being the refreshed momentum (HMC).
///
/// A rejected chain turns its momentum around: without that, partial refreshment would not leave the
/// distribution invariant. Half steps between two leapfrog steps are merged and the score at the
/// current position is kept, so a transition costs L evaluations. The momentum is carried as v / M.
public struct HamiltonianKernel: TransitionKernel {
    private let adjusted: Bool
    private let leapfrogSteps: Int
    private let damping: Double
    private var noise: LaneMatrix
    private var trajectory: Trajectory
    private var before: [Double]
    private var after: [Double]
    private var decision: Decision

    /// - Parameters:
    ///   - adjusted: whether proposals may be rejected (HMC).
    ///   - leapfrogSteps: L, at least 1.
    ///   - damping: c in [0, 1); 0 replaces the momentum at every transition.
    public init(adjusted: Bool, leapfrogSteps: Int, damping: Double, dimension: Int, lanes: Int) {
        self.adjusted = adjusted
        self.leapfrogSteps = leapfrogSteps
        self.damping = damping
        noise = LaneMatrix(rows: dimension, lanes: lanes)
        trajectory = Trajectory(dimension: dimension, lanes: lanes)
        before = [Double](repeating: 0, count: lanes)
        after = before
        decision = Decision(lanes: lanes)
    }

    public mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) {
        context.stream.fillNormals(
            &noise, purpose: .momentum, level: context.level, transition: context.transition)
        state.momentum.combine((1 - damping * damping).squareRoot(), noise, keeping: damping)
        state.momentum.squaredNorms(into: &before)

        trajectory.start(at: state)
        trajectory.leapfrog(
            steps: leapfrogSteps, stepSize: context.stepSize / context.mass, target: &target,
            reflectingAt: adjusted ? nil : context.bounds)
        state.evaluations += leapfrogSteps

        if adjusted {
            trajectory.momentum.squaredNorms(into: &after)
            for lane in before.indices {
                before[lane] =
                    trajectory.evaluation.logDensity[lane] - state.evaluation.logDensity[lane]
                    + (before[lane] - after[lane]) / 2
            }
        }
        decision.decide(
            &state, position: trajectory.position, evaluation: trajectory.evaluation,
            logRatio: adjusted ? before : nil, in: context)
        state.momentum.copyLanes(of: trajectory.momentum, where: decision.accepted)
        state.momentum.negateLanes(where: decision.rejected)
    }
}
