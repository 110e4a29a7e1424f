package import EnergyModels
import RandomStreams
import VectorMath

/// Hamiltonian transitions with partial refreshment (Horowitz 1991): v <- c v + sqrt(1 - c^2) M z,
/// L leapfrog steps, then always accepted (U-HMC) or with
/// log a = l(y) - l(x) + (|v|^2 - |v'|^2) / (2 M^2), v being the refreshed momentum (HMC).
///
/// A rejected chain turns its momentum around: without that, partial refreshment would not leave the
/// distribution invariant. Half steps between two leapfrog steps are merged and the score at the
/// current position is kept, so a transition costs L evaluations. The momentum is carried as v / M.
///
/// Without energies l(y) - l(x) is the integral of the score, along a line or along the path
/// (``AcceptanceRule``). Along the path the terms of the trapezoid rule cancel those of the kinetic energy, step by
/// step, since each half step changes v by h s / 2; what is left is log a = h^2 (|s(x)|^2 - |s(y)|^2) / (8 M^2).
package struct HamiltonianKernel: TransitionKernel {
    private let adjusted: Bool
    private let acceptance: AcceptanceRule
    private var line: LineIntegral?
    private let leapfrogSteps: Int
    private let damping: Double
    private var noise: LaneMatrix
    private var refreshed: LaneMatrix
    private var trajectory: Trajectory
    private var change: [Double]
    private var before: [Double]
    private var after: [Double]
    private var decision: Decision

    /// - Parameters:
    ///   - adjusted: whether proposals may be rejected (HMC).
    ///   - acceptance: where they may, how l(y) - l(x) is known.
    ///   - leapfrogSteps: L, at least 1.
    ///   - damping: c in [0, 1); 0 replaces the momentum at every transition.
    package init(
        adjusted: Bool, acceptance: AcceptanceRule = .energy, leapfrogSteps: Int, damping: Double, dimension: Int,
        lanes: Int
    ) {
        self.adjusted = adjusted
        self.acceptance = acceptance
        if adjusted, case .line(let points) = acceptance {
            line = LineIntegral(points: points, dimension: dimension, lanes: lanes)
        }
        self.leapfrogSteps = leapfrogSteps
        self.damping = damping
        noise = LaneMatrix(rows: dimension, lanes: lanes)
        refreshed = noise
        trajectory = Trajectory(dimension: dimension, lanes: lanes)
        change = [Double](repeating: 0, count: lanes)
        before = change
        after = before
        decision = Decision(lanes: lanes)
    }

    package mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) throws(EvaluationError) -> TransitionInfo {
        context.stream.fillNormals(
            &noise, purpose: .momentum, level: context.level, transition: context.transition)
        refreshed.setScaled(1, state.momentum)
        refreshed.combine((1 - damping * damping).squareRoot(), noise, keeping: damping)
        refreshed.squaredNorms(into: &before)

        let stepSize = context.stepSize / context.mass
        trajectory.start(at: state, momentum: refreshed)
        try trajectory.leapfrog(
            steps: leapfrogSteps, stepSize: stepSize, target: &target,
            reflectingAt: adjusted ? nil : context.bounds)
        if adjusted { try weigh(state, stepSize: stepSize, target: &target) }

        // From here on nothing fails.
        state.evaluations += leapfrogSteps + (line == nil ? 0 : acceptance.evaluations)
        swap(&state.momentum, &refreshed)
        let info = decision.decide(
            &state, position: trajectory.position, evaluation: trajectory.evaluation,
            logRatio: adjusted ? change : nil, in: context)
        state.momentum.copyLanes(of: trajectory.momentum, where: decision.accepted)
        state.momentum.negateLanes(where: decision.rejected)
        return info
    }

    /// Log a of every chain's path into `change`; `before` has the squares of the refreshed momenta.
    private mutating func weigh(
        _ state: ChainState, stepSize: Double, target: inout any DensityEvaluator
    ) throws(EvaluationError) {
        switch acceptance {
        case .path:
            state.evaluation.score.squaredNorms(into: &before)
            trajectory.evaluation.score.squaredNorms(into: &after)
            for lane in change.indices { change[lane] = stepSize * stepSize / 8 * (before[lane] - after[lane]) }
            return
        case .line:
            try line?.integrate(
                from: state.position, state.evaluation.score, to: trajectory.position, trajectory.evaluation.score,
                target: &target, into: &change)
        case .energy:
            state.evaluation.changes(to: trajectory.evaluation, into: &change)
        }
        trajectory.momentum.squaredNorms(into: &after)
        for lane in change.indices { change[lane] += (before[lane] - after[lane]) / 2 }
    }
}
