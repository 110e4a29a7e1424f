import EnergyModels
import Sampling

extension Job {
    /// Steps and masses that kernels can compute with: their squares are numbers above zero too.
    private static let usable = 1e-150...1e150

    /// Which step size or mass is of no use at a level where transitions run, by the key of the sampler that gives it;
    /// nil if none is. A number that comes from beta may be without bounds, or zero.
    var stepSizeProblem: (key: String, problem: String)? {
        guard sampler.kind != .reverse else { return nil }
        let masses = sampler.mass.resolved(over: NoiseSchedule(schedule))
        if let problem = problem(of: masses, "") { return ("mass", problem) }
        guard sampler.tuning == nil else { return nil }
        if let problem = problem(of: stepSizes, "") { return ("step_size", problem) }
        if sampler.kind.isHamiltonian, let problem = problem(of: zip(stepSizes, masses).map(/), "over the mass ") {
            return ("step_size", problem)
        }
        guard let given = sampler.refinement?.stepSizes, let bad = given.first(where: { !Self.usable.contains($0) })
        else { return nil }
        return ("refine", "a step size of \(bad) is of no use; stay between 1e-150 and 1e150")
    }

    private func problem(of values: [Double], _ what: String) -> String? {
        guard let level = sampler.levels.first(where: { !Self.usable.contains(values[$0]) }) else { return nil }
        let beta = NoiseSchedule(schedule).levels[level].beta
        return "\(what)is \(values[level]) at level \(level), where beta is \(beta); "
            + "let it be between 1e-150 and 1e150 at every level with transitions"
    }
}
