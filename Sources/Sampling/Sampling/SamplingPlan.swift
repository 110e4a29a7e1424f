package import Composition
package import EnergyModels
import VectorMath

/// Everything that the blocks of a job have in common; made once, read by every block.
package struct SamplingPlan: Sendable {
    /// The composition to be sampled.
    package let density: any Density
    /// Whether the log density is known, not the score alone.
    package let hasEnergy: Bool
    /// Where the composition has density at all; nil if everywhere.
    package let bounds: Bounds?
    /// The same for its density without noise, at the last level of a refinement: `bounds`, and the walls that models
    /// have there.
    package let walls: Bounds?
    /// All boxes that the composition has where draws are kept, those of parts of mixtures among them: a draw that lies
    /// within one lies within it as a float too.
    package let boxes: [Bounds]
    /// The noise levels.
    package let schedule: NoiseSchedule
    /// The levels of refinement below level 0, index -1 first.
    package let refinement: [NoiseLevel]
    /// The kernel and where it runs.
    package let settings: SamplerSettings
    /// The standard deviation of the points where chains start.
    package let startDeviation: Double
    /// Langevin's h or the leapfrog's step at each level; index = level; NaN where pilot blocks are to
    /// find it, and for a kernel without steps.
    package internal(set) var stepSizes: [Double]
    /// M at each level; index = level.
    package let masses: [Double]
    /// The job's seed.
    package let seed: UInt64
    /// Chains that run in lock-step.
    package let lanes: Int
    /// Draws kept per chain at the last level.
    package let draws: Int
    /// Transitions from one kept draw to the next.
    package let thin: Int
    /// The points that are kept on the way; nil for none.
    package let trace: TraceSettings?

    /// - Parameter totalWeight: W of the composition, above zero where chains start as
    ///   ``SamplerSettings/Start/target``.
    package init(
        density: any Density, hasEnergy: Bool = true, totalWeight: Double = 1, bounds: Bounds? = nil,
        walls: Bounds? = nil,
        boxes: [Bounds]? = nil,
        schedule: NoiseSchedule, settings: SamplerSettings, seed: UInt64, lanes: Int, draws: Int = 1, thin: Int = 1,
        trace: TraceSettings? = nil
    ) {
        precondition(lanes > 0 && draws > 0 && thin > 0)
        precondition(settings.conflict(hasEnergy: hasEnergy, draws: draws) == nil)
        precondition(settings.levels.lowerBound >= 0 && settings.levels.upperBound < schedule.levels.count)
        self.density = density
        self.hasEnergy = hasEnergy
        self.bounds = bounds
        self.walls = walls ?? bounds
        self.boxes = boxes ?? [self.walls].compactMap { $0 }
        self.schedule = schedule
        self.settings = settings
        startDeviation = settings.start == .target ? 1 / totalWeight.squareRoot() : 1
        stepSizes = settings.kernel.stepSizes(over: schedule)
        refinement = settings.refinement.map { schedule.refinement(levels: $0.levels) } ?? []
        masses = settings.kernel.masses(over: schedule)
        self.seed = seed
        self.lanes = lanes
        self.draws = draws
        self.thin = thin
        self.trace = trace
    }

    /// The level on which chains start.
    var firstLevel: Int {
        settings.reverseSteps ? schedule.levels.count - 1 : settings.levels.upperBound
    }

    /// The level on which chains end and draws are kept.
    var lastLevel: Int {
        settings.reverseSteps ? 0 : refinement.last?.index ?? settings.levels.lowerBound
    }

    /// A level of the schedule, or one of refinement below zero.
    func level(at index: Int) -> NoiseLevel { index < 0 ? refinement[-1 - index] : schedule.levels[index] }

    /// Langevin's h or the leapfrog's step at a level.
    func stepSize(at level: Int) -> Double { level < 0 ? refinementStepSizes[-1 - level] : stepSizes[level] }

    /// M at a level; below level 0 it is that of level 0.
    func mass(at level: Int) -> Double { masses[max(level, 0)] }

    /// Where the composition has density at a level; nil if everywhere.
    func bounds(at level: Int) -> Bounds? { self.level(at: level).noise == 0 ? walls : bounds }

    /// Transitions of annealing at a level.
    func annealingTransitions(at level: Int) -> Int {
        if level < 0 { return settings.refinement?.transitions ?? 0 }
        return settings.levels.contains(level) ? settings.transitions : 0
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

    /// What the blocks leave beside their samples.
    var statistics: [BlockStatistic] {
        settings.blockStatistics(
            levels: schedule.levels.count, lanes: lanes, draws: draws, thin: thin, hasEnergy: hasEnergy,
            trace: trace)
    }

    /// Entries into levels and transitions, all told.
    var units: Int {
        firstLevel - lastLevel + 1 + settings.levels.count * settings.transitions
            + refinement.count * (settings.refinement?.transitions ?? 0) + (draws - 1) * thin * (1 + replicas)
    }
}

extension SamplingPlan {
    /// Langevin's h or the leapfrog's step at each level of refinement: those given, or that of level 0, scaled.
    ///
    /// Langevin's goes with the variance of the noise, which sets how steep the walls of a box are: larger ones let
    /// unadjusted chains be thrown far away there. At the last level, without noise, walls only reject, and half of it
    /// is right for what is about as wide as the noise of level 0 was. The leapfrog's goes with the square root of all
    /// this.
    package var refinementStepSizes: [Double] {
        if let given = settings.refinement?.stepSizes { return given }
        return refinement.map { level in
            let scale = level.noise > 0 ? level.noiseVariance / schedule.levels[0].noiseVariance : 0.5
            return stepSizes[0] * (settings.kind.isHamiltonian ? scale.squareRoot() : scale)
        }
    }
}

extension SamplerSettings.Kernel {
    /// The step size at each level, index = level; NaN where pilot blocks are to find it, and for a kernel without steps.
    package func stepSizes(over schedule: NoiseSchedule) -> [Double] {
        guard case .given(let values)? = stepSizes else { return schedule.levels.map { _ in .nan } }
        return values.resolved(over: schedule)
    }

    /// M at each level, index = level; 1 for a kernel without momentum.
    package func masses(over schedule: NoiseSchedule) -> [Double] {
        (leapfrog?.mass ?? .constant(1)).resolved(over: schedule)
    }
}

extension LevelValues {
    /// The number for every level; index = level.
    package func resolved(over schedule: NoiseSchedule) -> [Double] {
        switch self {
        case .constant(let value):
            schedule.levels.map { _ in value }
        case .perLevel(let values):
            values
        case .betaPower(let scale, let exponent):
            schedule.levels.map { scale * Elementary.power($0.beta, exponent) }
        case .noisePower(let scale, let exponent):
            schedule.levels.map { scale * Elementary.power($0.noise, exponent) }
        }
    }
}
