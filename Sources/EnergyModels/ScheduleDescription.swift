/// The noise schedule as a job or a model file names it.
public struct ScheduleDescription: Sendable, Equatable {
    /// The family of schedules; formulas at ``NoiseSchedule``.
    public enum Kind: String, Sendable, CaseIterable {
        case cosine, linear
    }

    /// The formula.
    public var kind: Kind

    /// T, the number of noise levels, 1 to 65 535. Level 0 is the least noisy.
    public var levels: Int

    /// A schedule; nothing is checked here.
    public init(kind: Kind, levels: Int) {
        self.kind = kind
        self.levels = levels
    }
}
