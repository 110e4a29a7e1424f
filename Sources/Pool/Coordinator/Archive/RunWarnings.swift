import Foundation
package import JobFile
package import RunFolder
import Sampling

/// When a finished run's numbers give reason to doubt its samples.
///
/// A rule looks at the job, its summary and its statistics alone, so that the same job is warned of in the same words
/// wherever it ran.
extension Job {
    /// Below it chains of a kernel with a Metropolis step hardly move, above it their steps are needlessly small.
    private static let usualAcceptance = 0.1...0.99
    /// A standard deviation of a sample's log density that no density has: it is about the square root of half the
    /// dimensions.
    private var mostLogDensityDeviation: Double { 100 + 10 * Double(dimension) }
    /// A standard deviation should be worth so many different float32 numbers.
    private static let fewestNumbers = 100.0
    /// The part of a population's chains that its effective size, and the distinct chains among the samples, should be.
    private static let leastPart = (effectiveSize: 0.1, distinctChains: 0.5)
    /// Chains of the start from which a population's samples should descend.
    private static let fewestAncestors = 20
    /// Below it neighbouring replicas as good as never swap.
    private static let leastSwapAcceptance = 0.01
    /// In nats: an estimated normaliser that is less certain shifts a mixture's weights by half and more.
    private static let mostNormalizerError = 0.5

    /// What gives reason to doubt the samples, a sentence each; none for most runs.
    package func warnings(of summary: RunSummary, _ observed: RunObservations) -> [String] {
        let found =
            warnings + acceptanceWarnings(summary, observed)
            + [divergenceWarning(summary), logDensityWarning(observed), spreadWarning(summary)].compactMap { $0 }
        return found + populationWarnings(summary) + swapWarnings(observed) + normalizerWarnings(summary)
            + [precisionWarning(observed)].compactMap { $0 }
    }

    private func acceptanceWarnings(_ summary: RunSummary, _ observed: RunObservations) -> [String] {
        guard sampler.kind.isAdjusted else { return [] }
        let below = observed.refinementAcceptance.enumerated().map { (level: -1 - $0, mean: $1) }.reversed()
        let all = (below + summary.acceptancePerLevel.enumerated().map { (level: $0, mean: $1) })
            .compactMap { entry in entry.mean.map { (level: entry.level, mean: $0) } }
        let low = all.filter { $0.mean < Self.usualAcceptance.lowerBound }
        let high = all.filter { $0.mean > Self.usualAcceptance.upperBound }
        var found: [String] = []
        if let lowest = low.min(by: { $0.mean < $1.mean }) {
            found.append(
                "acceptance is below \(Self.usualAcceptance.lowerBound) at \(Self.levels(low.map(\.level))) (lowest "
                    + "\(Self.digits(lowest.mean)) at level \(lowest.level)): chains hardly move there; make step_size "
                    + "smaller there, or \"tuned\"")
        }
        if let highest = high.max(by: { $0.mean < $1.mean }) {
            found.append(
                "acceptance is above \(Self.usualAcceptance.upperBound) at \(Self.levels(high.map(\.level))) (highest "
                    + "\(Self.digits(highest.mean)) at level \(highest.level)): chains move less than they could for the "
                    + "same work; a larger step_size there, or \"tuned\", takes them further")
        }
        return found
    }

    private func divergenceWarning(_ summary: RunSummary) -> String? {
        guard summary.divergences > 0 else { return nil }
        let proposals = Double(summary.chains) * Double(proposalsPerChain)
        let part = proposals > 0 ? " (\(Self.digits(Double(summary.divergences) / proposals)) of the proposals)" : ""
        return
            "\(summary.divergences) divergences\(part): energies, gradients or draws that are not finite; make step_size "
            + "smaller, and look at \"divergences\" in \(RunFolder.statisticsName) for the chains"
    }

    /// What a chain and its replicas propose, all told.
    private var proposalsPerChain: Int {
        guard sampler.kind != .reverse else { return 0 }
        let below = sampler.refinement.map { $0.levels * $0.transitions } ?? 0
        return sampler.levels.count * sampler.transitions + below
            + (draws - 1) * thin * (sampler.exchange?.levels.count ?? 1)
    }

    private func logDensityWarning(_ observed: RunObservations) -> String? {
        guard observed.chainsWithoutLogDensity > 0 else { return nil }
        return
            "the log density of \(observed.chainsWithoutLogDensity) of \(chains) chains is not finite at the end: they "
            + "stand where the target has no density, or where it can't be computed"
    }

    private func spreadWarning(_ summary: RunSummary) -> String? {
        // So far apart that the squares overflow is too far as well.
        guard let deviation = summary.logDensity.standardDeviation, !(deviation <= mostLogDensityDeviation) else {
            return nil
        }
        return
            "the log density's standard deviation over chains is \(Self.digits(deviation)) nats, where a sample of one "
            + "density has about \(Self.digits((Double(dimension) / 2).squareRoot())): chains have not come to where the "
            + "target has its mass"
    }

    private func populationWarnings(_ summary: RunSummary) -> [String] {
        guard let population = summary.population else { return [] }
        var found: [String] = []
        let all = Double(summary.chains)
        if population.effectiveSize < Self.leastPart.effectiveSize * all {
            found.append(
                "the population's effective size is \(Self.digits(population.effectiveSize)) of \(summary.chains) chains: a "
                    + "few of them make up the samples; use more transitions, or more levels")
        }
        if Double(population.distinctChains) < Self.leastPart.distinctChains * all {
            found.append(
                "only \(population.distinctChains) of \(summary.chains) samples are distinct chains; use more transitions "
                    + "at the last levels, or larger blocks")
        }
        if population.ancestors < Self.fewestAncestors, 2 * population.ancestors < summary.chains {
            found.append(
                "the samples descend from \(population.ancestors) chains of the start: effective size and standard error "
                    + "mean little, and modes may be missing; use more chains, or more transitions at noisy levels")
        }
        return found
    }

    private func swapWarnings(_ observed: RunObservations) -> [String] {
        guard let levels = sampler.exchange?.levels else { return [] }
        let apart = observed.swapAcceptance.enumerated().filter { ($1 ?? 1) < Self.leastSwapAcceptance }
        guard let first = apart.first else { return [] }
        let more = apart.count > 1 ? " and \(apart.count - 1) further pairs" : ""
        return [
            "replicas at levels \(levels[first.offset]) and \(levels[first.offset + 1])\(more) hardly ever swap "
                + "(\(Self.digits(first.element ?? 0)) of the times): draws are not renewed from there; use more replicas"
        ]
    }

    private func normalizerWarnings(_ summary: RunSummary) -> [String] {
        summary.preliminaries.compactMap { preliminary in
            guard let error = preliminary.logNormalizer?.standardError, error > Self.mostNormalizerError else {
                return nil
            }
            return "the normaliser of a mixture's component is known to ± \(Self.digits(error)) nats alone "
                + "(\(preliminary.name)), by which its weight is uncertain; use larger blocks or more transitions"
        }
    }

    private func precisionWarning(_ observed: RunObservations) -> String? {
        let coarse = observed.axes.enumerated().filter { $1.spacing * Self.fewestNumbers > $1.standardDeviation }
        guard let worst = coarse.max(by: { $0.element.coarseness < $1.element.coarseness }) else { return nil }
        let axes = coarse.count > 1 ? "\(coarse.count) axes, most of all axis \(worst.offset)" : "axis \(worst.offset)"
        return "draws are coarse along \(axes): float32 numbers near \(Self.digits(worst.element.mean)) are "
            + "\(Self.digits(worst.element.spacing)) apart, and the draws' standard deviation is "
            + "\(Self.digits(worst.element.standardDeviation)); shift the coordinates towards 0"
    }

    private static func digits(_ number: Double) -> String { String(format: "%.4g", number) }

    /// Ascending levels in words: "level 3", or "levels 0-2, 5 and 7-9".
    private static func levels(_ levels: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for level in levels {
            if let last = ranges.last, last.upperBound + 1 == level {
                ranges[ranges.count - 1] = last.lowerBound...level
            } else {
                ranges.append(level...level)
            }
        }
        let texts = ranges.map { range in
            switch (range.count, range.lowerBound < 0) {
            case (1, _): "\(range.lowerBound)"
            case (_, true): "\(range.lowerBound) to \(range.upperBound)"
            case (_, false): "\(range.lowerBound)-\(range.upperBound)"
            }
        }
        // Where every other level is concerned a list says no more than its ends do.
        guard texts.count <= 6, let last = texts.last else {
            return "\(levels.count) levels from \(levels.first ?? 0) to \(levels.last ?? 0)"
        }
        let list = texts.count > 1 ? texts.dropLast().joined(separator: ", ") + " and " + last : last
        return (levels.count > 1 ? "levels " : "level ") + list
    }
}

extension RunObservations.Axis {
    /// Steps between neighbouring numbers in a standard deviation, turned over; infinite where all draws are one.
    fileprivate var coarseness: Double { standardDeviation > 0 ? spacing / standardDeviation : .infinity }
}
