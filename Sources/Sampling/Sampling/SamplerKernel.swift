extension SamplerSettings {
    /// A kernel with what it needs.
    package enum Kernel: Sendable, Equatable {
        /// Ancestral sampling alone: no transitions.
        case reverse
        /// Langevin's, that accepts every proposal.
        case ula(step: LevelValues)
        /// Langevin's, with a Metropolis step.
        case mala(step: StepSizes, acceptance: AcceptanceRule)
        /// Hamiltonian, that accepts every proposal.
        case uhmc(step: LevelValues, leapfrog: LeapfrogSettings)
        /// Hamiltonian, with a Metropolis step.
        case hmc(step: StepSizes, leapfrog: LeapfrogSettings, acceptance: AcceptanceRule)
    }

    /// The kernels by what jobs call them.
    package enum Kind: String, Sendable, CaseIterable {
        case reverse, ula, mala, uhmc, hmc

        /// Whether the kernel carries a momentum and takes leapfrog steps.
        package var isHamiltonian: Bool { self == .hmc || self == .uhmc }

        /// Whether proposals are accepted or rejected by a Metropolis rule.
        package var isAdjusted: Bool { self == .hmc || self == .mala }
    }
}

/// Langevin's h or the leapfrog's step, above zero, at each level.
package enum StepSizes: Sendable, Equatable {
    /// These.
    case given(LevelValues)
    /// Those that pilot blocks find.
    case tuned(TuningSettings)
}

/// The path and the momentum of a Hamiltonian kernel.
package struct LeapfrogSettings: Sendable, Equatable {
    /// Leapfrog steps in one transition, at least 1.
    package var steps: Int
    /// The part c of the momentum kept at each refreshment, in [0, 1): v = c v + sqrt(1 - c^2) M z.
    package var damping: Double
    /// M in the kinetic energy |v|^2 / (2 M^2), above zero, per level.
    package var mass: LevelValues

    package init(steps: Int = 3, damping: Double = 0.5, mass: LevelValues = .constant(1)) {
        self.steps = steps
        self.damping = damping
        self.mass = mass
    }
}

extension SamplerSettings.Kernel {
    /// Which it is.
    package var kind: SamplerSettings.Kind {
        switch self {
        case .reverse: .reverse
        case .ula: .ula
        case .mala: .mala
        case .uhmc: .uhmc
        case .hmc: .hmc
        }
    }

    /// Its step sizes; nil for a kernel without steps.
    package var stepSizes: StepSizes? {
        switch self {
        case .reverse: nil
        case .ula(let step), .uhmc(let step, _): .given(step)
        case .mala(let step, _), .hmc(let step, _, _): step
        }
    }

    /// How pilot blocks find its step sizes; nil where they are given, or there are none.
    package var tuning: TuningSettings? {
        if case .tuned(let tuning)? = stepSizes { tuning } else { nil }
    }

    /// Its path and momentum; nil for a kernel without.
    package var leapfrog: LeapfrogSettings? {
        switch self {
        case .reverse, .ula, .mala: nil
        case .uhmc(_, let leapfrog), .hmc(_, let leapfrog, _): leapfrog
        }
    }

    /// How its Metropolis step knows the change of the log density; nil for a kernel without one.
    package var acceptance: AcceptanceRule? {
        switch self {
        case .reverse, .ula, .uhmc: nil
        case .mala(_, let rule), .hmc(_, _, let rule): rule
        }
    }

    /// The kernel with these step sizes in place of its own.
    package func stepping(by values: LevelValues) -> SamplerSettings.Kernel {
        switch self {
        case .reverse: .reverse
        case .ula: .ula(step: values)
        case .mala(_, let rule): .mala(step: .given(values), acceptance: rule)
        case .uhmc(_, let leapfrog): .uhmc(step: values, leapfrog: leapfrog)
        case .hmc(_, let leapfrog, let rule): .hmc(step: .given(values), leapfrog: leapfrog, acceptance: rule)
        }
    }

    /// The kernel of the same moves with a Metropolis step by the energy, which samples its level exactly.
    package var exact: SamplerSettings.Kernel {
        switch self {
        case .reverse: .reverse
        case .ula(let step): .mala(step: .given(step), acceptance: .energy)
        case .mala(let step, _): .mala(step: step, acceptance: .energy)
        case .uhmc(let step, let leapfrog): .hmc(step: .given(step), leapfrog: leapfrog, acceptance: .energy)
        case .hmc(let step, let leapfrog, _): .hmc(step: step, leapfrog: leapfrog, acceptance: .energy)
        }
    }

    /// What makes its transitions, with buffers for a block; nil for `reverse`.
    package func transitionKernel(dimension: Int, lanes: Int) -> (any TransitionKernel)? {
        switch self {
        case .reverse:
            nil
        case .ula, .mala:
            LangevinKernel(
                adjusted: kind.isAdjusted, acceptance: acceptance ?? .energy, dimension: dimension, lanes: lanes)
        case .uhmc(_, let leapfrog), .hmc(_, let leapfrog, _):
            HamiltonianKernel(
                adjusted: kind.isAdjusted, acceptance: acceptance ?? .energy, leapfrogSteps: leapfrog.steps,
                damping: leapfrog.damping, dimension: dimension, lanes: lanes)
        }
    }
}
