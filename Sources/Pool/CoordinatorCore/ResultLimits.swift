import JobFile
import RunFolder
import Sampling

/// What the numbers of a job's results can be. Workers are not believed: what no block can come to is not kept.
struct ResultLimits {
    /// Of a chain.
    private let evaluations: Double
    /// Steps that a block may have behind it.
    let steps: Double
    /// Bytes of what a block has come to.
    let stateBytes: Int

    init(_ job: Job) {
        evaluations = job.sampler.mostEvaluations(levels: job.levels, draws: job.draws, thin: job.thin)
        steps = job.sampler.mostSteps(levels: job.levels, draws: job.draws, thin: job.thin)
        stateBytes = job.mostStateBytes
    }

    /// What is impossible about the rows of one block, whose sizes are right; nil if nothing is.
    func problem(in record: BlockRecord, of run: RunDescription) -> String? {
        let most = evaluations * Double(record.chains)
        guard Double(record.gradientEvaluations) <= most else {
            return "\(record.gradientEvaluations) gradient evaluations, of at most \(most)"
        }
        guard record.samplesAreNumbers else { return "a sample that is not a number" }
        let impossible = run.statistics.first { statistic in
            !statistic.isPossible(record.statistics[statistic.name] ?? [], chains: record.chains)
        }
        return impossible.map { "a number of \($0.name) that no block comes to" }
    }
}
