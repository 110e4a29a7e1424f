import StrictJSON

/// A way to sample that the study compares; the raw value is its name in options, jobs and tables.
enum SamplerCase: String, CaseIterable, Sendable {
    /// Ancestral sampling with the composed score.
    case reverse
    // The two-dimensional settings of Du et al. 2023: ten transitions on each level, one step size for all.
    case ula, mala, uhmc, hmc
    /// As many gradients, with a step for each level that four pilot blocks find. The leapfrog's acceptance is high, since
    /// in the plane coarse paths come back on themselves.
    case tunedMALA = "mala-tuned"
    case tunedHMC = "hmc-tuned"
    /// Chains weighted from level to level and resampled (sequential Monte Carlo), with few transitions in between: one
    /// on each level, or more of them on the least noisy levels alone. About 200 gradients a chain.
    case populationMALA = "mala-population"
    case latePopulationMALA = "mala-population-late"
    case latePopulationHMC = "hmc-population-late"

    /// What is said in tables and above pictures.
    var title: String {
        switch self {
        case .reverse: "reverse diffusion"
        case .ula: "ULA"
        case .mala: "MALA"
        case .uhmc: "U-HMC"
        case .hmc: "HMC"
        case .tunedMALA: "MALA, tuned"
        case .tunedHMC: "HMC, tuned"
        case .populationMALA: "population, MALA"
        case .latePopulationMALA: "population, late MALA"
        case .latePopulationHMC: "population, late HMC"
        }
    }

    /// Chains of a block; where they are a population, how many make one.
    var block: Int { isPopulation ? 256 : 64 }

    /// Whether chains are weighted and resampled.
    var isPopulation: Bool { [.populationMALA, .latePopulationMALA, .latePopulationHMC].contains(self) }

    /// The job's seed: that of the examples, and for populations one that had no part in the choice of their settings.
    var seed: Int { isPopulation ? 11_552 : 1 }

    /// The sampler as a job describes it.
    var settings: JSONText {
        switch self {
        case .reverse: .object([("kind", .string("reverse"))])
        case .ula: Self.langevin("ula", transitions: 10, step: .number(0.001))
        case .mala: Self.langevin("mala", transitions: 10, step: .number(0.001))
        case .uhmc: Self.hamiltonian("uhmc", transitions: 10, step: .number(0.03))
        case .hmc: Self.hamiltonian("hmc", transitions: 10, step: .number(0.03))
        case .tunedMALA: Self.langevin("mala", transitions: 10, step: Self.tuned(to: 0.57))
        case .tunedHMC: Self.hamiltonian("hmc", transitions: 10, step: Self.tuned(to: 0.95))
        // Chosen on the exact densities. On its levels 300 beta^1.8 is about 0.8 sigma^2.
        case .populationMALA: Self.langevin("mala", transitions: 1, step: Self.power(1, 1), population: 0...99)
        case .latePopulationMALA: Self.langevin("mala", transitions: 6, step: Self.power(300, 1.8), population: 0...27)
        case .latePopulationHMC:
            Self.hamiltonian("hmc", transitions: 3, damping: 0, step: Self.power(13.5, 0.9), population: 0...19)
        }
    }

    /// a beta^b.
    private static func power(_ a: Double, _ b: Double) -> JSONText {
        .object([("beta_power", .array([.number(a), .number(b)]))])
    }

    private static func tuned(to acceptance: Double) -> JSONText {
        .object([("target_acceptance", .number(acceptance)), ("pilots", .integer(4))])
    }

    /// - Parameter population: the levels of a population; nil for plain chains, on all levels.
    private static func langevin(
        _ kind: String, transitions: Int, step: JSONText, population: ClosedRange<Int>? = nil
    ) -> JSONText {
        .object(
            [("kind", .string(kind)), ("transitions", .integer(transitions)), ("step_size", step)]
                + resampling(population))
    }

    private static func hamiltonian(
        _ kind: String, transitions: Int, damping: Double = 0.5, step: JSONText, population: ClosedRange<Int>? = nil
    ) -> JSONText {
        .object(
            [
                ("kind", .string(kind)), ("transitions", .integer(transitions)), ("leapfrog", .integer(3)),
                ("damping", .number(damping)), ("mass", .number(1)), ("step_size", step),
            ] + resampling(population))
    }

    private static func resampling(_ levels: ClosedRange<Int>?) -> [(String, JSONText)] {
        guard let levels else { return [] }
        return [
            ("levels", .array([.integer(levels.lowerBound), .integer(levels.upperBound)])),
            ("population", .object([("threshold", .number(0.8))])),
        ]
    }
}
