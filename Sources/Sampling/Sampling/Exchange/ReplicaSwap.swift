package import EnergyModels
package import RandomStreams
import VectorMath

/// The chains of a block once more, at another noise level.
package struct Replica {
    /// The level.
    package let level: NoiseLevel
    /// Where they stand there.
    package var state: ChainState
    /// Evaluates the target there.
    package var target: any DensityEvaluator

    package init(level: NoiseLevel, state: ChainState, target: any DensityEvaluator) {
        self.level = level
        self.state = state
        self.target = target
    }
}

/// Swaps what stands at two levels s and t, chain by chain, with
/// log a = l_s(x_t) + l_t(x_s) - l_s(x_s) - l_t(x_t),
/// which leaves the product of the two densities as it is.
///
/// What is needed for the ratio, each point's evaluation at the other's level, is what a swap makes current: a
/// decision costs two evaluations, and nothing is evaluated twice. Momenta go with their points; as v / M they are
/// standard normal at every level and have no part in the ratio.
package struct ReplicaSwap {
    /// One for the chains that the latest call swapped, else zero; [lanes].
    package private(set) var swapped: [UInt8]
    private var atOwn: Evaluation
    private var atOther: Evaluation
    private var before: LaneMatrix
    private var logUniforms: [Double]
    private var norms: [[Double]]

    /// Buffers for a block.
    package init(dimension: Int, lanes: Int) {
        swapped = [UInt8](repeating: 0, count: lanes)
        atOwn = Evaluation(dimension: dimension, lanes: lanes)
        atOther = atOwn
        before = LaneMatrix(rows: dimension, lanes: lanes)
        logUniforms = [Double](repeating: 0, count: lanes)
        norms = [logUniforms, logUniforms]
    }

    /// Decides for every chain and swaps.
    ///
    /// As at a transition, an evaluation that is not finite is a rejection and counts as a divergence, of `state`, and
    /// a chain of which one point has no density where it is takes any swap after which both have.
    ///
    /// - Parameters:
    ///   - state: the chains at one level, whose evaluations this adds to.
    ///   - target: evaluates the target there.
    ///   - replica: the chains at the other level.
    ///   - level: addresses the random numbers, as `transition` does.
    /// - Throws: ``EvaluationError``, with both as they were before.
    package mutating func swap(
        _ state: inout ChainState, target: inout any DensityEvaluator, with replica: inout Replica,
        stream: RandomStream, level: Int, transition: Int
    ) throws(EvaluationError) {
        try target.evaluate(at: replica.state.position, into: &atOwn)
        try replica.target.evaluate(at: state.position, into: &atOther)
        state.evaluations += 2
        stream.fillUniforms(&logUniforms, purpose: .exchange, level: level, transition: transition)
        Elementary.log(inPlace: &logUniforms)
        atOwn.score.squaredNorms(into: &norms[0])
        atOther.score.squaredNorms(into: &norms[1])
        for lane in swapped.indices {
            let (own, other) = (atOwn.logDensity[lane], atOther.logDensity[lane])
            let diverged =
                own.isNaN || own == .infinity || other.isNaN || other == .infinity || !norms[0][lane].isFinite
                || !norms[1][lane].isFinite
            let now = state.evaluation.logDensity[lane] + replica.state.evaluation.logDensity[lane]
            let logRatio = now.isFinite ? own + other - now : .infinity
            let swaps = !diverged && own + other > -.infinity && logUniforms[lane] <= logRatio
            swapped[lane] = swaps ? 1 : 0
            state.divergences[lane] += diverged ? 1 : 0
        }
        swap(&state.position, &replica.state.position)
        swap(&state.momentum, &replica.state.momentum)
        state.evaluation.take(atOwn, where: swapped)
        replica.state.evaluation.take(atOther, where: swapped)
    }

    private mutating func swap(_ one: inout LaneMatrix, _ other: inout LaneMatrix) {
        before.setScaled(1, one)
        one.copyLanes(of: other, where: swapped)
        other.copyLanes(of: before, where: swapped)
    }
}

extension Evaluation {
    fileprivate mutating func take(_ other: Evaluation, where mask: [UInt8]) {
        score.copyLanes(of: other.score, where: mask)
        for lane in mask.indices where mask[lane] != 0 { logDensity[lane] = other.logDensity[lane] }
    }
}
