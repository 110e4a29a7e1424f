import Composition
import EnergyModels
import RandomStreams
import VectorMath

/// A block of chains on its way through the noise levels (science: Du et al. 2023, algorithm 1).
///
/// Chains start from a standard normal at the noisiest level and go down level by level: an
/// ancestral step into the level if asked for, then transitions that leave the composition at that
/// level invariant. What comes out depends on the plan and on the block's number alone.
///
/// Call ``advance()`` until it returns false, then take ``result(chains:)``.
public struct ChainBlock {
    /// The plan of the job.
    public let plan: SamplingPlan
    /// Units of ``advance()`` done so far, of ``steps``.
    public private(set) var stepsDone = 0
    /// The chains as they stand.
    public private(set) var state: ChainState

    private let stream: RandomStream
    private var target: any DensityEvaluator
    private var kernel: (any TransitionKernel)?
    private var reverseStep: ReverseStep
    private var acceptance: [[Int32]]
    private var samples: [Float]

    /// A block whose first chain is `index` times the number of lanes.
    public init(plan: SamplingPlan, index: Int) {
        self.plan = plan
        let dimension = plan.density.dimension
        stream = RandomStream(seed: plan.seed, firstChain: index * plan.lanes)
        target = plan.density.evaluator(lanes: plan.lanes, at: plan.schedule.levels[plan.firstLevel])
        kernel = plan.settings.kernel(dimension: dimension, lanes: plan.lanes)
        reverseStep = ReverseStep(dimension: dimension, lanes: plan.lanes)
        acceptance = []
        samples = [Float](repeating: 0, count: plan.lanes * plan.draws * dimension)
        state = ChainState(dimension: dimension, lanes: plan.lanes)
        stream.fillNormals(&state.position, purpose: .initialPosition, level: plan.firstLevel)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: plan.firstLevel)
        plan.bounds?.fold(&state.position, momentum: &state.momentum)
        state.evaluate(&target)
    }

    /// How many times ``advance()`` does something: once per level, and once per further draw.
    public var steps: Int { plan.firstLevel - plan.lastLevel + plan.draws }

    /// Fraction of proposals accepted at the level just done, over the first `chains` chains; nil
    /// where no transition ran.
    public func latestAcceptance(chains: Int) -> Double? {
        let level = max(plan.firstLevel - stepsDone + 1, plan.lastLevel)
        let draws = max(1, stepsDone - (plan.firstLevel - plan.lastLevel))
        let proposed = plan.transitions(at: level, draws: draws)
        guard proposed > 0, stepsDone > 0, let counts = acceptance.last else { return nil }
        return Double(counts.prefix(chains).reduce(0) { $0 + Int($1) }) / Double(proposed * chains)
    }

    /// Runs the transitions of one level, or those up to the next draw.
    ///
    /// - Returns: false, without doing anything, when the block is finished.
    public mutating func advance() -> Bool {
        guard stepsDone < steps else { return false }
        let level = plan.firstLevel - stepsDone
        if level >= plan.lastLevel {
            enter(level)
            run(transitions: 0..<plan.transitions(at: level), at: level)
            acceptance.append(state.accepted)
            if level == plan.lastLevel { keep(draw: 0) }
        } else {
            let draw = plan.lastLevel - level
            let first = plan.transitions(at: plan.lastLevel) + (draw - 1) * plan.thin
            run(transitions: first..<first + plan.thin, at: plan.lastLevel)
            acceptance[acceptance.count - 1] = state.accepted
            keep(draw: draw)
        }
        stepsDone += 1
        return true
    }

    private mutating func enter(_ level: Int) {
        for lane in state.accepted.indices { state.accepted[lane] = 0 }
        guard level < plan.firstLevel else { return }
        if plan.settings.reverseSteps {
            reverseStep.step(&state, from: plan.schedule.levels[level + 1], stream: stream)
            plan.bounds?.fold(&state.position, momentum: &state.momentum)
        }
        target.move(to: plan.schedule.levels[level])
        state.evaluate(&target)
    }

    private mutating func run(transitions: Range<Int>, at level: Int) {
        var context = TransitionContext(
            level: level, transition: 0, stepSize: plan.stepSizes[level], mass: plan.masses[level],
            bounds: plan.bounds, stream: stream)
        for transition in transitions {
            context.transition = transition
            kernel?.transition(&state, target: &target, in: context)
        }
    }

    private mutating func keep(draw: Int) {
        let dimension = plan.density.dimension
        for lane in 0..<plan.lanes {
            let start = (lane * plan.draws + draw) * dimension
            for row in 0..<dimension { samples[start + row] = Float(state.position[row, lane]) }
        }
    }

    /// What the first `chains` lanes leave; the others only pad the block.
    public func result(chains: Int) -> BlockResult {
        let levels = plan.schedule.levels.count
        var fractions = [Float](repeating: .nan, count: chains * levels)
        for (index, counts) in acceptance.enumerated() {
            let level = plan.firstLevel - index
            let proposed = plan.transitions(at: level, draws: plan.draws)
            guard proposed > 0 else { continue }
            for chain in 0..<chains {
                fractions[chain * levels + level] = Float(Double(counts[chain]) / Double(proposed))
            }
        }
        return BlockResult(
            samples: Array(samples.prefix(chains * plan.draws * plan.density.dimension)),
            acceptance: fractions,
            logDensity: plan.hasEnergy
                ? Array(state.evaluation.logDensity.prefix(chains)) : [Double](repeating: .nan, count: chains),
            divergences: Array(state.divergences.prefix(chains)),
            gradientEvaluations: state.evaluations * chains)
    }
}

/// What a finished block sends home.
public struct BlockResult: Sendable, Equatable {
    /// [chains, draws, dimension].
    public let samples: [Float]
    /// [chains, levels], the fraction of proposals accepted; index = level; NaN where none were made.
    public let acceptance: [Float]
    /// [chains], at the last draw and the last level, up to the composition's constant; NaN if the score
    /// alone is known.
    public let logDensity: [Double]
    /// [chains], proposals with a non-finite energy or gradient.
    public let divergences: [Int32]
    /// Evaluations of energy and score, summed over the chains.
    public let gradientEvaluations: Int
}
