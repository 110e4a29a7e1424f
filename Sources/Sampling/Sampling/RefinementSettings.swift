/// How annealing goes on below level 0, to the density of the data themselves.
///
/// Level 0 is still noisy. Below it the variance of the noise is quartered from level to level and zero at the last
/// (``NoiseSchedule/refinement(levels:)``), where draws are kept then. A model must be known there, so it is for
/// exact densities: a network has seen no such level.
package struct RefinementSettings: Sendable, Equatable {
    /// Levels below 0; at most ``mostLevels``.
    package var levels: Int
    /// Transitions at each of them, at least 1.
    package var transitions: Int
    /// Langevin's h or the leapfrog's step at each of them, the one right below level 0 first; nil for those of level 0,
    /// scaled.
    package var stepSizes: [Double]?

    package init(levels: Int, transitions: Int, stepSizes: [Double]? = nil) {
        self.levels = levels
        self.transitions = transitions
        self.stepSizes = stepSizes
    }

    /// The most levels below 0.
    package static let mostLevels = 16
}
