/// How step sizes are looked for before a job's chains run: pilot blocks choose one for each level, so that the part of
/// the proposals that is accepted there comes to a target.
package struct TuningSettings: Sendable, Equatable {
    /// The part of the proposals that should be accepted at every level, one of ``targets``.
    package var targetAcceptance: Double
    /// Pilot blocks, at least 1; the median of what they find counts.
    package var pilots: Int

    /// The targets that make sense to ask for.
    package static let targets = 0.05...0.98

    /// Enough pilot blocks of 64 chains for the acceptance to come out right within 0.02 or so.
    package static let usualPilots = 16

    /// What a job that says nothing of its steps gets.
    package static func usual(for kind: SamplerSettings.Kind) -> TuningSettings {
        TuningSettings(targetAcceptance: kind.usualAcceptance ?? 0.5, pilots: usualPilots)
    }

    package init(targetAcceptance: Double, pilots: Int) {
        self.targetAcceptance = targetAcceptance
        self.pilots = pilots
    }
}

extension SamplerSettings.Kind {
    /// The acceptance to tune for unless another is named. For `mala` 0.57, at which a transition gets furthest for its
    /// cost in many dimensions (Roberts and Rosenthal 1998). For `hmc` that would be 0.65 (Beskos and others 2013), but
    /// in few dimensions paths so coarse come back on themselves, and more has been found to be better: 0.8. Nil for
    /// kernels that accept every proposal.
    package var usualAcceptance: Double? {
        switch self {
        case .mala: 0.57
        case .hmc: 0.8
        case .reverse, .ula, .uhmc: nil
        }
    }
}
