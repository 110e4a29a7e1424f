import EnergyModels
import Sampling

/// Which step sizes and masses are of no use at a level where transitions run. A number that comes from beta may be
/// without bounds, or zero.
extension Job {
    /// Steps and masses that kernels can compute with: their squares are numbers above zero too.
    private static let usable = 1e-150...1e150

    /// What is wrong with a mass; nil if nothing is.
    var massProblem: String? { problem(of: masses, "") }

    /// What is wrong with a step size, or with what it is over the mass; nil if nothing is.
    var stepSizeProblem: String? {
        guard case .given? = sampler.kernel.stepSizes else { return nil }
        if let problem = problem(of: stepSizes, "") { return problem }
        return sampler.kind.isHamiltonian ? problem(of: zip(stepSizes, masses).map(/), "over the mass ") : nil
    }

    /// What is wrong with a step size below level 0; nil if nothing is.
    var refinedStepSizeProblem: String? {
        guard let bad = sampler.refinement?.stepSizes?.first(where: { !Self.usable.contains($0) }) else { return nil }
        return "a step size of \(bad) is of no use; stay between 1e-150 and 1e150"
    }

    private var masses: [Double] { sampler.kernel.masses(over: NoiseSchedule(schedule)) }

    private func problem(of values: [Double], _ what: String) -> String? {
        guard let level = sampler.levels.first(where: { !Self.usable.contains(values[$0]) }) else { return nil }
        let noise = NoiseSchedule(schedule).levels[level]
        return "\(what)is \(values[level]) at level \(level), where beta is \(noise.beta) and sigma \(noise.noise); "
            + "let it be between 1e-150 and 1e150 at every level with transitions"
    }
}
