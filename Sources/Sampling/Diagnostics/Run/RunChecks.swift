import RunFolder

// What is compared for every run: what its summary and its statistics tell.
extension RunExamination {
    /// In a fixed order; those alone that the job gives reason for.
    func runChecks() throws(RunFolderError) -> [RunDiagnostics.Check] {
        [finiteCheck, divergenceCheck] + [try acceptanceCheck()].compactMap(\.self) + (try logDensityChecks())
            + [try localMassCheck()].compactMap(\.self) + populationChecks + [try swapCheck()].compactMap(\.self)
            + normalizerCheck
    }

    private var finiteCheck: RunDiagnostics.Check {
        let draws = Double(summary.chains) * Double(summary.draws)
        return .most(
            "finite_draws", Double(summary.nonFiniteDraws) / draws, Limits.nonFiniteShare, "all draws are finite",
            "\(summary.nonFiniteDraws) draws have a coordinate that is not finite: chains ran away; make step_size smaller"
        )
    }

    private var divergenceCheck: RunDiagnostics.Check {
        // Without proposals draws alone can diverge, as those that can't be denoised.
        let each = job.proposalsPerChain == 0 ? Double(summary.draws) : job.proposalsPerChain
        let share = Double(summary.divergences) / (Double(summary.chains) * each)
        return .most(
            "divergences", share, Limits.divergentShare,
            summary.divergences == 0 ? "no proposal diverged" : "\(Self.digits(share)) of the proposals diverged",
            "\(Self.digits(share)) of the proposals diverged, more than \(Limits.divergentShare): energies or gradients are "
                + "not finite there; make step_size smaller")
    }

    private func acceptanceCheck() throws(RunFolderError) -> RunDiagnostics.Check? {
        guard job.isAdjusted else { return nil }
        let below = try records.columnMeans(
            of: RunStatistic.refinementAcceptance, columns: job.refinedLevels
        ) { (part: Float) in Double(part) }
        let levels =
            below.enumerated().map { (level: -1 - $0, mean: $1) }
            + summary.acceptancePerLevel.enumerated().map { (level: $0, mean: $1) }
        let known = levels.compactMap { entry in entry.mean.map { (level: entry.level, mean: $0) } }
        guard let lowest = known.min(by: { $0.mean < $1.mean }) else { return nil }
        let low = known.count { $0.mean < Limits.acceptance }
        return .least(
            "acceptance", lowest.mean, Limits.acceptance,
            "acceptance is \(Self.digits(lowest.mean)) or more at every level",
            "acceptance is \(Self.digits(lowest.mean)) at level \(lowest.level), and below \(Limits.acceptance) at \(low) of "
                + "\(known.count) levels: chains stand still there; make step_size smaller there, or \"tuned\"")
    }

    private func logDensityChecks() throws(RunFolderError) -> [RunDiagnostics.Check] {
        var (missing, unknown) = (0, 0)
        // Chains of a population that have no density have no weight either.
        if summary.population == nil {
            try records.forEachRows(of: RunStatistic.logDensity, as: Double.self) { (values) throws(RunFolderError) in
                for value in values where !value.isFinite {
                    missing += 1
                    unknown += value.isNaN ? 1 : 0
                }
            }
        }
        var checks: [RunDiagnostics.Check] = []
        // A target without an energy has no log density at all.
        if summary.population == nil, unknown < summary.chains {
            let share = Double(missing) / Double(summary.chains)
            checks.append(
                .most(
                    "log_density", share, Limits.withoutLogDensityShare,
                    missing == 0
                        ? "every chain ends where the target has a density" : "\(missing) chains end without a density",
                    "\(missing) of \(summary.chains) chains end where the target has no density, or where it can't be "
                        + "computed"))
        }
        if let deviation = summary.logDensity.standardDeviation {
            let dimension = summary.shape.reduce(1, *)
            checks.append(
                .most(
                    "log_density_spread", deviation, Limits.logDensityDeviation(dimension: dimension),
                    "the log density's spread over chains is \(Self.digits(deviation)) nats, \(Self.digits((Double(dimension) / 2).squareRoot())) "
                        + "being usual where all components are equally wide",
                    "the log density's standard deviation over chains is \(Self.digits(deviation)) nats, and that of a sample "
                        + "about \(Self.digits((Double(dimension) / 2).squareRoot())): chains have not come to where the "
                        + "target has its mass"))
        }
        return checks
    }

    /// Whether modes have as many chains as their mass, of points with few coordinates. Of each chain its last draw counts: draws
    /// of one chain lie near each other by themselves.
    private func localMassCheck() throws(RunFolderError) -> RunDiagnostics.Check? {
        let dimension = summary.shape.reduce(1, *)
        guard dimension <= Limits.localDimensions, !job.isDenoised, summary.chains >= Limits.localSamples.lowerBound
        else { return nil }
        let count = min(summary.chains, Limits.localSamples.upperBound)
        let rows = (0..<count).map { $0 * summary.chains / count }
        let logDensities = try records.rows(
            of: RunStatistic.logDensity, columns: 1, chains: records.chains(ofRows: rows))
        guard logDensities.count == count else { return nil }
        var (points, densities): ([[Double]], [Double]) = ([], [])
        try records.forEachSample(ofRows: rows, size: summary.draws * dimension) { place, row in
            let point = row.suffix(dimension).map(Double.init)
            // Other checks tell of chains without a density.
            guard logDensities[place].isFinite, point.allSatisfy(\.isFinite) else { return }
            points.append(point)
            densities.append(logDensities[place])
        }
        guard points.count >= Limits.localSamples.lowerBound / 2,
            let mass = LocalMass(points: points, logDensities: densities, factor: Limits.localFactor)
        else { return nil }
        let share = Self.digits(mass.excess)
        return .most(
            "local_mass", mass.excess, Limits.localExcess,
            "samples are as dense as the target says, but for \(share) of them",
            "\(share) of the samples lie where there are more than \(Self.digits(Limits.localFactor)) times as many as the target's "
                + "density gives reason for, beside the others: chains are left in modes of little mass; use a population, or "
                + "exchange")
    }

    private var populationChecks: [RunDiagnostics.Check] {
        guard let population = summary.population else { return [] }
        let all = Double(summary.chains)
        let worth = min(population.effectiveSize, Double(population.distinctChains))
        let ancestors = min(Double(Limits.ancestors), all / 2)
        return [
            .least(
                "population", worth / all, Limits.populationShare,
                "the population is worth \(Self.digits(worth)) of its \(summary.chains) chains",
                "the population is worth \(Self.digits(worth)) of its \(summary.chains) chains: a few of them make up the "
                    + "samples; use more transitions, or more levels"),
            .least(
                "ancestors", Double(population.ancestors), ancestors,
                "the samples descend from \(population.ancestors) chains of the start",
                "the samples descend from \(population.ancestors) chains of the start alone: modes may be missing, and "
                    + "effective size and standard errors mean little; use more chains, or more transitions at noisy levels"
            ),
        ]
    }

    private func swapCheck() throws(RunFolderError) -> RunDiagnostics.Check? {
        let means = try records.columnMeans(of: RunStatistic.swapAcceptance, columns: job.replicas.count - 1) {
            (part: Float) in Double(part)
        }
        let pairs = means.enumerated().compactMap { pair, mean in mean.map { (pair: pair, mean: $0) } }
        guard let lowest = pairs.min(by: { $0.mean < $1.mean }) else { return nil }
        let (low, high) = (job.replicas[lowest.pair], job.replicas[lowest.pair + 1])
        return .least(
            "swap_acceptance", lowest.mean, Limits.swapAcceptance,
            "neighbouring replicas swap \(Self.digits(lowest.mean)) of the times or more often",
            "replicas at levels \(low) and \(high) swap \(Self.digits(lowest.mean)) of the times: draws are not renewed from "
                + "there; use more replicas")
    }

    private var normalizerCheck: [RunDiagnostics.Check] {
        let errors = summary.preliminaries.compactMap { $0.logNormalizer?.standardError }
        guard let largest = errors.max() else { return [] }
        return [
            .most(
                "normalizers", largest, Limits.normalizerError,
                "the mixture's normalisers are known to \(Self.digits(largest)) nats",
                "a normaliser of the mixture is known to \(Self.digits(largest)) nats alone, by which its weight is "
                    + "uncertain; use larger blocks or more transitions")
        ]
    }

    /// A number with four digits.
    static func digits(_ number: Double) -> String { number.isFinite ? RunSummary.short(number) : "infinite" }
}

extension RunDiagnostics.Check {
    /// A number that must not be above a limit.
    static func most(
        _ name: String, _ value: Double, _ limit: Double, _ passed: String, _ failed: String
    ) -> RunDiagnostics.Check {
        // What is no number is no good one.
        let passes = value <= limit
        return RunDiagnostics.Check(
            name: name, value: value.isFinite ? value : nil, limit: limit, passes: passes,
            text: passes ? passed : failed)
    }

    /// A number that must not be below a limit.
    static func least(
        _ name: String, _ value: Double, _ limit: Double, _ passed: String, _ failed: String
    ) -> RunDiagnostics.Check {
        let passes = value >= limit
        return RunDiagnostics.Check(
            name: name, value: value.isFinite ? value : nil, limit: limit, passes: passes,
            text: passes ? passed : failed)
    }
}
