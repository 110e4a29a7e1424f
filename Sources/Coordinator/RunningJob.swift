import ContentHash
import Foundation
import JobFile
import Messaging
import PoolCore
import RunFolder
import StrictJSON

/// A job that the coordinator has been given: its files, its numbers and who watches it.
struct RunningJob {
    let job: Job
    let text: [UInt8]
    let identity: Digest
    let number: JobNumber
    let folder: String
    var state: JobStatus.State = .queued
    var failure = ""
    var watchers: Set<PeerID> = []
    /// Whether somebody handed it in without waiting for it.
    var isDetached = false

    private var staging: RunStaging?
    private let started: Duration
    private var ended: Duration?
    private var blocksDone = 0
    private var chainsDone = 0
    private var acceptance = (sum: 0.0, count: 0)
    /// Of running blocks, the part that is done.
    private var partial: [Int: Double] = [:]
    private var work: [String: (blocks: Int, seconds: Double)] = [:]
    private var repeated = 0

    init(job: Job, text: [UInt8], number: JobNumber, folder: String, at now: Duration) throws(RunFolderError) {
        self.job = job
        self.text = text
        self.number = number
        self.folder = folder
        identity = job.identity
        started = now
        staging = try RunStaging(
            folder: folder,
            description: RunDescription(
                canonicalJob: text, jobHash: identity.hex, name: job.name, chains: job.chains, draws: job.draws,
                dimension: job.dimension, levels: job.levels, stepSizes: job.stepSizes))
    }

    mutating func note(_ progress: BlockProgress) {
        guard progress.stepsTotal > 0, !state.isOver else { return }
        state = .running
        partial[progress.attempt.block] = Double(progress.stepsDone) / Double(progress.stepsTotal)
        if chainsDone == 0, progress.acceptance.isFinite { acceptance = (progress.acceptance, 1) }
    }

    /// Writes a block's rows. - Throws: what the disk says, or that the result is not what the job asked for.
    mutating func record(_ report: BlockReport, from worker: String) throws(RunFolderError) {
        let block = report.attempt.block
        let chains = job.chains(inBlock: block)
        try staging?.record(
            BlockRecord(
                firstChain: block * job.block, chains: chains, samples: report.samples, acceptance: report.acceptance,
                logDensity: report.logDensity, divergences: report.divergences,
                gradientEvaluations: report.gradientEvaluations))
        if chainsDone == 0 { acceptance = (0, 0) }
        for value in report.acceptance where value.isFinite {
            acceptance.sum += Double(value)
            acceptance.count += 1
        }
        state = .running
        partial[block] = nil
        blocksDone += 1
        chainsDone += chains
        repeated += report.attempt.attempt > 1 ? 1 : 0
        work[worker, default: (0, 0)].blocks += 1
        work[worker, default: (0, 0)].seconds += report.seconds
    }

    /// Completes the folder.
    mutating func finish(workers: [String: Registration], at now: Duration) throws(RunFolderError) {
        ended = now
        _ = try staging?.finish(provenance: Array(provenance(workers).utf8))
        staging = nil
        state = .finished
    }

    mutating func end(as state: JobStatus.State, failure: String = "", at now: Duration) {
        guard !self.state.isOver else { return }
        staging = nil
        ended = now
        self.failure = failure
        self.state = state
    }

    func status(workers: Int, at now: Duration) -> JobStatus {
        let done = Double(blocksDone) + partial.values.reduce(0, +)
        return JobStatus(
            job: identity, name: job.name, state: state, chainsTotal: job.chains, chainsDone: chainsDone,
            fraction: state == .finished ? 1 : min(1, done / Double(job.blocks)),
            acceptance: acceptance.count > 0 ? acceptance.sum / Double(acceptance.count) : .nan,
            secondsElapsed: ((ended ?? now) - started) / .seconds(1), workers: workers, failure: failure)
    }

    /// Everything about the run that is not the same each time.
    private func provenance(_ workers: [String: Registration]) -> String {
        let seconds = ((ended ?? started) - started) / .seconds(1)
        let list = work.keys.sorted().map { name -> JSONText in
            let registration = workers[name]
            return .object([
                ("worker", .string(name)), ("host", .string(registration?.host ?? "")),
                ("process", .integer(registration?.process ?? 0)), ("slots", .integer(registration?.slots ?? 0)),
                ("version", .string(registration?.version ?? "")),
                ("fingerprint", .string(registration?.fingerprint ?? "")),
                ("blocks", .integer(work[name]?.blocks ?? 0)),
                ("compute_seconds", .number(work[name]?.seconds ?? 0)),
            ])
        }
        return JSONText.object([
            ("job", .string(identity.hex)), ("version", .string(poolVersion)),
            ("finished_at", .string(Date().formatted(.iso8601))), ("seconds", .number(seconds)),
            ("blocks", .integer(job.blocks)), ("blocks_run_again", .integer(repeated)), ("workers", .array(list)),
        ]).pretty
    }
}
