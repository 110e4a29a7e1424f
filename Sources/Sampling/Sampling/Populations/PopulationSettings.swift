/// When the chains of a block are weighted and resampled as one population (sequential Monte Carlo; Del Moral,
/// Doucet and Jasra 2006). Blocks are populations of their own.
///
/// Weights are right for transitions that leave the level's density as it is, so for `mala` and `hmc` by the energy.
/// With `ula` and `uhmc`, and where a Metropolis step goes by scores alone, the chains move towards a density that is
/// off by what the step size costs, and samples and normaliser are off by as much: weights don't mend that. Measured
/// on a product of Gaussians with variances of 0.2 and up, 12 levels and 5 transitions on each: ULA's normaliser is too
/// low by 53, 14, 3 and 1 % at steps of 0.3, 0.1, 0.03 and 0.01.
package struct PopulationSettings: Sendable, Equatable {
    /// Chains are resampled on entering a level where the effective size is below this fraction of the chains;
    /// in (0, 1].
    package var threshold: Double

    /// The most bridges between two levels, intermediate densities on which chains stop on a way that would take the
    /// effective size below the threshold (``Bridge``); at most ``mostBridges``, 0 for none.
    package var bridges: Int

    package init(threshold: Double, bridges: Int = 0) {
        self.threshold = threshold
        self.bridges = bridges
    }

    /// The most bridges between two levels that may be asked for.
    package static let mostBridges = 64
}
