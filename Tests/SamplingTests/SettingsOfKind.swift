@testable import Sampling

extension SamplerSettings {
    /// Settings for cases that run over several kinds of kernel: what a kind doesn't take, it isn't given.
    init(
        kind: Kind, acceptance: AcceptanceRule = .energy, transitions: Int, leapfrogSteps: Int = 1, damping: Double = 0,
        stepSize: LevelValues, tuning: TuningSettings? = nil, mass: LevelValues = .constant(1),
        reverseSteps: Bool = false, levels: ClosedRange<Int>, population: PopulationSettings? = nil,
        denoise: Bool = false, exchange: ExchangeSettings? = nil, refinement: RefinementSettings? = nil
    ) {
        let steps = tuning.map { StepSizes.tuned($0) } ?? .given(stepSize)
        let leapfrog = LeapfrogSettings(steps: leapfrogSteps, damping: damping, mass: mass)
        let kernel: Kernel =
            switch kind {
            case .reverse: .reverse
            case .ula: .ula(step: stepSize)
            case .mala: .mala(step: steps, acceptance: acceptance)
            case .uhmc: .uhmc(step: stepSize, leapfrog: leapfrog)
            case .hmc: .hmc(step: steps, leapfrog: leapfrog, acceptance: acceptance)
            }
        self.init(
            kernel: kernel, transitions: kind == .reverse ? 0 : transitions,
            reverseSteps: reverseSteps || kind == .reverse, levels: levels, population: population, denoise: denoise,
            exchange: exchange, refinement: refinement)
    }
}
