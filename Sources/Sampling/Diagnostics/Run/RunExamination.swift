package import RunFolder

/// Looks through a run for what its samples are worth.
///
/// Memory does not depend on the number of chains but for a few numbers of each; where there are very many draws, chains
/// that are spread evenly stand for all.
package struct RunExamination<Records: RunRecords> {
    let records: Records
    let summary: RunSummary
    let job: JobFacts
    /// The rows of the samples that are looked at, in ascending order.
    let rows: [Int]
    private let numbers: NamedNumbers
    private let dimension: Int

    /// Draws that are kept in memory for each variable, at most, but for the first few chains.
    private static var mostDraws: Int { 1 << 17 }
    /// Coordinates that are read, at most, but for the first few chains.
    private static var mostCoordinates: Int { 1 << 24 }
    /// Chains that are looked at in any case.
    private static var fewestChains: Int { 4 }

    /// An examination of a run's records.
    ///
    /// - Parameters:
    ///   - summary: what is told of the run beside its diagnostics.
    ///   - canonicalJob: the text of `job.json`.
    /// - Throws: `.malformed` where that is not a job.
    package init(_ records: Records, summary: RunSummary, canonicalJob: [UInt8]) throws(RunFolderError) {
        self.records = records
        self.summary = summary
        do {
            job = try JobFacts(canonical: canonicalJob)
        } catch {
            throw RunFolderError(.malformed, path: RunFolder.jobName, reason: "\(error)")
        }
        dimension = summary.shape.reduce(1, *)
        numbers = NamedNumbers(dimension: dimension)
        var most = Self.mostCoordinates / max(1, summary.draws * dimension)
        if Self.hasSeries(summary) { most = min(most, Self.mostDraws / summary.draws) }
        let (all, count) = (summary.chains, min(summary.chains, max(Self.fewestChains, most)))
        rows = (0..<count).map { place in place * (all / count) + place * (all % count) / count }
    }

    /// What is found. - Throws: `RunFolderError`.
    package func diagnostics() throws(RunFolderError) -> RunDiagnostics {
        let (variables, checks) = Self.hasSeries(summary) ? try examineSeries() : try examineChains()
        return RunDiagnostics(
            chains: rows.count, draws: summary.draws, variables: variables, checks: try runChecks() + checks)
    }

    /// Whether there are draws enough for a series of each chain. Those of a population may be the same chains, several times
    /// over: each counts once.
    private static func hasSeries(_ summary: RunSummary) -> Bool {
        summary.draws >= Limits.seriesDraws && summary.population == nil
    }

    /// The log density of each draw that is looked at, [rows.count * draws]; none where it is not known.
    private func logDensities() throws(RunFolderError) -> [Double] {
        let name = summary.draws == 1 ? RunStatistic.logDensity : RunStatistic.logDensityOfDraws
        let found = try records.rows(of: name, columns: summary.draws, chains: records.chains(ofRows: rows))
        // A target without an energy has none, and says so by NaN.
        return found.allSatisfy(\.isNaN) ? [] : found
    }

    /// Of chains with draws enough for a series of each.
    private func examineSeries() throws(RunFolderError) -> ([RunDiagnostics.Variable], [RunDiagnostics.Check]) {
        var series = [[Double]](repeating: [], count: numbers.names.count)
        for index in series.indices { series[index].reserveCapacity(rows.count * summary.draws) }
        var values = [Double](repeating: 0, count: numbers.names.count)
        try records.forEachSample(ofRows: rows, size: summary.draws * dimension) { _, row in
            for start in stride(from: row.startIndex, to: row.endIndex, by: dimension) {
                numbers.fill(&values, of: row[start..<start + dimension])
                for index in values.indices { series[index].append(values[index]) }
            }
        }
        var named = Array(zip(numbers.names, series))
        let logDensities = try logDensities()
        if !logDensities.isEmpty { named.insert((RunStatistic.logDensity, logDensities), at: 0) }
        let draws = named.map { (name: $0.0, draws: ChainDraws(chains: rows.count, values: $0.1)) }
        let variables = draws.map { RunDiagnostics.Variable($0.name, $0.draws) }
        let energies = try records.rows(
            of: RunStatistic.energyOfDraws, columns: summary.draws, chains: records.chains(ofRows: rows))
        return (variables, seriesChecks(variables, draws, energies: energies))
    }

    /// Of chains with so few draws that each counts once.
    private func examineChains() throws(RunFolderError) -> ([RunDiagnostics.Variable], [RunDiagnostics.Check]) {
        let logDensities = try logDensities()
        var moments = [ChainMoments](repeating: ChainMoments(), count: numbers.names.count)
        var ofLogDensity = ChainMoments()
        var values = [Double](repeating: 0, count: numbers.names.count)
        try records.forEachSample(ofRows: rows, size: summary.draws * dimension) { place, row in
            let isFirstHalf = 2 * place < rows.count
            for start in stride(from: row.startIndex, to: row.endIndex, by: dimension) {
                numbers.fill(&values, of: row[start..<start + dimension])
                for index in values.indices { moments[index].add(values[index]) }
            }
            for index in values.indices { moments[index].endChain(isFirstHalf: isFirstHalf) }
            guard !logDensities.isEmpty else { return }
            for logDensity in logDensities[place * summary.draws..<(place + 1) * summary.draws] {
                ofLogDensity.add(logDensity)
            }
            ofLogDensity.endChain(isFirstHalf: isFirstHalf)
        }
        var names = numbers.names
        if !logDensities.isEmpty {
            names.insert(RunStatistic.logDensity, at: 0)
            moments.insert(ofLogDensity, at: 0)
        }
        let variables = zip(names, moments).map { name, moments in
            RunDiagnostics.Variable(name, moments, effectiveSize: summary.population?.effectiveSize)
        }
        return (variables, chainChecks(names, moments))
    }
}

/// What a variable comes to over chains that each count once.
struct ChainMoments {
    private(set) var draws = Moments()
    /// Of the means of the chains, in the first half of the chains and the second.
    private(set) var halves = (Moments(), Moments())
    private var chains = Moments()

    /// The standard error of the mean over independent chains.
    var standardError: Double { chains.standardError }
    /// Independent chains with finite draws.
    var count: Int { chains.count }

    private var sum = 0.0
    private var length = 0

    /// Takes in the next draw of the chain at hand.
    mutating func add(_ value: Double) {
        draws.add(value)
        sum += value
        length += 1
    }

    /// The next draw is another chain's.
    mutating func endChain(isFirstHalf: Bool) {
        let mean = sum / Double(length)
        chains.add(mean)
        if isFirstHalf { halves.0.add(mean) } else { halves.1.add(mean) }
        (sum, length) = (0, 0)
    }
}

extension RunDiagnostics.Variable {
    /// Of series.
    init(_ name: String, _ draws: ChainDraws) {
        guard draws.isDiagnosable else {
            self.init(name: name)
            return
        }
        // Of one number there is nothing to tell but the number.
        guard !draws.isConstant else {
            self.init(name: name, mean: draws.mean, standardDeviation: 0)
            return
        }
        let (halves, meanSize) = (draws.halves, draws.meanEffectiveSize)
        let scores = halves.normalScores
        self.init(
            name: name, mean: draws.mean, standardDeviation: draws.standardDeviation,
            meanError: draws.meanStandardError(effectiveSize: meanSize),
            deviationError: draws.deviationStandardError(effectiveSize: meanSize),
            bulkSize: scores.effectiveSize, tailSize: draws.tailEffectiveSize,
            rHat: halves.isConstant ? nil : halves.rHat(scores: scores))
    }

    /// Of chains that each count once, or, if they are a population's, together as much as `effectiveSize`.
    init(_ name: String, _ moments: ChainMoments, effectiveSize: Double?) {
        guard moments.count > 0 else {
            self.init(name: name)
            return
        }
        let deviation = moments.draws.standardDeviation
        let error = effectiveSize.map { $0 > 0 ? deviation / $0.squareRoot() : .infinity } ?? moments.standardError
        self.init(
            name: name, mean: moments.draws.mean, standardDeviation: deviation,
            meanError: moments.count > 1 && error.isFinite ? error : nil)
    }
}
