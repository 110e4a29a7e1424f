/// The noise schedule as a job or a model file names it.
package struct ScheduleDescription: Sendable, Equatable {
    /// The family of schedules; formulas at ``NoiseSchedule``.
    package enum Kind: Sendable, Equatable {
        case cosine
        /// With the first and the last beta; nil for the usual ones.
        case linear(first: Double? = nil, last: Double? = nil)
        /// Likewise.
        case scaledLinear(first: Double? = nil, last: Double? = nil)
        /// abar of each level, falling, each between 0 and 1.
        case table([Double])

        /// Its name in jobs and model files.
        package var name: String {
            switch self {
            case .cosine: "cosine"
            case .linear: "linear"
            case .scaledLinear: "scaled_linear"
            case .table: "table"
            }
        }

        /// The names of all.
        package static let names = ["cosine", "linear", "scaled_linear", "table"]
    }

    /// The formula.
    package var kind: Kind

    /// T, the number of noise levels of the formula, 1 to 65 535: those that a network is trained on. Level 0 is the
    /// least noisy.
    package var trainedLevels: Int

    /// How many of them, evenly spaced, are used; nil for all.
    package var spaced: Int?

    /// The number of noise levels in use.
    package var levels: Int { spaced ?? trainedLevels }

    /// The schedule of all levels, on which a network is trained.
    package var unspaced: ScheduleDescription { Self(kind: kind, levels: trainedLevels) }

    /// A schedule; nothing is checked here.
    ///
    /// - Parameters:
    ///   - levels: of the formula.
    ///   - spaced: how many of them are used; nil for all.
    package init(kind: Kind, levels: Int, spaced: Int? = nil) {
        self.kind = kind
        trainedLevels = levels
        self.spaced = spaced
    }
}
