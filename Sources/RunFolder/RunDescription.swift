/// What an output folder needs to know of a job before its first result.
public struct RunDescription: Sendable, Equatable {
    /// The text of `job.json`, written as it is.
    public let canonicalJob: [UInt8]
    /// SHA-256 of the canonical job, in hexadecimal digits.
    public let jobHash: String
    /// The job's name.
    public let name: String
    /// Chains of the job, 1 or more.
    public let chains: Int
    /// Draws kept per chain, 1 or more.
    public let draws: Int
    /// Numbers in one draw, 1 or more.
    public let dimension: Int
    /// Noise levels of the schedule, 1 or more.
    public let levels: Int
    /// Step size [levels], index = level; not finite where there is none.
    public let stepSizes: [Double]

    /// A description of these numbers; `RunStaging` checks them.
    public init(
        canonicalJob: [UInt8], jobHash: String, name: String, chains: Int, draws: Int, dimension: Int, levels: Int,
        stepSizes: [Double]
    ) {
        self.canonicalJob = canonicalJob
        self.jobHash = jobHash
        self.name = name
        self.chains = chains
        self.draws = draws
        self.dimension = dimension
        self.levels = levels
        self.stepSizes = stepSizes
    }

    /// The shape of `samples.npy`.
    var samplesShape: [Int] { [chains, draws, dimension] }

    /// Throws `.invalidValue`, naming `folder`, when the numbers do not describe a run.
    func check(folder: String) throws(RunFolderError) {
        for (name, value) in [("chains", chains), ("draws", draws), ("dimension", dimension), ("levels", levels)] {
            guard value >= 1 else {
                throw RunFolderError(.invalidValue, path: folder, reason: "a run needs 1 or more \(name), not \(value)")
            }
        }
        guard stepSizes.count == levels else {
            throw RunFolderError(
                .invalidValue, path: folder, reason: "\(stepSizes.count) step sizes for \(levels) levels")
        }
    }
}

/// What came out of some neighbouring chains of a run.
public struct BlockRecord: Sendable, Equatable {
    /// The first of the chains.
    public var firstChain: Int
    /// How many chains, 1 or more.
    public var chains: Int
    /// float32, little-endian, [chains * draws * dimension].
    public var samples: [UInt8]
    /// Mean acceptance [chains * levels], index = level; NaN where no transitions ran.
    public var acceptance: [Float]
    /// Log-density of each chain at the last level, in nats [chains].
    public var logDensity: [Double]
    /// Divergent transitions of each chain [chains].
    public var divergences: [Int32]
    /// Gradients evaluated, all these chains together.
    public var gradientEvaluations: Int

    /// A record of these numbers; `RunStaging.record` checks them.
    public init(
        firstChain: Int, chains: Int, samples: [UInt8], acceptance: [Float], logDensity: [Double],
        divergences: [Int32], gradientEvaluations: Int
    ) {
        self.firstChain = firstChain
        self.chains = chains
        self.samples = samples
        self.acceptance = acceptance
        self.logDensity = logDensity
        self.divergences = divergences
        self.gradientEvaluations = gradientEvaluations
    }

    /// The same rows in fewer records: neighbours, in whatever order they come, are joined as long as the samples of
    /// one record stay within `bytes`.
    public static func joined(_ records: [BlockRecord], upTo bytes: Int) -> [BlockRecord] {
        var joined: [BlockRecord] = []
        for record in records.sorted(by: { $0.firstChain < $1.firstChain }) {
            guard let last = joined.last, last.firstChain + last.chains == record.firstChain,
                last.samples.count + record.samples.count <= bytes
            else {
                joined.append(record)
                continue
            }
            joined[joined.count - 1].append(record)
        }
        return joined
    }

    private mutating func append(_ next: BlockRecord) {
        chains += next.chains
        samples += next.samples
        acceptance += next.acceptance
        logDensity += next.logDensity
        divergences += next.divergences
        gradientEvaluations += next.gradientEvaluations
    }

    /// Throws `.invalidValue`, naming `folder`, when the counts are not those of chains of that run.
    func check(against run: RunDescription, folder: String) throws(RunFolderError) {
        func refusal(_ reason: String) -> RunFolderError {
            RunFolderError(.invalidValue, path: folder, reason: reason)
        }
        guard firstChain >= 0, chains >= 1, firstChain < run.chains, chains <= run.chains - firstChain else {
            throw refusal("\(chains) chains from chain \(firstChain) on are not all among the run's \(run.chains)")
        }
        // The products are no larger than those of the whole run, whose arrays could be made.
        let counts = [
            ("bytes of samples", samples.count, chains * run.draws * run.dimension * MemoryLayout<Float>.size),
            ("acceptance rates", acceptance.count, chains * run.levels),
            ("log-densities", logDensity.count, chains),
            ("divergence counts", divergences.count, chains),
        ]
        for (what, count, expected) in counts where count != expected {
            throw refusal("\(count) \(what) for \(chains) chains from chain \(firstChain) on, expected \(expected)")
        }
        guard gradientEvaluations >= 0, divergences.allSatisfy({ $0 >= 0 }) else {
            throw refusal("a count of chains from chain \(firstChain) on is negative")
        }
    }
}
