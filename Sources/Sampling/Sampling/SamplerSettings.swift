/// How a job's chains move: the kernel, its parameters, and the levels on which it runs.
public struct SamplerSettings: Sendable, Equatable {
    /// The kernel. `reverse` is ancestral sampling alone; `ula` and `uhmc` always accept;
    /// `mala` and `hmc` have a Metropolis step.
    public enum Kind: String, Sendable, CaseIterable {
        case reverse, ula, mala, uhmc, hmc

        /// Whether the kernel carries a momentum and takes leapfrog steps.
        public var isHamiltonian: Bool { self == .hmc || self == .uhmc }

        /// Whether proposals are accepted or rejected by a Metropolis rule.
        public var isAdjusted: Bool { self == .hmc || self == .mala }
    }

    /// Which kernel.
    public var kind: Kind

    /// How the Metropolis step knows the change of the log density (`mala` and `hmc` only, else `energy`).
    public var acceptance: AcceptanceRule

    /// Transitions per level, at least 1 (0 for `reverse`).
    public var transitions: Int

    /// Leapfrog steps in one transition, at least 1 (Hamiltonian kernels only, else 1).
    public var leapfrogSteps: Int

    /// The part c of the momentum kept at each refreshment, in [0, 1): v = c v + sqrt(1 - c^2) M z.
    public var damping: Double

    /// Langevin's h or the leapfrog's step, above zero, per level.
    public var stepSize: LevelValues

    /// How pilot blocks find the step sizes, in place of `stepSize`; nil where that has them.
    public var tuning: TuningSettings?

    /// M in the kinetic energy |v|^2 / (2 M^2), above zero, per level.
    public var mass: LevelValues

    /// Whether an ancestral step leads into each level (always, for `reverse`).
    public var reverseSteps: Bool

    /// The levels on which transitions run.
    public var levels: ClosedRange<Int>

    /// Whether and when the chains of a block are weighted and resampled; nil lets each go its own way.
    public var population: PopulationSettings?

    /// Whether each draw is the mean of the data that its point comes from, at the last level's noise, not the point.
    public var denoise: Bool

    /// At which levels chains have replicas that are exchanged while draws are made; nil for none.
    public var exchange: ExchangeSettings?

    /// How annealing goes on below level 0; nil if it ends where the levels do.
    public var refinement: RefinementSettings?

    public init(
        kind: Kind, acceptance: AcceptanceRule = .energy, transitions: Int, leapfrogSteps: Int = 1, damping: Double = 0,
        stepSize: LevelValues, tuning: TuningSettings? = nil, mass: LevelValues = .constant(1),
        reverseSteps: Bool = false, levels: ClosedRange<Int>, population: PopulationSettings? = nil,
        denoise: Bool = false, exchange: ExchangeSettings? = nil, refinement: RefinementSettings? = nil
    ) {
        self.kind = kind
        self.acceptance = acceptance
        self.transitions = transitions
        self.leapfrogSteps = leapfrogSteps
        self.damping = damping
        self.stepSize = stepSize
        self.tuning = tuning
        self.mass = mass
        self.reverseSteps = reverseSteps
        self.levels = levels
        self.population = population
        self.denoise = denoise
        self.exchange = exchange
        self.refinement = refinement
    }

    /// Evaluations of the composition that a transition costs a chain (0 for `reverse`).
    public var evaluationsPerTransition: Int {
        guard kind != .reverse else { return 0 }
        return (kind.isHamiltonian ? max(1, leapfrogSteps) : 1) + (kind.isAdjusted ? acceptance.evaluations : 0)
    }
}

/// One number for every noise level, as a job writes it down.
public enum LevelValues: Sendable, Equatable {
    /// The same number at every level.
    case constant(Double)
    /// One number per level; index = level.
    case perLevel([Double])
    /// `scale * beta_t ^ exponent`.
    case betaPower(scale: Double, exponent: Double)
}
