import Diagnostics
import JobFile
import RunFolder
import Sampling

/// What a run's statistics and draws tell that its summary does not, for ``Job/warnings(of:_:)``.
package struct RunObservations: Sendable, Equatable {
    /// An axis of the draws.
    package struct Axis: Sendable, Equatable {
        /// Of the draws that are finite.
        package var mean: Double
        /// Of the draws that are finite.
        package var standardDeviation: Double

        /// From an axis' draws to the next number that a float32 near them can be.
        var spacing: Double { Double(Float(mean.magnitude).ulp) }
    }

    /// Chains whose log density at the end is not finite; none where it is not known.
    package var chainsWithoutLogDensity = 0
    /// Mean of the acceptance over the chains at each level of refinement, going down; nil where it is not known.
    package var refinementAcceptance: [Double?] = []
    /// Mean over the chains of the part of the swaps that were made, by the pair of neighbouring replicas.
    package var swapAcceptance: [Double?] = []
    /// Of the first chains' draws, [dimension]; none where there are too few to tell.
    package var axes: [Axis] = []

    package init() {}
}

extension RunStaging {
    /// Numbers of the draws that are looked at, at most, but for those of a single chain.
    private static let mostNumbers = 1 << 20
    /// Draws that are too few to have a spread.
    private static let fewDraws = 8

    /// Looks through a run of a job of which all chains are recorded.
    func observations(of job: Job) throws(RunFolderError) -> RunObservations {
        var observations = RunObservations()
        // Chains of a population that have no density have no weight either.
        if job.hasEnergy, job.sampler.population == nil {
            try forEachRows(of: RunStatistic.logDensity, as: Double.self) { (values) throws(RunFolderError) in
                observations.chainsWithoutLogDensity += values.count { !$0.isFinite }
            }
        }
        observations.refinementAcceptance = try means(
            of: RunStatistic.refinementAcceptance, columns: job.sampler.refinement?.levels ?? 0)
        observations.swapAcceptance = try means(
            of: RunStatistic.swapAcceptance, columns: (job.sampler.exchange?.levels.count ?? 1) - 1)
        observations.axes = try axes(of: job)
        return observations
    }

    /// What is thought of the run's samples; nil of those that are found for another job's sake.
    func diagnostics(
        of job: Job, _ summary: RunSummary, _ conclusion: RunConclusion
    ) throws(RunFolderError) -> RunDiagnostics? {
        guard !job.isPilot else { return nil }
        return try RunExamination(
            StagedRecords(self, selection: conclusion.population?.selection), summary: summary,
            canonicalJob: Array(job.canonicalText.utf8)
        ).diagnostics()
    }

    /// Means over the rows of a statistic, column by column; nil where no number is finite.
    private func means(of statistic: String, columns: Int) throws(RunFolderError) -> [Double?] {
        guard columns > 0 else { return [] }
        var moments = [Moments](repeating: Moments(), count: columns)
        var entry = 0
        try forEachRows(of: statistic, as: Float.self) { (values) throws(RunFolderError) in
            for value in values {
                moments[entry % columns].add(Double(value))
                entry += 1
            }
        }
        return moments.map { $0.count > 0 ? $0.mean : nil }
    }

    private func axes(of job: Job) throws(RunFolderError) -> [RunObservations.Axis] {
        let dimension = job.dimension
        let chains = min(job.chains, max(1, Self.mostNumbers / (job.draws * dimension)))
        guard chains * job.draws >= Self.fewDraws else { return [] }
        var moments = [Moments](repeating: Moments(), count: dimension)
        var axis = 0
        for number in try draws(ofChains: 0..<chains) {
            moments[axis].add(Double(number))
            axis = axis + 1 == dimension ? 0 : axis + 1
        }
        guard moments.allSatisfy({ $0.count >= Self.fewDraws }) else { return [] }
        return moments.map { RunObservations.Axis(mean: $0.mean, standardDeviation: $0.standardDeviation) }
    }
}
