extension RunSummary {
    /// The summary as a short table for people: one line a quantity, with its unit or definition, then one a warning, and a
    /// final newline.
    ///
    /// The last one is the verdict, where there is one.
    package var text: String {
        let size = ([chains, draws] + shape).map(String.init).joined(separator: " x ")
        var lines: [(label: String, value: String, note: String)] = [
            ("run", name, ""),
            ("job", jobHash, ""),
            ("samples", size, "chains x draws x shape, float32"),
            ("acceptance", RunSummary.short(acceptanceMean), acceptanceNote),
            ("step size", stepSizeRange, "over the levels with transitions"),
            ("gradients", String(gradientEvaluations), "gradient evaluations, all chains"),
            ("divergences", String(divergences), "divergent transitions, all chains"),
        ]
        if nonFiniteDraws > 0 {
            lines.append(("not finite", String(nonFiniteDraws), "draws with a coordinate that is not finite"))
        }
        if !preliminaries.isEmpty {
            let gradients = preliminaries.reduce(0) { $0 + $1.gradientEvaluations }
            let names = preliminaries.map(\.name).joined(separator: ", ")
            lines.append(("before", String(gradients), "gradient evaluations of jobs that were run first: \(names)"))
        }
        if let logNormalizer {
            let estimate = RunSummary.short(logNormalizer.estimate)
            let error = RunSummary.short(logNormalizer.standardError)
            lines.append(("log normalizer", "\(estimate) ± \(error)", "nats, estimate ± standard error"))
        }
        if let population {
            lines.append(
                (
                    "effective size", RunSummary.short(population.effectiveSize),
                    "equally weighted samples that the weighted chains are worth"
                ))
            lines.append(("distinct", "\(population.distinctChains)", "chains among the samples, once or more"))
            lines.append(("ancestors", "\(population.ancestors)", "chains of the start that they descend from"))
        }
        let mean = RunSummary.short(logDensity.mean)
        let deviation = RunSummary.short(logDensity.standardDeviation)
        lines.append(
            ("log density", "\(mean) ± \(deviation)", "nats, mean ± standard deviation over chains, last level"))
        lines.append(("SHA-256", samplesSHA256, RunFolder.samplesName))

        let labelWidth = lines.map(\.label.count).max() ?? 0
        // Hashes would push every note off the screen; they do not set the column.
        let valueWidth = lines.map(\.value.count).filter { $0 < 40 }.max() ?? 0
        return lines.map { line in
            let start = RunSummary.padded(line.label, to: labelWidth) + "  "
            guard !line.note.isEmpty else { return start + line.value + "\n" }
            return start + RunSummary.padded(line.value, to: valueWidth) + "  " + line.note + "\n"
        }.joined() + warnings.map { RunSummary.padded("warning", to: labelWidth) + "  " + $0 + "\n" }.joined()
            + (diagnostics.map { RunSummary.padded("verdict", to: labelWidth) + "  " + $0.verdict + "\n" } ?? "")
    }

    private var acceptanceNote: String {
        let known = acceptancePerLevel.enumerated().compactMap { level, mean in mean.map { (level, $0) } }
        guard let lowest = known.min(by: { $0.1 < $1.1 }) else { return "no transitions ran" }
        // Kernels without a Metropolis step have nothing to reject by.
        if lowest.1 == 1 { return "of every proposal, as with ula and uhmc" }
        return "mean over chains and levels; lowest \(RunSummary.short(lowest.1)) at level \(lowest.0)"
    }

    private var stepSizeRange: String {
        let known = stepSize.compactMap(\.self)
        guard let least = known.min(), let most = known.max() else { return "-" }
        return least == most ? RunSummary.short(least) : "\(RunSummary.short(least)) to \(RunSummary.short(most))"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Four significant digits; the whole number is in `summary.json`.
    package static func short(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "-" }
        guard value != 0 else { return "0" }
        var exponent = 0
        var scale = value.magnitude
        while scale >= 10 { (scale, exponent) = (scale / 10, exponent + 1) }
        while scale < 1 { (scale, exponent) = (scale * 10, exponent - 1) }
        let decimals = 3 - exponent
        guard decimals > 8 || exponent >= 15 else {
            // Whole numbers longer than that keep all of their digits.
            guard decimals > 0 else { return value.rounded().description.withoutPoint }
            let power = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
            return ((value * power).rounded() / power).description.withoutPoint
        }
        let sign = value < 0 ? "-" : ""
        let digits = ((scale * 1000).rounded() / 1000).description.withoutPoint
        return "\(sign)\(digits)e\(exponent < 0 ? "" : "+")\(exponent)"
    }
}

extension String {
    /// A whole number without the ".0" that a double's text ends with.
    fileprivate var withoutPoint: String { hasSuffix(".0") ? String(dropLast(2)) : self }
}
