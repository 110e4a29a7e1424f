import ContentHash
import JobFile
import Messaging
import RunFolder
import Sampling

@testable import Coordinator

/// Jobs that take no time, and what honest blocks of theirs come to.
enum SmallJobs {
    /// A ring and a bar on eight levels, four blocks of four chains.
    ///
    /// - Parameters:
    ///   - sampler: its members.
    ///   - more: further members of the job, each with a comma before it.
    static func job(_ sampler: String, chains: Int = 16, draws: Int = 1, more: String = "") throws -> Job {
        let text = """
            {"rrr": 1, "name": "small", "seed": 7,
             "models": {"ring": {"kind": "gaussian_mixture", "means": [[0.5, 0], [0, 0.5]], "std": 0.1},
                        "bar": {"kind": "gaussian", "mean": [0, 0], "covariance": [[0.1, 0], [0, 1]]}},
             "target": {"product": ["ring", "bar"]}, "schedule": {"kind": "cosine", "levels": 8},
             "sampler": {\(sampler)}, "chains": \(chains), "draws": \(draws), "block": 4\(more)}
            """
        return try Job.decode(Array(text.utf8), file: "job.json")
    }

    /// What a block comes to.
    static func result(of job: Job, block index: Int, attempt: AttemptID) throws -> BlockReport {
        struct NoModels: Error {}
        var block = try job.plan { _ in throw NoModels() }.block(index: index, chains: job.chains(inBlock: index))
        while try block.advance() {}
        let result = block.result(chains: job.chains(inBlock: index))
        return BlockReport(
            attempt: attempt, samples: result.sampleBytes, statistics: result.statistics,
            gradientEvaluations: result.gradientEvaluations, seconds: 0.001)
    }

    static func record(of job: Job, block: Int) throws -> BlockRecord {
        let report = try result(of: job, block: block, attempt: AttemptID(job: job.identity, block: block, attempt: 1))
        return BlockRecord(
            firstChain: block * job.block, chains: job.chains(inBlock: block), samples: report.samples,
            statistics: report.statistics, gradientEvaluations: report.gradientEvaluations)
    }
}
