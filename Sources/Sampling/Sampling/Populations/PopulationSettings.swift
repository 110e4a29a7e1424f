/// When the chains of a block are weighted and resampled as one population (sequential Monte Carlo; Del Moral,
/// Doucet and Jasra 2006). Blocks are populations of their own.
///
/// Weights are right for transitions that leave the level's density as it is, so for `mala` and `hmc` by the energy.
/// With `ula` and `uhmc`, and where a Metropolis step goes by scores alone, the chains move towards a density that is
/// off by what the step size costs, and samples and normaliser are off by as much: weights don't mend that. Measured
/// on a product of Gaussians with variances of 0.2 and up, 12 levels and 5 transitions on each: ULA's normaliser is too
/// low by 53, 14, 3 and 1 % at steps of 0.3, 0.1, 0.03 and 0.01.
public struct PopulationSettings: Sendable, Equatable {
    /// Chains are resampled on entering a level where the effective size is below this fraction of the chains;
    /// in (0, 1].
    public var threshold: Double

    public init(threshold: Double) {
        self.threshold = threshold
    }
}

/// Why a population can't run as asked for.
public enum PopulationConflict: Error, Sendable, Equatable, CustomStringConvertible {
    /// The threshold is not in (0, 1].
    case threshold(Double)
    /// The log density is not known, so there are no weights.
    case noEnergy
    /// Ancestral steps move the chains in ways for which the weights don't account.
    case reverseSteps

    /// What is wrong and what to do, in one line.
    public var description: String {
        switch self {
        case .threshold(let value): "threshold is \(value), not above 0 and at most 1; 0.5 is usual"
        case .noEnergy: "a population is weighted by log densities, and this target has scores alone; leave it out"
        case .reverseSteps: "a population can't be weighted over reverse steps; leave out one of the two"
        }
    }
}

extension SamplerSettings {
    /// What forbids the population that these settings ask for; nil if nothing does, or if they ask for none.
    ///
    /// - Parameter hasEnergy: whether the target's log density is known.
    public func populationConflict(hasEnergy: Bool) -> PopulationConflict? {
        guard let population else { return nil }
        guard population.threshold > 0, population.threshold <= 1 else { return .threshold(population.threshold) }
        guard hasEnergy else { return .noEnergy }
        return reverseSteps || kind == .reverse ? .reverseSteps : nil
    }
}
