import EnergyModels
import Foundation
import RandomStreams
import Sampling
import VectorMath

/// A deliberate bug: one that released code had, or one that the integral of the score invites.
enum Fault: Sendable, CaseIterable {
    /// The exponents of the Langevin proposal are divided by 2 h^2 instead of 4 h.
    case squaredStep
    /// The chains of a block are accepted or rejected together, by their summed log ratios.
    case oneDecisionForAll
    /// The momenta before and after are the same array: their difference is zero.
    case aliasedMomentum
    /// A rejected chain goes on with its momentum as it was.
    case momentumKept
    /// The integral of the score leads from the proposal to the chain's point.
    case integralTurned
    /// The ends of the integral count as much as the points between them.
    case wholeEnds
    /// The ratio of the Langevin proposals is left out.
    case proposalForgotten
    /// The kinetic energy at the start is that of the momentum before its refreshment.
    case momentumUnrefreshed
}

/// MALA and HMC written down chain by chain, as plainly as they can be, with room for a bug.
///
/// For the tests alone: without a fault it must pass where the kernels pass, with one it must not.
struct PlainKernel: TransitionKernel {
    enum Method: Sendable { case langevin, hamiltonian(leapfrogSteps: Int, damping: Double) }

    let method: Method
    var acceptance = AcceptanceRule.energy
    let fault: Fault?

    mutating func transition(
        _ state: inout ChainState, target: inout any DensityEvaluator, in context: TransitionContext
    ) throws(EvaluationError) -> TransitionInfo {
        let before = state.accepted
        switch method {
        case .langevin:
            try langevin(&state, &target, context)
        case .hamiltonian(let leapfrogSteps, let damping):
            try hamiltonian(&state, &target, context, leapfrogSteps, damping)
        }
        return TransitionInfo(accepted: zip(before, state.accepted).map { $0 < $1 ? 1 : 0 })
    }

    private func langevin(
        _ state: inout ChainState, _ target: inout any DensityEvaluator, _ context: TransitionContext
    ) throws(EvaluationError) {
        let (rows, lanes, h) = (state.position.rows, state.position.lanes, context.stepSize)
        var z = LaneMatrix(rows: rows, lanes: lanes)
        context.stream.fillNormals(&z, purpose: .proposal, level: context.level, transition: context.transition)
        var proposal = state.position
        for index in proposal.elements.indices {
            proposal.elements[index] += h * state.evaluation.score.elements[index]
            proposal.elements[index] += (2 * h).squareRoot() * z.elements[index]
        }
        var evaluation = Evaluation(dimension: rows, lanes: lanes)
        try target.evaluate(at: proposal, into: &evaluation)
        let divisor = fault == .squaredStep ? 2 * h * h : 4 * h
        let path = [(state.position, state.evaluation), (proposal, evaluation)]
        let changes = try changes(along: path, &target)
        let logRatios = (0..<lanes).map { lane in
            var exponent = 0.0
            for row in 0..<rows {
                let (x, y) = (state.position[row, lane], proposal[row, lane])
                let forward = y - x - h * state.evaluation.score[row, lane]
                let backward = x - y - h * evaluation.score[row, lane]
                exponent += forward * forward - backward * backward
            }
            return changes[lane] + (fault == .proposalForgotten ? 0 : exponent / divisor)
        }
        let takes = decide(logRatios, context)
        for lane in 0..<lanes where takes[lane] { accept(&state, lane, proposal, evaluation) }
    }

    private func hamiltonian(
        _ state: inout ChainState, _ target: inout any DensityEvaluator, _ context: TransitionContext,
        _ leapfrogSteps: Int, _ damping: Double
    ) throws(EvaluationError) {
        let (rows, lanes, h) = (state.position.rows, state.position.lanes, context.stepSize / context.mass)
        var z = LaneMatrix(rows: rows, lanes: lanes)
        context.stream.fillNormals(&z, purpose: .momentum, level: context.level, transition: context.transition)
        let unrefreshed = state.momentum
        for index in z.elements.indices {
            state.momentum.elements[index] *= damping
            state.momentum.elements[index] += (1 - damping * damping).squareRoot() * z.elements[index]
        }
        var (proposal, momentum, evaluation) = (state.position, state.momentum, state.evaluation)
        var path = [(proposal, evaluation)]
        for _ in 0..<leapfrogSteps {
            for index in z.elements.indices { momentum.elements[index] += h / 2 * evaluation.score.elements[index] }
            for index in z.elements.indices { proposal.elements[index] += h * momentum.elements[index] }
            try target.evaluate(at: proposal, into: &evaluation)
            for index in z.elements.indices { momentum.elements[index] += h / 2 * evaluation.score.elements[index] }
            path.append((proposal, evaluation))
        }
        var before = fault == .aliasedMomentum ? momentum : state.momentum
        if fault == .momentumUnrefreshed { before = unrefreshed }
        let changes = try changes(along: path, &target)
        let logRatios = (0..<lanes).map { lane in
            let kinetic = (0..<rows).reduce(0.0) { sum, row in
                sum + (before[row, lane] * before[row, lane] - momentum[row, lane] * momentum[row, lane]) / 2
            }
            return changes[lane] + kinetic
        }
        let takes = decide(logRatios, context)
        for lane in 0..<lanes {
            if takes[lane] { accept(&state, lane, proposal, evaluation) }
            for row in 0..<rows {
                if takes[lane] {
                    state.momentum[row, lane] = momentum[row, lane]
                } else if fault != .momentumKept {
                    state.momentum[row, lane] = -state.momentum[row, lane]
                }
            }
        }
    }

    /// l(y) - l(x) of every chain by the rule, from a path's points and what was evaluated there.
    private func changes(
        along path: [(point: LaneMatrix, evaluation: Evaluation)], _ target: inout any DensityEvaluator
    ) throws(EvaluationError) -> [Double] {
        guard let first = path.first, let last = path.last else { return [] }
        var nodes = path
        switch acceptance {
        case .energy: return zip(last.evaluation.logDensity, first.evaluation.logDensity).map { $0 - $1 }
        case .path: break
        case .line(let points):
            nodes = []
            for index in 0..<points {
                let part = Double(index) / Double(points - 1)
                var (point, evaluation) = (first.point, first.evaluation)
                for index in point.elements.indices {
                    point.elements[index] += part * (last.point.elements[index] - first.point.elements[index])
                }
                try target.evaluate(at: point, into: &evaluation)
                nodes.append((point, evaluation))
            }
        }
        return (0..<first.point.lanes).map { lane in
            var integral = 0.0
            for index in 1..<nodes.count {
                let (one, two) = (nodes[index - 1], nodes[index])
                let whole = fault == .wholeEnds
                let first = whole && index == 1 ? 1 : 0.5
                let second = whole && index == nodes.count - 1 ? 1 : 0.5
                for row in 0..<one.point.rows {
                    let score = first * one.evaluation.score[row, lane] + second * two.evaluation.score[row, lane]
                    integral += score * (two.point[row, lane] - one.point[row, lane])
                }
            }
            return fault == .integralTurned ? -integral : integral
        }
    }

    private func decide(_ logRatios: [Double], _ context: TransitionContext) -> [Bool] {
        var u = [Double](repeating: 0, count: logRatios.count)
        context.stream.fillUniforms(
            &u, purpose: .acceptance, level: context.level, transition: context.transition)
        if fault == .oneDecisionForAll {
            let together = Foundation.log(u[0]) <= logRatios.reduce(0, +)
            return logRatios.map { _ in together }
        }
        return zip(u, logRatios).map { Foundation.log($0) <= $1 }
    }

    private func accept(
        _ state: inout ChainState, _ lane: Int, _ proposal: LaneMatrix, _ evaluation: Evaluation
    ) {
        for row in 0..<proposal.rows {
            state.position[row, lane] = proposal[row, lane]
            state.evaluation.score[row, lane] = evaluation.score[row, lane]
        }
        state.evaluation.logDensity[lane] = evaluation.logDensity[lane]
        state.accepted[lane] += 1
    }
}
