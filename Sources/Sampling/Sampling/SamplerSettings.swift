/// How a job's chains move: the kernel, and where and with what around it its transitions run.
///
/// What a kernel needs comes with the kernel, so that none lacks it and none has what it can't use. What the other
/// options forbid one another is told by ``conflict(hasEnergy:draws:)``.
package struct SamplerSettings: Sendable, Equatable {
    /// The kernel and its own parameters.
    package var kernel: Kernel

    /// Transitions per level, at least 1 (0 for `reverse`).
    package var transitions: Int

    /// Whether an ancestral step leads into each level (always, for `reverse`).
    package var reverseSteps: Bool

    /// The levels on which transitions run.
    package var levels: ClosedRange<Int>

    /// Where chains start.
    package var start: Start

    /// Whether and when the chains of a block are weighted and resampled; nil lets each go its own way.
    package var population: PopulationSettings?

    /// Whether each draw is the mean of the data that its point comes from, at the last level's noise, not the point.
    package var denoise: Bool

    /// At which levels chains have replicas that are exchanged while draws are made; nil for none.
    package var exchange: ExchangeSettings?

    /// How annealing goes on below level 0; nil if it ends where the levels do.
    package var refinement: RefinementSettings?

    /// Settings of a kernel that makes transitions.
    package init(
        kernel: Kernel, transitions: Int, reverseSteps: Bool = false, levels: ClosedRange<Int>, start: Start = .normal,
        population: PopulationSettings? = nil, denoise: Bool = false, exchange: ExchangeSettings? = nil,
        refinement: RefinementSettings? = nil
    ) {
        self.kernel = kernel
        self.transitions = transitions
        self.reverseSteps = reverseSteps
        self.levels = levels
        self.start = start
        self.population = population
        self.denoise = denoise
        self.exchange = exchange
        self.refinement = refinement
    }

    /// Ancestral sampling alone.
    ///
    /// - Parameter levels: of the schedule.
    package static func reverse(levels: Int, denoise: Bool = false) -> SamplerSettings {
        SamplerSettings(
            kernel: .reverse, transitions: 0, reverseSteps: true, levels: 0...levels - 1, denoise: denoise)
    }

    /// Which kernel it is.
    package var kind: Kind { kernel.kind }

    /// How pilot blocks find the step sizes; nil where they are given, or the kernel takes no steps.
    package var tuning: TuningSettings? { kernel.tuning }

    /// Evaluations of the composition that a transition costs a chain (0 for `reverse`).
    package var evaluationsPerTransition: Int {
        guard kernel != .reverse else { return 0 }
        return (kernel.leapfrog?.steps ?? 1) + (kernel.acceptance?.evaluations ?? 0)
    }
}

extension SamplerSettings {
    /// The density of the points where chains start.
    package enum Start: String, Sendable, CaseIterable {
        /// N(0, I), which a single model is where there is nothing but noise.
        case normal
        /// N(0, I / W), which the target is there: every model is N(0, I), and W is the sum of their weights
        /// (``TargetExpression/totalWeight``), above zero.
        case target
    }
}

/// One number for every noise level, as a job writes it down.
package enum LevelValues: Sendable, Equatable {
    /// The same number at every level.
    case constant(Double)
    /// One number per level; index = level.
    case perLevel([Double])
    /// `scale * beta_t ^ exponent`.
    case betaPower(scale: Double, exponent: Double)
    /// `scale * sigma_t ^ exponent`, sigma_t the standard deviation of the noise.
    case noisePower(scale: Double, exponent: Double)

    /// Steps of `ula` where none are given: h = sigma^2 / 10.
    ///
    /// Along an axis where the density is as wide as the noise, as narrow as that of a single model can be, chains come
    /// out with 1 / (1 - h / (2 sigma^2)) times its variance, 5 % too much.
    package static let usualLangevin = LevelValues.noisePower(scale: 0.1, exponent: 2)
    /// Steps of `uhmc` where none are given: 0.3 sigma, for a variance of 1 / (1 - 0.3^2 / 4) times the right one, 2 % too
    /// much.
    package static let usualLeapfrog = LevelValues.noisePower(scale: 0.3, exponent: 1)
}
