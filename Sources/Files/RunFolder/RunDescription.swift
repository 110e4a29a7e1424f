package import Pictures

/// What an output folder needs to know of a job before its first result.
package struct RunDescription: Sendable, Equatable {
    /// The text of `job.json`, written as it is.
    package let canonicalJob: [UInt8]
    /// SHA-256 of the canonical job, in hexadecimal digits.
    package let jobHash: String
    /// The job's name.
    package let name: String
    /// Chains of the job, 1 or more.
    package let chains: Int
    /// Draws kept per chain, 1 or more.
    package let draws: Int
    /// The shape of a draw, such as [channels, height, width]: one axis or more, each 1 or longer.
    package let shape: [Int]
    /// Noise levels of the schedule, 1 or more.
    package let levels: Int
    /// Chains of a block, 1 or more; the last block may have fewer.
    package let block: Int
    /// What is recorded beside the samples, in the order of `statistics.npz`; among it are ``RunStatistic/acceptance``,
    /// ``RunStatistic/logDensity`` and ``RunStatistic/divergences``.
    package let statistics: [RunStatistic]
    /// Whether the samples are selected among those of the chains at the end, rather than being all of them.
    package let selects: Bool
    /// How the picture of samples is laid out; nil where points are no images.
    package let picture: SheetLayout?

    /// A description of these numbers; `RunStaging` checks them.
    package init(
        canonicalJob: [UInt8], jobHash: String, name: String, chains: Int, draws: Int, shape: [Int], levels: Int,
        block: Int, statistics: [RunStatistic], selects: Bool = false, picture: SheetLayout? = nil
    ) {
        self.canonicalJob = canonicalJob
        self.jobHash = jobHash
        self.name = name
        self.chains = chains
        self.draws = draws
        self.shape = shape
        self.levels = levels
        self.block = block
        self.statistics = statistics
        self.selects = selects
        self.picture = picture
    }

    /// The shape of `samples.npy`.
    var samplesShape: [Int] { [chains, draws] + shape }

    /// Numbers in one draw.
    package var dimension: Int { shape.reduce(1, *) }

    /// Where the draws of the chains are staged; they are the samples unless those are selected among them.
    var drawsName: String { selects ? "draws.npy" : RunFolder.samplesName }

    /// Blocks, the last of which may have fewer chains.
    var blocks: Int { (chains - 1) / block + 1 }

    /// Throws `.invalidValue`, naming `folder`, when the numbers do not describe a run.
    func check(folder: String) throws(RunFolderError) {
        let numbers =
            [
                ("chains", chains), ("draws", draws), ("levels", levels), ("chains a block", block),
                ("axes", shape.count),
            ]
            + shape.map { ("numbers along each axis", $0) }
        for (name, value) in numbers {
            guard value >= 1 else {
                throw RunFolderError(.invalidValue, path: folder, reason: "a run needs 1 or more \(name), not \(value)")
            }
        }
        for missing in [RunStatistic.acceptance, RunStatistic.logDensity, RunStatistic.divergences]
        where !statistics.contains(where: { $0.name == missing }) {
            throw RunFolderError(.invalidValue, path: folder, reason: "a run needs the statistic \"\(missing)\"")
        }
    }
}
