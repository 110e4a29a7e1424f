import EnergyModels
import RandomStreams
import VectorMath

/// The ancestral step of a diffusion (Ho et al. 2020) from level t + 1 into level t, in terms of the
/// score s at t + 1 (eps = -sigma s): x <- (x + beta s) / sqrt(1 - beta) + sqrt(beta) z.
struct ReverseStep {
    private var proposal: LaneMatrix
    private var noise: LaneMatrix
    private var finite: [UInt8]
    private var norms: [Double]

    init(dimension: Int, lanes: Int) {
        proposal = LaneMatrix(rows: dimension, lanes: lanes)
        noise = proposal
        finite = [UInt8](repeating: 1, count: lanes)
        norms = [Double](repeating: 0, count: lanes)
    }

    /// Steps from `origin` into the level below it; the state's evaluation must be that at `origin`
    /// and is out of date afterwards. A chain whose step is not finite stays, and counts as diverged.
    mutating func step(_ state: inout ChainState, from origin: NoiseLevel, stream: RandomStream) {
        let beta = origin.beta
        let growth = 1 / (1 - beta).squareRoot()
        stream.fillNormals(&noise, purpose: .reverseStep, level: origin.index - 1)
        proposal.setScaled(growth, state.position)
        proposal.add(beta * growth, state.evaluation.score)
        proposal.add(beta.squareRoot(), noise)
        proposal.squaredNorms(into: &norms)
        for lane in finite.indices {
            finite[lane] = norms[lane].isFinite ? 1 : 0
            state.divergences[lane] += norms[lane].isFinite ? 0 : 1
        }
        state.position.copyLanes(of: proposal, where: finite)
    }
}
