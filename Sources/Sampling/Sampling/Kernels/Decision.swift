import EnergyModels
import RandomStreams
import VectorMath

/// Which proposals of a block become the state: one decision per chain.
struct Decision {
    /// One where the chain takes its proposal, else zero; [lanes].
    private(set) var accepted: [UInt8]
    /// One where the chain stays; [lanes].
    private(set) var rejected: [UInt8]
    private var diverged: [UInt8]
    private var logAcceptance: [Double]
    private var logUniforms: [Double]
    private var scoreNorms: [Double]

    init(lanes: Int) {
        accepted = [UInt8](repeating: 0, count: lanes)
        rejected = accepted
        diverged = accepted
        logUniforms = [Double](repeating: 0, count: lanes)
        logAcceptance = logUniforms
        scoreNorms = logUniforms
    }

    /// Decides for every chain, moves the position and evaluation of those that accept, and counts.
    ///
    /// - A proposal whose log density is NaN or plus infinity, whose score is not finite, or whose ratio is NaN (a
    ///   line to it led through a score that is not finite), diverged: it is rejected and counted.
    /// - A chain that has no density where it is (it may start outside a bounded component) takes
    ///   any proposal that did not diverge; it cannot disturb a distribution that it is not yet in.
    /// - Otherwise it accepts where log u <= logRatio, or always if there is no ratio. Where a ratio comes from scores,
    ///   which do not end at bounds, no proposal is accepted that has no density.
    mutating func decide(
        _ state: inout ChainState, position: LaneMatrix, evaluation: Evaluation, logRatio: [Double]?,
        in context: TransitionContext
    ) -> TransitionInfo {
        evaluation.score.squaredNorms(into: &scoreNorms)
        if logRatio != nil {
            context.stream.fillUniforms(
                &logUniforms, purpose: .acceptance, level: context.level, transition: context.transition)
            Elementary.log(inPlace: &logUniforms)
        }
        for lane in accepted.indices {
            let proposed = evaluation.logDensity[lane]
            let diverges =
                proposed.isNaN || proposed == .infinity || !scoreNorms[lane].isFinite || logRatio?[lane].isNaN == true
            var takes = !diverges
            var logProbability: Double?
            if let logRatio, state.evaluation.logDensity[lane].isFinite {
                let isBelow = logUniforms[lane] <= logRatio[lane]
                takes = takes && proposed > -.infinity && isBelow
                // Where a proposal is turned down for another reason than the ratio, that is what decides.
                if logRatio[lane].isFinite, takes || !isBelow { logProbability = min(0, logRatio[lane]) }
            }
            accepted[lane] = takes ? 1 : 0
            rejected[lane] = takes ? 0 : 1
            diverged[lane] = diverges ? 1 : 0
            logAcceptance[lane] = logProbability ?? (takes ? 0 : -.infinity)
            state.accepted[lane] += takes ? 1 : 0
            state.divergences[lane] += diverges ? 1 : 0
        }
        state.position.copyLanes(of: position, where: accepted)
        state.evaluation.score.copyLanes(of: evaluation.score, where: accepted)
        for lane in accepted.indices where accepted[lane] != 0 {
            state.evaluation.logDensity[lane] = evaluation.logDensity[lane]
        }
        return TransitionInfo(
            accepted: accepted, diverged: diverged, logAcceptance: logAcceptance, logRatio: logRatio)
    }
}

extension Evaluation {
    /// changes[lane] = the log density there less the log density here; 0 where there is none here, from where every
    /// proposal is taken.
    func changes(to there: Evaluation, into changes: inout [Double]) {
        for lane in changes.indices {
            changes[lane] = logDensity[lane].isFinite ? there.logDensity[lane] - logDensity[lane] : 0
        }
    }
}
