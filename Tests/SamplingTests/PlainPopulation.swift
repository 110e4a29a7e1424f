import Composition
import EnergyModels
import Foundation
import RandomStreams
import Sampling
import VectorMath

/// A deliberate bug of a population.
enum PopulationFault: Sendable, CaseIterable {
    /// Chains are resampled and go on with the weights that they were chosen for.
    case weightsKept
    /// Weights grow where they should shrink.
    case wrongSign
    /// A chain goes on from its parent's place with the momentum that was in its lane.
    case momentumLeft
    /// A chain goes on from its parent's place with the log density and score that were in its lane.
    case evaluationLeft
    /// The increment is that between the two levels above.
    case levelAbove
    /// The increment is taken where the chain is after the transitions of the level.
    case afterTransitions
    /// The start counts as if it had the density of the level.
    case startForgotten
}

/// What a population ends with.
struct PopulationEnd {
    var logNormalizer: Double
    var logWeights: [Double]
    var position: LaneMatrix
    var momentum: LaneMatrix

    /// The estimate of the normaliser times the weighted mean of a function of position and momentum: on average
    /// exactly the normaliser times its mean under the target.
    func estimate(_ function: (_ x: [Double], _ v: [Double]) -> Double) -> Double {
        let largest = logWeights.max() ?? 0
        guard logNormalizer > -.infinity else { return 0 }
        var (sum, total) = (0.0, 0.0)
        for chain in logWeights.indices {
            let weight = exp(logWeights[chain] - largest)
            sum += weight * function(column(position, chain), column(momentum, chain))
            total += weight
        }
        return exp(logNormalizer) * sum / total
    }
}

extension PopulationEnd {
    /// The end of a block of a plan.
    init(of plan: SamplingPlan, index: Int) throws {
        var block = ChainBlock(plan: plan, index: index)
        while try block.advance() {}
        let result = block.result(chains: plan.lanes)
        self.init(
            logNormalizer: result.logNormalizer, logWeights: result.logWeights, position: block.state.position,
            momentum: block.state.momentum)
    }

    /// The same from a population written down chain by chain, as plainly as it can be, with room for a bug; for
    /// plans without bounds, with one draw.
    init?(plainly plan: SamplingPlan, index: Int, fault: PopulationFault?) throws {
        let (settings, lanes) = (plan.settings, plan.lanes)
        guard let threshold = settings.population?.threshold,
            var kernel = settings.kernel.transitionKernel(dimension: plan.density.dimension, lanes: lanes)
        else { return nil }
        let stream = RandomStream(seed: plan.seed, firstChain: index * lanes)
        let first = settings.levels.upperBound
        var state = ChainState(dimension: plan.density.dimension, lanes: lanes)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: first)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: first)
        var target = plan.density.evaluator(lanes: lanes, at: plan.schedule.levels[first])

        func logDensity(_ state: ChainState, _ level: Int) throws -> [Double] {
            var evaluator = plan.density.evaluator(lanes: lanes, at: plan.schedule.levels[level])
            var evaluation = Evaluation(dimension: plan.density.dimension, lanes: lanes)
            try evaluator.evaluate(at: state.position, into: &evaluation)
            return evaluation.logDensity
        }
        func move(_ level: Int) throws {
            for transition in 0..<settings.transitions {
                let context = TransitionContext(
                    level: level, transition: transition, stepSize: plan.stepSizes[level], mass: plan.masses[level],
                    stream: stream)
                try kernel.transition(&state, target: &target, in: context)
            }
        }

        var logWeights = [Double](repeating: 0, count: lanes)
        var collected = 0.0
        for level in settings.levels.reversed() {
            target.move(to: plan.schedule.levels[level])
            try state.evaluate(&target)
            if fault == .afterTransitions { try move(level) }
            let (near, far) = fault == .levelAbove ? (min(level + 1, first), min(level + 2, first)) : (level, level + 1)
            let after = try logDensity(state, near)
            let before =
                try level < first
                ? logDensity(state, far)
                : (0..<lanes).map { lane in
                    column(state.position, lane).reduce(0.0) { $0 - $1 * $1 / 2 - log(2 * Double.pi) / 2 }
                }
            for lane in 0..<lanes where fault != .startForgotten || level < first {
                logWeights[lane] += (fault == .wrongSign ? -1 : 1) * (after[lane] - before[lane])
            }

            let weights = logWeights.map { exp($0) }
            let sum = weights.reduce(0, +)
            if sum * sum / weights.reduce(0, { $0 + $1 * $1 }) < threshold * Double(lanes) {
                var uniform = [0.0]
                stream.fillUniforms(&uniform, purpose: .resampling, level: level)
                let old = state
                for lane in 0..<lanes {
                    let point = (Double(lane) + uniform[0]) / Double(lanes) * sum
                    var (parent, reached) = (0, weights[0])
                    while reached < point, parent < lanes - 1 {
                        parent += 1
                        reached += weights[parent]
                    }
                    for row in 0..<plan.density.dimension {
                        state.position[row, lane] = old.position[row, parent]
                        if fault != .momentumLeft { state.momentum[row, lane] = old.momentum[row, parent] }
                        if fault == .evaluationLeft { continue }
                        state.evaluation.score[row, lane] = old.evaluation.score[row, parent]
                    }
                    if fault != .evaluationLeft {
                        state.evaluation.logDensity[lane] = old.evaluation.logDensity[parent]
                    }
                }
                collected += log(sum / Double(lanes))
                if fault != .weightsKept { logWeights = logWeights.map { _ in 0 } }
            }
            if fault != .afterTransitions { try move(level) }
        }
        let mean = logWeights.reduce(0.0) { $0 + exp($1) } / Double(lanes)
        self.init(
            logNormalizer: collected + log(mean), logWeights: logWeights, position: state.position,
            momentum: state.momentum)
    }
}

/// The product of two Gaussians along the axes, whose normaliser and moments are known at every level.
enum GaussianProduct {
    static let means = [[1.0, -0.5], [-0.5, 0.5]]
    static let variances = [[0.3, 1.5], [0.6, 0.2]]
    static let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 12))

    static func density() throws -> any Density {
        let factors = (0..<2).map { index in
            Gaussian(mean: means[index], covariance: [[variances[index][0], 0], [0, variances[index][1]]])
        }
        return try TargetExpression.product([.leaf("one"), .leaf("two")], weights: [1, 1])
            .density(models: ["one": factors[0], "two": factors[1]])
    }

    /// Normaliser of the product at a level, and mean and variance along each axis.
    static func exact(_ level: Int) -> (logNormalizer: Double, mean: [Double], variance: [Double]) {
        let level = schedule.levels[level]
        var (logNormalizer, mean, variance) = (0.0, [0.0, 0.0], [0.0, 0.0])
        for axis in 0..<2 {
            let noised = variances.map { level.signalVariance * $0[axis] + level.noiseVariance }
            let centres = means.map { level.signal * $0[axis] }
            let (sum, gap) = (noised[0] + noised[1], centres[0] - centres[1])
            logNormalizer -= 0.5 * log(2 * .pi * sum) + gap * gap / (2 * sum)
            variance[axis] = noised[0] * noised[1] / sum
            mean[axis] = variance[axis] * (centres[0] / noised[0] + centres[1] / noised[1])
        }
        return (logNormalizer, mean, variance)
    }

    static func plan(
        _ kind: SamplerSettings.Kind, threshold: Double = 0.5, transitions: Int = 1, stepSize: Double, damping: Double,
        levels: ClosedRange<Int> = 0...11, seed: UInt64 = 5, lanes: Int = 16
    ) throws -> SamplingPlan {
        SamplingPlan(
            density: try density(), schedule: schedule,
            settings: SamplerSettings(
                kind: kind, transitions: transitions, leapfrogSteps: kind.isHamiltonian ? 2 : 1, damping: damping,
                stepSize: .constant(stepSize), levels: levels, population: PopulationSettings(threshold: threshold)),
            seed: seed, lanes: lanes)
    }

    /// The largest |z| of the estimates of the normaliser and of moments times it, over independent blocks.
    static func worst(
        _ blocks: Int, level: Int = 0, _ end: (_ index: Int) throws -> PopulationEnd?
    ) throws -> (z: Double, name: String, ofNormalizer: Double) {
        let exact = exact(level)
        func centred(_ x: [Double], _ axis: Int) -> Double {
            (x[axis] - exact.mean[axis]) / exact.variance[axis].squareRoot()
        }
        let moments: [(name: String, function: ([Double], [Double]) -> Double)] = [
            ("x0", { x, _ in centred(x, 0) }), ("x1", { x, _ in centred(x, 1) }),
            ("x0^2", { x, _ in centred(x, 0) * centred(x, 0) - 1 }),
            ("x1^2", { x, _ in centred(x, 1) * centred(x, 1) - 1 }),
            ("x0 x1", { x, _ in centred(x, 0) * centred(x, 1) }),
            ("v0", { _, v in v[0] }), ("v0^2", { _, v in v[0] * v[0] - 1 }), ("v1^2", { _, v in v[1] * v[1] - 1 }),
            ("x0 v0", { x, v in centred(x, 0) * v[0] }), ("x1 v1", { x, v in centred(x, 1) * v[1] }),
        ]
        var normalizers: [Double] = []
        var estimates = moments.map { _ in [Double]() }
        for index in 0..<blocks {
            guard let end = try end(index) else { continue }
            normalizers.append(exp(end.logNormalizer - exact.logNormalizer))
            for (place, moment) in moments.enumerated() { estimates[place].append(end.estimate(moment.function)) }
        }
        let ofNormalizer = zScore(normalizers, expected: 1)
        var worst = (ofNormalizer.magnitude, "normaliser")
        // Where a bug makes the estimates vary wildly this tells more: cut off, they may be too low but not too high.
        let ofCutOff = zScore(normalizers.map { min($0, 3) }, expected: 1)
        if ofCutOff > worst.0 { worst = (ofCutOff, "normaliser, cut off") }
        for (moment, estimates) in zip(moments, estimates) {
            let z = zScore(estimates).magnitude
            if !(z <= worst.0) { worst = (z.isNaN ? .infinity : z, moment.name) }
        }
        return (worst.0, worst.1, ofNormalizer)
    }
}
