/// How annealing goes on below level 0, to the density of the data themselves.
///
/// Level 0 is still noisy. Below it the variance of the noise is quartered from level to level and zero at the last
/// (``NoiseSchedule/refinement(levels:)``), where draws are kept then. A model must be known there, so it is for
/// exact densities: a network has seen no such level.
public struct RefinementSettings: Sendable, Equatable {
    /// Levels below 0; at most ``mostLevels``.
    public var levels: Int
    /// Transitions at each of them, at least 1.
    public var transitions: Int
    /// Langevin's h or the leapfrog's step at each of them, the one right below level 0 first; nil for those of level 0,
    /// scaled.
    public var stepSizes: [Double]?

    public init(levels: Int, transitions: Int, stepSizes: [Double]? = nil) {
        self.levels = levels
        self.transitions = transitions
        self.stepSizes = stepSizes
    }

    /// The most levels below 0.
    public static let mostLevels = 16
}

/// Why annealing can't go on below level 0 as asked for.
public enum RefinementConflict: Error, Sendable, Equatable, CustomStringConvertible {
    /// Fewer than one level or more than there may be, no transitions, or step sizes of another number.
    case shape
    /// There are no transitions at level 0, from where it goes on.
    case levels
    /// Ancestral steps have no meaning below level 0.
    case reverseSteps
    /// There is no noise left to take away.
    case denoise
    /// Draws and replicas are at level 0.
    case exchange

    /// What is wrong and what to do, in one line.
    public var description: String {
        switch self {
        case .shape:
            "levels must be from 1 to \(RefinementSettings.mostLevels), with transitions and as many step sizes"
        case .levels: "chains are refined from level 0 on, where there are no transitions; let levels begin at 0"
        case .reverseSteps: "ancestral steps do not lead below level 0; leave out one of the two"
        case .denoise: "draws without noise can't be denoised; leave out one of the two"
        case .exchange: "replicas are exchanged where draws are kept, at level 0; leave out one of the two"
        }
    }
}

extension SamplerSettings {
    /// What forbids the refinement that these settings ask for; nil if nothing does, or if they ask for none.
    public var refinementConflict: RefinementConflict? {
        guard let refinement else { return nil }
        guard 1...RefinementSettings.mostLevels ~= refinement.levels, refinement.transitions >= 1,
            refinement.stepSizes.map({ $0.count == refinement.levels }) ?? true
        else { return .shape }
        if reverseSteps || kind == .reverse { return .reverseSteps }
        if levels.lowerBound > 0 { return .levels }
        if denoise { return .denoise }
        return exchange == nil ? nil : .exchange
    }
}
