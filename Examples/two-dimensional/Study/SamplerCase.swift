import StrictJSON

/// A way to sample that the study compares; the raw value is its name in options, jobs and tables.
enum SamplerCase: String, CaseIterable, Sendable {
    /// Ancestral sampling with the composed score.
    case reverse
    // The two-dimensional settings of Du et al. 2023: ten transitions on each level, one step size for all.
    case ula, mala, uhmc, hmc
    /// As many gradients, with a step for each level that pilot chains tune.
    case tunedMALA = "mala-tuned"
    case tunedHMC = "hmc-tuned"
    /// Chains weighted from level to level and resampled (sequential Monte Carlo), with few transitions in between.
    case populationMALA = "mala-population"
    case populationHMC = "hmc-population"

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
        case .populationHMC: "population, HMC"
        }
    }

    /// Chains of a block; where they are a population, how many make one.
    var block: Int {
        switch self {
        case .populationMALA, .populationHMC: 256
        default: 64
        }
    }

    /// The sampler as a job describes it.
    var settings: JSONText {
        switch self {
        case .reverse: .object([("kind", .string("reverse"))])
        case .ula: Self.langevin("ula", transitions: 10, step: .number(0.001))
        case .mala: Self.langevin("mala", transitions: 10, step: .number(0.001))
        case .uhmc: Self.hamiltonian("uhmc", transitions: 10, step: .number(0.03))
        case .hmc: Self.hamiltonian("hmc", transitions: 10, step: .number(0.03))
        case .tunedMALA: Self.langevin("mala", transitions: 10, step: Self.tuned(to: 0.57))
        case .tunedHMC: Self.hamiltonian("hmc", transitions: 10, step: Self.tuned(to: 0.65))
        case .populationMALA: Self.langevin("mala", transitions: 1, step: .number(0.003), population: true)
        case .populationHMC: Self.hamiltonian("hmc", transitions: 3, step: .number(0.03), population: true)
        }
    }

    private static func tuned(to acceptance: Double) -> JSONText {
        .object([("target_acceptance", .number(acceptance))])
    }

    private static func langevin(
        _ kind: String, transitions: Int, step: JSONText, population: Bool = false
    ) -> JSONText {
        .object(
            [("kind", .string(kind)), ("transitions", .integer(transitions)), ("step_size", step)]
                + (population ? [Self.resampling] : []))
    }

    private static func hamiltonian(
        _ kind: String, transitions: Int, step: JSONText, population: Bool = false
    ) -> JSONText {
        .object(
            [
                ("kind", .string(kind)), ("transitions", .integer(transitions)), ("leapfrog", .integer(3)),
                ("damping", .number(0.5)), ("mass", .number(1)), ("step_size", step),
            ] + (population ? [Self.resampling] : []))
    }

    private static let resampling = ("population", JSONText.object([("threshold", .number(0.5))]))
}
