import ContentHash
import CoordinatorCore
import JobFile
import Messaging
import RunFolder
import Sampling
import Synchronization

/// Real jobs, of blocks of one chain, that stand for the plan's, and what their blocks come to: numbers that could be.
final class SimulatedJobs: Sendable {
    /// One for all histories: there are few different jobs.
    static let all = SimulatedJobs()

    private struct Key: Hashable {
        let index: Int
        let blocks: Int
        let model: Int?
    }

    private struct Known {
        var jobs: [Key: Job] = [:]
        var byText: [Digest: Job] = [:]
        var reports: [Digest: BlockReport] = [:]
    }

    private let known = Mutex(Known())

    /// Blocks of a pilot job.
    static let pilots = 2

    /// - Parameters:
    ///   - index: of two jobs with different ones, none is the other.
    ///   - model: jobs of one model that look for steps look for the same; nil for a job whose steps are given.
    func job(_ index: Int, blocks: Int, model: Int?) -> Job {
        let key = Key(index: index, blocks: blocks, model: model)
        if let job = known.withLock({ $0.jobs[key] }) { return job }
        let steps = model == nil ? "0.01" : #"{"target_acceptance": 0.57, "pilots": \#(Self.pilots)}"#
        // A pilot does not depend on the number of chains.
        let (mean, chains) = model.map { (Double($0), blocks) } ?? (0.001 * Double(index), blocks)
        let text = """
            {"rrr": 1, "name": "job", "seed": \(model == nil ? index : 0),
             "models": {"a": {"kind": "gaussian", "mean": [\(mean)], "std": 0.1}},
             "target": "a", "schedule": {"kind": "cosine", "levels": 8},
             "sampler": {"kind": "mala", "transitions": 2, "step_size": \(steps)},
             "chains": \(chains), "draws": \(model == nil ? 1 : index + 1), "block": 1}
            """
        guard let job = try? Job.decode(Array(text.utf8), file: "plan") else { fatalError("no job: \(text)") }
        known.withLock {
            $0.jobs[key] = job
            $0.byText[SHA256.hash(of: Array(job.canonicalText.utf8))] = job
        }
        return job
    }

    /// The job of a text that was made here before, or by a core from such a one.
    func job(of text: [UInt8]) -> Job? {
        let hash = SHA256.hash(of: text)
        if let job = known.withLock({ $0.byText[hash] }) { return job }
        guard let job = try? Job.decode(text, file: "text") else { return nil }
        known.withLock { $0.byText[hash] = job }
        return job
    }

    /// What any block of the job comes to.
    func report(of job: Job, _ attempt: AttemptID) -> BlockReport {
        let id = job.identity
        var report = known.withLock { $0.reports[id] } ?? made(of: job)
        known.withLock { $0.reports[id] = report }
        report.attempt = attempt
        return report
    }

    private func made(of job: Job) -> BlockReport {
        BlockReport(
            attempt: AttemptID(job: job.identity, block: 0, attempt: 1),
            samples: [UInt8](repeating: 0, count: job.draws * job.dimension * 4),
            statistics: StatisticRows(
                job.description.statistics.map { statistic in
                    // A step that could have been found, where steps are looked for.
                    let bytes =
                        statistic.name == RunStatistic.stepSize
                        ? [Double](repeating: 0.1, count: job.levels).flatMap { $0.littleEndianBytes }
                        : [UInt8](repeating: 0, count: statistic.size(chains: 1, blocks: 1))
                    return .init(name: statistic.name, bytes: bytes)
                }),
            gradientEvaluations: 1, seconds: 0.001)
    }

    /// What the folder of a finished pilot tells.
    func run(of job: Job, group: String) -> FinishedRun {
        FinishedRun(
            RunSummary(
                jobHash: job.identity.hex, name: job.name, chains: job.chains, draws: job.draws, shape: [job.dimension],
                acceptanceMean: nil, acceptancePerLevel: [], stepSize: [Double?](repeating: 0.1, count: job.levels),
                gradientEvaluations: 1, divergences: 0,
                logDensity: RunSummary.LogDensity(mean: nil, standardDeviation: nil), samplesSHA256: ""),
            arithmetic: group)
    }
}

extension Double {
    fileprivate var littleEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: bitPattern >> (8 * $0)) } }
}
