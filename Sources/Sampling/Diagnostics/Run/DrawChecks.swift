import RunFolder

// What is compared of the draws themselves.
extension RunExamination {
    /// Of series of draws, with what their variables came to.
    func seriesChecks(
        _ variables: [RunDiagnostics.Variable], _ series: [(name: String, draws: ChainDraws)], energies: [Double]
    ) -> [RunDiagnostics.Check] {
        var checks = [effectiveSizeCheck(variables)].compactMap(\.self)
        if summary.chains < Limits.effectiveSize.total {
            // Each chain has to explore the target itself.
            checks += [rHatCheck(variables)].compactMap(\.self) + energyCheck(energies)
        } else {
            // Chains that many are a sample by themselves; what is left to ask is whether they have come to rest.
            checks += [driftCheck(series)].compactMap(\.self)
        }
        return checks
    }

    private func effectiveSizeCheck(_ variables: [RunDiagnostics.Variable]) -> RunDiagnostics.Check? {
        let sizes = variables.flatMap { variable in
            [(variable.name, "bulk", variable.bulkSize), (variable.name, "tail", variable.tailSize)]
        }.compactMap { name, part, size in
            // Chains that were looked at stand for all, which are independent of each other.
            size.map { (name: name, part: part, size: $0 * Double(summary.chains) / Double(rows.count)) }
        }
        // Where all stand still there are none, and R-hat has nothing to compare.
        guard let least = sizes.min(by: { $0.size < $1.size }) else { return nothingMoves(variables) }
        let limit = min(Limits.effectiveSize.total, Limits.effectiveSize.perChain * summary.chains)
        let found = "\(Self.digits(least.size)) (\(least.name), \(least.part))"
        return .least(
            "effective_size", least.size, Double(limit), "the draws are worth \(found) independent ones or more",
            "the draws are worth \(found) independent ones, fewer than \(limit): take more draws, or more transitions "
                + "between them (\"thin\")")
    }

    private func nothingMoves(_ variables: [RunDiagnostics.Variable]) -> RunDiagnostics.Check? {
        guard !variables.isEmpty, variables.allSatisfy({ $0.standardDeviation == 0 }) else { return nil }
        return .least(
            "effective_size", 0, 1, "", "all draws are one point: chains stand still; make step_size smaller")
    }

    private func rHatCheck(_ variables: [RunDiagnostics.Variable]) -> RunDiagnostics.Check? {
        let known = variables.compactMap { variable in variable.rHat.map { (name: variable.name, value: $0) } }
        guard let worst = known.max(by: { $0.value < $1.value }) else { return nil }
        let found = "R-hat is \(Self.digits(worst.value)) (\(worst.name))"
        let limit = Limits.rHat(chains: rows.count, draws: summary.draws)
        return .most(
            "r_hat", worst.value, limit, "\(found) or less: the chains agree",
            "\(found), above \(Self.digits(limit)): chains, or their halves, tell different things; take more draws, more "
                + "transitions, or \"exchange\" where there are several modes")
    }

    /// Whether the last draws of the chains are those of another law than the first ones.
    private func driftCheck(_ series: [(name: String, draws: ChainDraws)]) -> RunDiagnostics.Check? {
        let drifts = series.filter { $0.draws.isDiagnosable && !$0.draws.isConstant }.map { name, draws in
            var moments = Moments()
            for chain in 0..<draws.chains {
                let values = draws.chain(chain)
                moments.add(values.suffix(draws.draws / 2).mean - values.prefix(draws.draws / 2).mean)
            }
            // What an accident may be is none.
            let isCertain = moments.mean.magnitude > Limits.standardErrors * moments.standardError
            return (name: name, size: isCertain ? moments.mean.magnitude / draws.standardDeviation : 0)
        }
        guard let worst = drifts.max(by: { $0.size < $1.size }) else { return nil }
        return .most(
            "drift", worst.size, Limits.drift,
            worst.size == 0
                ? "the first draws of the chains and the last ones are of one law"
                : "from the first draws of the chains to the last ones \(worst.name) moves by "
                    + "\(Self.digits(worst.size)) standard deviations at most",
            "from the first draws of the chains to the last ones \(worst.name) moves by \(Self.digits(worst.size)) standard "
                + "deviations: chains have not come to rest; use more transitions")
    }

    private func energyCheck(_ energies: [Double]) -> [RunDiagnostics.Check] {
        guard !energies.isEmpty, summary.draws >= Limits.energyDraws,
            job.keptMomentum.map({ $0 <= Limits.keptMomentum }) == true
        else { return [] }
        let fractions = ChainDraws(chains: rows.count, values: energies).energyFractions.filter { !$0.isNaN }
        guard let lowest = fractions.min() else { return [] }
        return [
            .least(
                "e_bfmi", lowest, Limits.energyFraction, "E-BFMI is \(Self.digits(lowest)) or more in every chain",
                "E-BFMI is \(Self.digits(lowest)) in some chain: momenta bring little of the energy's spread, and tails are "
                    + "hardly reached; use longer paths, or more transitions between draws (\"thin\")")
        ]
    }

    /// A few chains of a few draws: neither series nor a sample by themselves.
    private var shortSeriesCheck: RunDiagnostics.Check? {
        let (chains, draws) = (summary.chains, summary.draws)
        guard draws >= ChainDraws.fewest, summary.population == nil else { return nil }
        return .least(
            "effective_size", Double(chains), Double(Limits.effectiveSize.total),
            "\(chains) chains, of which each counts once, are sample enough",
            "\(draws) draws of a chain are too few for a series, and \(chains) chains, of which each counts once then, fewer "
                + "than \(Limits.effectiveSize.total): take \(Limits.seriesDraws) draws or more, or more chains")
    }

    /// Of chains that each count once.
    func chainChecks(_ names: [String], _ moments: [ChainMoments]) -> [RunDiagnostics.Check] {
        [shortSeriesCheck].compactMap(\.self) + halvesCheck(names, moments)
    }

    private func halvesCheck(_ names: [String], _ moments: [ChainMoments]) -> [RunDiagnostics.Check] {
        // Neighbours among the samples of a population may be one chain.
        guard summary.population == nil, rows.count >= Limits.comparableChains else { return [] }
        let apart = zip(names, moments).map { name, moments in
            let (first, second) = moments.halves
            let error = (first.variance / Double(first.count) + second.variance / Double(second.count)).squareRoot()
            let difference = (first.mean - second.mean).magnitude
            return (name: name, errors: difference == 0 ? 0 : difference / error)
        }
        guard let worst = apart.max(by: { $0.errors < $1.errors }) else { return [] }
        return [
            .most(
                "halves", worst.errors, Limits.standardErrors, "both halves of the chains tell the same",
                "the two halves of the chains lie \(Self.digits(worst.errors)) standard errors apart (\(worst.name)), where "
                    + "chains of one law hardly ever do: a worker may compute wrong numbers")
        ]
    }
}
