import Composition
import ContentHash
import EnergyModels
import RunFolder
import Sampling

/// Blocks of a few chains that between them use every kernel and feature of the sampler.
enum ProbedRuns {
    private static let levels = 5
    private static let lanes = 8

    /// What a run has beside its kernel, one at a time, on the kernel for which it says most.
    private enum Feature: String, CaseIterable {
        case reverseSteps, denoisedReverse, denoised, fewerLevels, stepsPerLevel, stepsByBeta, mass, undamped
        case reflectedLangevin, reflectedLeapfrog, manyDraws
        case population, boundedPopulation, bridgedPopulation, exchange, exchangeOfLeapfrog
        case refinement, refinedLeapfrog, refinedPopulation, tunedLangevin, tunedLeapfrog

        /// Settings that have it. Without a default case: a feature that is new is not forgotten here.
        var settings: SamplerSettings {
            var settings = ProbedRuns.settings(kernel)
            switch self {
            case .reverseSteps: settings.reverseSteps = true
            case .denoisedReverse, .denoised: settings.denoise = true
            case .fewerLevels: settings.levels = 1...3
            case .stepsPerLevel: settings.kernel = kernel.stepping(by: .perLevel([0.02, 0.03, 0.05, 0.1, 0.2]))
            case .stepsByBeta: settings.kernel = kernel.stepping(by: .betaPower(scale: 0.3, exponent: 0.7))
            case .mass, .undamped, .reflectedLangevin, .reflectedLeapfrog, .manyDraws: break
            case .population, .boundedPopulation: settings.population = PopulationSettings(threshold: 0.9)
            case .bridgedPopulation:
                settings.population = PopulationSettings(threshold: 1, bridges: 2)
                settings.start = .target
                settings.kernel = kernel.stepping(by: .noisePower(scale: 0.1, exponent: 2))
            case .exchange, .exchangeOfLeapfrog: settings.exchange = ExchangeSettings(levels: [0, 2, 4])
            case .refinement, .refinedLeapfrog: settings.refinement = RefinementSettings(levels: 2, transitions: 2)
            case .refinedPopulation:
                settings.population = PopulationSettings(threshold: 0.9)
                settings.refinement = RefinementSettings(levels: 2, transitions: 1, stepSizes: [0.02, 0.01])
            case .tunedLangevin, .tunedLeapfrog: settings.levels = 1...2
            }
            return settings
        }

        private var kernel: SamplerSettings.Kernel {
            let tuned = StepSizes.tuned(TuningSettings(targetAcceptance: 0.7, pilots: 1))
            return switch self {
            case .denoisedReverse: .reverse
            case .denoised, .reflectedLangevin: .ula(step: langevinStep)
            case .reflectedLeapfrog: .uhmc(step: leapfrogStep, leapfrog: leapfrog)
            case .mass: hmc(LeapfrogSettings(steps: 2, mass: .betaPower(scale: 1.5, exponent: 0.25)))
            case .undamped: hmc(LeapfrogSettings(steps: 2, damping: 0))
            case .exchangeOfLeapfrog, .refinedLeapfrog: hmc(leapfrog)
            case .tunedLeapfrog: .hmc(step: tuned, leapfrog: leapfrog, acceptance: .energy)
            case .tunedLangevin: .mala(step: tuned, acceptance: .energy)
            case .reverseSteps, .fewerLevels, .stepsPerLevel, .stepsByBeta, .manyDraws, .population, .boundedPopulation,
                .bridgedPopulation, .exchange, .refinement, .refinedPopulation:
                .mala(step: .given(langevinStep), acceptance: .energy)
            }
        }

        var draws: Int {
            switch self {
            case .manyDraws, .exchange, .exchangeOfLeapfrog: 4
            default: 1
            }
        }

        /// Of the target: narrow along one axis and wide along the other.
        var bounds: Bounds? {
            switch self {
            case .reflectedLangevin, .reflectedLeapfrog, .boundedPopulation: Bounds(low: [-0.3, -1.5], high: [0.4, 2])
            default: nil
            }
        }
    }

    static func parts() throws -> [Fingerprint.Part] {
        var parts: [Fingerprint.Part] = []
        for kind in SamplerSettings.Kind.allCases {
            for kernel in kernels(of: kind) {
                let rule = name(kernel.acceptance ?? .energy)
                parts.append(try part("\(kind.rawValue), by \(rule)", settings(kernel)))
            }
        }
        for feature in Feature.allCases {
            parts.append(
                try part("\(feature.rawValue)", feature.settings, draws: feature.draws, bounds: feature.bounds))
        }
        return parts
    }

    private static let langevinStep = LevelValues.constant(0.08)
    private static let leapfrogStep = LevelValues.constant(0.3)
    private static let leapfrog = LeapfrogSettings(steps: 2)

    private static func hmc(
        _ leapfrog: LeapfrogSettings, by rule: AcceptanceRule = .energy
    ) -> SamplerSettings.Kernel {
        .hmc(step: .given(leapfrogStep), leapfrog: leapfrog, acceptance: rule)
    }

    /// A kernel with each way to decide that it has. Without a default case, as ``name(_:)``: what is new is not
    /// forgotten.
    private static func kernels(of kind: SamplerSettings.Kind) -> [SamplerSettings.Kernel] {
        switch kind {
        case .reverse: [.reverse]
        case .ula: [.ula(step: langevinStep)]
        case .mala: [.energy, .line(points: 3)].map { .mala(step: .given(langevinStep), acceptance: $0) }
        case .uhmc: [.uhmc(step: leapfrogStep, leapfrog: leapfrog)]
        case .hmc: [.energy, .line(points: 3), .path].map { hmc(leapfrog, by: $0) }
        }
    }

    private static func name(_ rule: AcceptanceRule) -> String {
        switch rule {
        case .energy: "energy"
        case .line: "line"
        case .path: "path"
        }
    }

    private static func settings(_ kernel: SamplerSettings.Kernel) -> SamplerSettings {
        kernel == .reverse
            ? .reverse(levels: levels) : SamplerSettings(kernel: kernel, transitions: 2, levels: 0...levels - 1)
    }

    private static func part(
        _ name: String, _ settings: SamplerSettings, draws: Int = 1, bounds: Bounds? = nil
    ) throws -> Fingerprint.Part {
        var target = ProbedDensities.runTarget
        if let bounds { target = .bounded(of: target, low: .init(bounds.low), high: .init(bounds.high)) }
        let plan = SamplingPlan(
            density: try ProbedDensities.density(of: target), totalWeight: target.totalWeight, bounds: bounds,
            walls: settings.refinement.flatMap { _ in target.bounds(ofModels: ProbedDensities.boxes) },
            schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: levels)), settings: settings, seed: 5,
            lanes: lanes, draws: draws, thin: 1)
        // A chain less than lanes: what pads a block is left out.
        let chains = lanes - 1
        var block = plan.block(index: 3, chains: chains)
        while try block.advance() {}
        let result = block.result(chains: chains)
        var hash = SHA256()
        hash.update(result.sampleBytes)
        for entry in result.statistics.entries { hash.update(entry.bytes) }
        hash.update(bits: [result.gradientEvaluations])
        // Whole positions and momenta: samples are rounded.
        hash.update(block.checkpoint())
        return Fingerprint.Part(name: name, hash: hash.finalize())
    }
}
