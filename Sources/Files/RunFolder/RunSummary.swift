import StrictJSON

/// The numbers that tell how a run went: the content of `summary.json`.
///
/// They depend on the job alone. A mean over nothing is nil, in JSON null.
package struct RunSummary: Sendable, Equatable {
    /// Mean and spread of the chains' log-densities.
    package struct LogDensity: Sendable, Equatable {
        /// Over the chains whose log-density is finite, in nats; nil when there are none.
        package let mean: Double?
        /// Of the same chains, with n - 1 in the denominator; 0 for one chain, nil for none.
        package let standardDeviation: Double?

        /// Moments in nats.
        package init(mean: Double?, standardDeviation: Double?) {
            self.mean = mean
            self.standardDeviation = standardDeviation
        }
    }

    /// The estimate of the logarithm of the normalizer that a population gives.
    package struct LogNormalizer: Sendable, Equatable {
        /// In nats.
        package let estimate: Double?
        /// In nats; nil for a single block.
        package let standardError: Double?
        /// The estimate at each level, in nats [levels], index = level; nil where chains never were.
        package let perLevel: [Double?]

        /// An estimate and its standard error, and those of the levels, in nats.
        package init(estimate: Double?, standardError: Double?, perLevel: [Double?]) {
            self.estimate = estimate
            self.standardError = standardError
            self.perLevel = perLevel
        }
    }

    /// What a population's samples are worth.
    package struct PopulationWorth: Sendable, Equatable {
        /// How many equally weighted samples the weighted chains are worth: (sum w)^2 / sum w^2.
        package let effectiveSize: Double
        /// Chains that are among the samples, once or more; one that was resampled counts as several.
        package let distinctChains: Int
        /// Chains of the start with descendants at the last level, in the blocks that samples are from. Where they are
        /// few the other two mean little.
        package let ancestors: Int

        /// Every field as given.
        package init(effectiveSize: Double, distinctChains: Int, ancestors: Int) {
            self.effectiveSize = effectiveSize
            self.distinctChains = distinctChains
            self.ancestors = ancestors
        }
    }

    /// A job that was run first, for numbers that the run's own lacked.
    package struct PreliminaryRun: Sendable, Equatable {
        /// SHA-256 of its canonical text, in hexadecimal digits.
        package let jobHash: String
        /// Its name.
        package let name: String
        /// Gradients of the log-density evaluated, all its chains together; they are not among the run's.
        package let gradientEvaluations: Int
        /// The component of a mixture that it was run for, as jobs write it; nil for a pilot.
        package let component: String?
        /// What it found for that component's normaliser; nil for a pilot, which found the run's step sizes.
        package let logNormalizer: LogNormalizer?

        /// Every field as given.
        package init(
            jobHash: String, name: String, gradientEvaluations: Int, component: String?, logNormalizer: LogNormalizer?
        ) {
            self.jobHash = jobHash
            self.name = name
            self.gradientEvaluations = gradientEvaluations
            self.component = component
            self.logNormalizer = logNormalizer
        }
    }

    /// The version of the format that is written; one without a version is older. A later one of the same version may have
    /// more names.
    package static let version = 1

    /// SHA-256 of the canonical job, in hexadecimal digits.
    package var jobHash: String
    /// The job's name.
    package var name: String
    /// Chains of the job.
    package var chains: Int
    /// Draws kept per chain.
    package var draws: Int
    /// Shape of one draw.
    package var shape: [Int]
    /// Mean of the acceptance over all chains and levels with transitions; nil when there are none.
    package var acceptanceMean: Double?
    /// Mean of the acceptance over the chains [levels], index = level; nil where no transitions ran.
    package var acceptancePerLevel: [Double?]
    /// Step size [levels], index = level; nil where there is none.
    package var stepSize: [Double?]
    /// Gradients of the log-density evaluated, all chains together.
    package var gradientEvaluations: Int
    /// Divergent transitions, all chains together.
    package var divergences: Int
    /// Draws with a coordinate that is not finite as float32.
    package var nonFiniteDraws: Int
    /// Of a population only.
    package var logNormalizer: LogNormalizer?
    /// Of a population only.
    package var population: PopulationWorth?
    /// In their order; none for most runs.
    package var preliminaries: [PreliminaryRun]
    /// At the last level.
    package var logDensity: LogDensity
    /// What gives reason to doubt the samples, a sentence each; it depends on the job and its statistics alone.
    package var warnings: [String]
    /// Whether the samples can be trusted; nil in a summary of a program that did not tell it.
    package var diagnostics: RunDiagnostics?
    /// SHA-256 of `samples.npy`, in hexadecimal digits.
    package var samplesSHA256: String
    /// SHA-256 of `statistics.npz`, in hexadecimal digits; nil in a summary of a program that did not tell it.
    package var statisticsSHA256: String?
    /// SHA-256 of `samples.png`, in hexadecimal digits; nil where there is none.
    package var pictureSHA256: String?

    /// A summary of these numbers.
    package init(
        jobHash: String, name: String, chains: Int, draws: Int, shape: [Int], acceptanceMean: Double?,
        acceptancePerLevel: [Double?], stepSize: [Double?], gradientEvaluations: Int, divergences: Int,
        nonFiniteDraws: Int = 0, logNormalizer: LogNormalizer? = nil, population: PopulationWorth? = nil,
        preliminaries: [PreliminaryRun] = [], logDensity: LogDensity, warnings: [String] = [],
        diagnostics: RunDiagnostics? = nil, samplesSHA256: String, statisticsSHA256: String? = nil,
        pictureSHA256: String? = nil
    ) {
        self.jobHash = jobHash
        self.name = name
        self.chains = chains
        self.draws = draws
        self.shape = shape
        self.acceptanceMean = acceptanceMean
        self.acceptancePerLevel = acceptancePerLevel
        self.stepSize = stepSize
        self.gradientEvaluations = gradientEvaluations
        self.divergences = divergences
        self.nonFiniteDraws = nonFiniteDraws
        self.logNormalizer = logNormalizer
        self.population = population
        self.preliminaries = preliminaries
        self.logDensity = logDensity
        self.warnings = warnings
        self.diagnostics = diagnostics
        self.samplesSHA256 = samplesSHA256
        self.statisticsSHA256 = statisticsSHA256
        self.pictureSHA256 = pictureSHA256
    }

    /// The text of `summary.json`, which ends with the SHA-256 of all before it; numbers that are not finite become null.
    package var json: String {
        var members: [(String, JSONText)] = [
            ("version", .integer(RunSummary.version)),
            ("job", .string(jobHash)),
            ("name", .string(name)),
            ("chains", .integer(chains)),
            ("draws", .integer(draws)),
            ("shape", .array(shape.map { .integer($0) })),
            (
                "acceptance",
                .object([("mean", .optional(acceptanceMean)), ("per_level", .optionals(acceptancePerLevel))])
            ),
            ("step_size", .optionals(stepSize)),
            ("gradient_evaluations", .integer(gradientEvaluations)),
            ("divergences", .integer(divergences)),
            ("non_finite_draws", .integer(nonFiniteDraws)),
        ]
        if let logNormalizer { members.append(("log_normalizer", logNormalizer.json)) }
        if let population {
            members.append(
                (
                    "population",
                    .object([
                        ("effective_size", .number(population.effectiveSize)),
                        ("distinct_chains", .integer(population.distinctChains)),
                        ("ancestors", .integer(population.ancestors)),
                    ])
                ))
        }
        if !preliminaries.isEmpty { members.append(("preliminary", .array(preliminaries.map(\.json)))) }
        let (mean, deviation) = (logDensity.mean, logDensity.standardDeviation)
        members.append(
            ("log_density", .object([("mean", .optional(mean)), ("standard_deviation", .optional(deviation))])))
        members.append(("warnings", .array(warnings.map { .string($0) })))
        if let diagnostics { members.append(("diagnostics", diagnostics.json)) }
        members.append(("samples_sha256", .string(samplesSHA256)))
        if let statisticsSHA256 { members.append(("statistics_sha256", .string(statisticsSHA256))) }
        if let pictureSHA256 { members.append(("picture_sha256", .string(pictureSHA256))) }
        return String(decoding: Seal.text(of: members), as: UTF8.self)
    }
}

extension RunSummary.PreliminaryRun {
    fileprivate var json: JSONText {
        let members: [(String, JSONText)] = [
            ("job", .string(jobHash)), ("name", .string(name)), ("gradient_evaluations", .integer(gradientEvaluations)),
        ]
        return .object(
            members + (component.map { [("component", .string($0))] } ?? [])
                + (logNormalizer.map { [("log_normalizer", $0.json)] } ?? []))
    }
}

extension RunSummary.LogNormalizer {
    fileprivate var json: JSONText {
        .object([
            ("estimate", .optional(estimate)), ("standard_error", .optional(standardError)),
            ("per_level", .optionals(perLevel)),
        ])
    }
}

extension JSONText {
    static func optional(_ value: Double?) -> JSONText {
        value.map { .number($0) } ?? .null
    }

    fileprivate static func optionals(_ values: [Double?]) -> JSONText {
        .array(values.map { optional($0) })
    }
}
