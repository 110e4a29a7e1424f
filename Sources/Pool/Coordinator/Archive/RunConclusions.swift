import ContentHash
import EnergyModels
import JobFile
import RunFolder
import Sampling

/// Why a run can't be concluded, though all its chains are there.
struct EmptyPopulation: Error, CustomStringConvertible {
    var description: String {
        "every chain has weight zero: the target has no density where its chains are; "
            + "see that chains can reach it, or sample it without a population"
    }
}

extension RunStaging {
    /// What the blocks of a job came to together; all of them are recorded.
    ///
    /// - Throws: `RunFolderError`; ``EmptyPopulation``.
    func conclusion(of job: Job, after preliminaries: [RunSummary.PreliminaryRun]) throws -> RunConclusion {
        RunConclusion(
            stepSizes: job.isPilot ? try stepSizes(of: job) : job.stepSizes,
            population: job.sampler.population == nil ? nil : try population(of: job),
            preliminaries: preliminaries)
    }

    /// What the pilot blocks found together.
    private func stepSizes(of job: Job) throws(RunFolderError) -> [Double] {
        let found: [Double] = try values(of: RunStatistic.stepSize)
        return StepSizeTable.reduced(
            (0..<job.blocks).map { Array(found[$0 * job.levels..<($0 + 1) * job.levels]) })
    }

    private func population(of job: Job) throws -> RunConclusion.PopulationResult {
        let logWeights: [Double] = try values(of: RunStatistic.logWeight)
        let merge = PopulationMerge(
            try values(of: RunStatistic.logNormalizer).enumerated().map { block, logNormalizer in
                let first = block * job.block
                return PopulationMerge.Block(
                    index: block, logNormalizer: logNormalizer,
                    logWeights: Array(logWeights[first..<first + job.chains(inBlock: block)]))
            })
        let selection = merge.selection(of: job.chains, seed: job.seed)
        guard !selection.isEmpty else { throw EmptyPopulation() }
        let perLevel = try levelNormalizers(of: job)
        return RunConclusion.PopulationResult(
            selection: selection.map { $0.block * job.block + $0.chain },
            logNormalizer: RunSummary.LogNormalizer(
                estimate: merge.logNormalizer,
                standardError: merge.standardError.isFinite ? merge.standardError : nil,
                perLevel: perLevel.map { $0.isFinite ? $0 : nil }),
            effectiveSize: merge.effectiveSize, ancestors: try ancestors(of: Set(selection.map(\.block)), job))
    }

    /// Chains of the start that have descendants on the last level of the annealing, in these blocks.
    private func ancestors(of blocks: Set<Int>, _ job: Job) throws(RunFolderError) -> Int {
        var (entry, sum) = (0, 0)
        try forEachRows(of: RunStatistic.ancestors, as: Int32.self) { (rows) throws(RunFolderError) in
            for count in rows {
                let (block, level) = entry.quotientAndRemainder(dividingBy: job.levels)
                if level == job.sampler.levels.lowerBound, blocks.contains(block) { sum += Int(count) }
                entry += 1
            }
        }
        return sum
    }

    /// The merged estimate of the normaliser's logarithm at every level, NaN where chains never were.
    private func levelNormalizers(of job: Job) throws(RunFolderError) -> [Double] {
        var sums = [LogSum](repeating: LogSum(), count: job.levels)
        var entry = 0
        try forEachRows(of: RunStatistic.levelLogNormalizer, as: Double.self) { (rows) throws(RunFolderError) in
            for estimate in rows {
                let (block, level) = entry.quotientAndRemainder(dividingBy: job.levels)
                sums[level].add(estimate, weight: Double(job.chains(inBlock: block)) / Double(job.chains))
                entry += 1
            }
        }
        return sums.map(\.logarithm)
    }
}
