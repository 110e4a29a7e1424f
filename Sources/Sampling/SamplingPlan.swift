public import Composition
public import EnergyModels
import VectorMath

/// Everything that the blocks of a job have in common; made once, read by every block.
public struct SamplingPlan: Sendable {
    /// The composition to be sampled.
    public let density: any Density
    /// Whether the log density is known, not the score alone.
    public let hasEnergy: Bool
    /// Where the composition has density at all; nil if everywhere.
    public let bounds: Bounds?
    /// The noise levels.
    public let schedule: NoiseSchedule
    /// The kernel and where it runs.
    public let settings: SamplerSettings
    /// Langevin's h or the leapfrog's step at each level; index = level; NaN where pilot blocks are to find it.
    public internal(set) var stepSizes: [Double]
    /// M at each level; index = level.
    public let masses: [Double]
    /// The job's seed.
    public let seed: UInt64
    /// Chains that run in lock-step.
    public let lanes: Int
    /// Draws kept per chain at the last level.
    public let draws: Int
    /// Transitions from one kept draw to the next.
    public let thin: Int

    public init(
        density: any Density, hasEnergy: Bool = true, bounds: Bounds? = nil, schedule: NoiseSchedule,
        settings: SamplerSettings, seed: UInt64, lanes: Int, draws: Int = 1, thin: Int = 1
    ) {
        precondition(lanes > 0 && draws > 0 && thin > 0)
        precondition(hasEnergy || !settings.kind.isAdjusted || !settings.acceptance.needsEnergy)
        precondition(settings.populationConflict(hasEnergy: hasEnergy) == nil)
        precondition(settings.exchangeConflict(hasEnergy: hasEnergy, draws: draws) == nil)
        precondition(settings.levels.lowerBound >= 0 && settings.levels.upperBound < schedule.levels.count)
        self.density = density
        self.hasEnergy = hasEnergy
        self.bounds = bounds
        self.schedule = schedule
        self.settings = settings
        stepSizes =
            settings.tuning == nil
            ? settings.stepSize.resolved(over: schedule) : [Double](repeating: .nan, count: schedule.levels.count)
        masses = settings.mass.resolved(over: schedule)
        self.seed = seed
        self.lanes = lanes
        self.draws = draws
        self.thin = thin
    }

    /// The level on which chains start.
    var firstLevel: Int {
        settings.reverseSteps ? schedule.levels.count - 1 : settings.levels.upperBound
    }

    /// The level on which chains end and draws are kept.
    var lastLevel: Int { settings.reverseSteps ? 0 : settings.levels.lowerBound }

    /// Transitions of annealing at a level.
    func annealingTransitions(at level: Int) -> Int {
        settings.levels.contains(level) ? settings.transitions : 0
    }

    /// Transitions of annealing at a level, and of reaching the further draws at the last.
    func transitions(at level: Int) -> Int {
        annealingTransitions(at: level) + (level == lastLevel ? (draws - 1) * thin : 0)
    }

    /// Proposals that a chain and its replicas make at a level: what acceptance is a fraction of.
    func proposals(at level: Int) -> Int {
        guard settings.kind != .reverse else { return 0 }
        let isReplica = level != lastLevel && settings.exchange?.levels.contains(level) == true
        return transitions(at: level) + (isReplica ? (draws - 1) * thin : 0)
    }

    /// The replicas of a chain, beside itself.
    var replicas: Int { settings.exchange?.pairs ?? 0 }

    /// Entries into levels and transitions, all told.
    var units: Int {
        firstLevel - lastLevel + 1 + settings.levels.count * settings.transitions
            + (draws - 1) * thin * (1 + replicas)
    }
}

extension LevelValues {
    /// The number for every level; index = level.
    public func resolved(over schedule: NoiseSchedule) -> [Double] {
        switch self {
        case .constant(let value):
            schedule.levels.map { _ in value }
        case .perLevel(let values):
            values
        case .betaPower(let scale, let exponent):
            schedule.levels.map { scale * Elementary.power($0.beta, exponent) }
        }
    }
}
