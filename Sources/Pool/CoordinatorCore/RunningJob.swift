import ContentHash
import Foundation
import JobFile
import Journal
import Messaging
import PoolCore
import ProgramVersion
import RunFolder
import StrictJSON

/// A job that the coordinator has been given: its numbers and who watches it.
struct RunningJob {
    /// What it takes to run it; nil once it is over.
    struct Work {
        /// What is run.
        var form: RunForm
        /// The SHA-256 of the text that its blocks are run by.
        var textDigest: Digest
        /// The preliminary job whose folder is looked at before its numbers are used, and the last that was looked at.
        var inspects: Digest?
        var found: Found?
        /// What is stored of it, as long as it is not with the scheduler.
        var progress: JobProgress?
        /// The job that has to be finished first.
        var waitsFor: Digest?
        /// Those that were finished for it.
        var preliminaries: [RunSummary.PreliminaryRun] = []
        /// Whether those are to be run again although they are finished.
        var renews = false
        /// Those of them that were begun again.
        var renewed: Set<Digest> = []
        /// Whether only a worker's coming tells how it goes on.
        var waitsForWorker = false
        /// The arithmetic that it must be run with, for the job that needs it; nil for any.
        var neededGroup: String?

        /// With the numbers in it that preliminary jobs have found so far.
        var job: Job { form.job }
    }

    /// What was found in the folder of a preliminary job: a finished run that is sound, or nothing.
    struct Found {
        let job: Digest
        let run: FinishedRun?
    }

    /// What a job's blocks are run by and checked by. A reference: it is looked at with every message.
    final class RunForm: Sendable {
        /// With the numbers in it that preliminary jobs have found so far.
        let job: Job
        /// As it was handed in.
        let original: Job
        let description: RunDescription
        let limits: ResultLimits

        init(_ job: Job) {
            (self.job, original, description, limits) = (job, job, job.description, ResultLimits(job))
        }

        private init(_ job: Job, of form: RunForm) {
            (self.job, original, description, limits) = (job, form.original, form.description, form.limits)
        }

        /// The same with the numbers in it that a preliminary job has found.
        func resolved(as job: Job) -> RunForm { RunForm(job, of: self) }
    }

    let identity: Digest
    let number: JobNumber
    let name: String
    let chains: Int
    let blocks: Int
    let blockSize: Int
    var work: Work?
    private(set) var state: JobStatus.State = .queued
    private var failure = ""
    var terms: SubmissionTerms
    var watchers: Set<PeerID> = []
    /// Whether somebody handed it in without waiting for it.
    var isDetached = false
    /// Whether nobody has handed it in: another job needs what it finds.
    var isPreliminary = false
    /// Seconds since 1970.
    private let submittedAt: Double
    /// Who waits to hear that it is accepted; nil once it is.
    var unanswered: [PeerID]? = []
    var isPaused = false
    /// As it was before it was taken up.
    private(set) var past: PastJob?
    /// What the journal has of a block that has begun.
    struct StateMark {
        /// Bytes at its start that no later state changes.
        let settled: Int
        /// Who answers for the worker that it is of, where results are verified.
        let party: String
    }

    /// Blocks that have a checkpoint in the journal.
    var checkpointed: [Int: StateMark] = [:]
    /// Blocks whose results are stored and are to be computed once more.
    var checks: [Int: ResultCheck] = [:]
    /// Those of them whose results are known to be right, and that wait for what is done because of those who said otherwise.
    private(set) var settling: Set<Int> = []
    /// Blocks whose results were computed twice and are the same.
    private var verified = BlockSet()

    private let started: Duration
    private var ended: Duration?
    private var blocksDone = 0
    private var chainsDone = 0
    private var acceptance = (sum: 0.0, count: 0)
    /// Of running blocks, the part that is done.
    private var partial: [Int: Double] = [:]
    /// Who did what, by name.
    private var shares: [String: WorkerShare] = [:]
    private var again = 0

    /// - Parameters:
    ///   - submittedAt: seconds since 1970.
    ///   - secondsElapsed: since then.
    init(
        _ job: Job, number: JobNumber, terms: SubmissionTerms, past: PastJob?, submittedAt: Double,
        secondsElapsed: Double, at now: Duration
    ) {
        self.past = past
        work = Work(form: RunForm(job), textDigest: job.identity)
        self.number = number
        self.terms = terms
        identity = job.identity
        (name, chains, blocks, blockSize) = (job.name, job.chains, job.blocks, job.block)
        self.submittedAt = submittedAt
        started = now - .seconds(secondsElapsed)
    }

    /// Takes in what is stored of it. - Returns: the same for the scheduler.
    mutating func resume(_ stored: RecoveredJob) -> JobProgress {
        var progress = JobProgress()
        for blocks in stored.finishedBlocks {
            for block in blocks { progress.stored.insert(block) }
            chainsDone += min(blocks.upperBound * blockSize, chains) - blocks.lowerBound * blockSize
        }
        blocksDone = progress.stored.count
        checkpointed = stored.checkpoints.mapValues { StateMark(settled: $0.settled, party: $0.party) }
        for block in stored.verifiedBlocks { verified.insert(block) }
        again = stored.blocksRunAgain
        for share in stored.workers { shares[share.worker.name] = share }
        progress.checkpoints = stored.checkpoints.mapValues(\.stepsDone)
        progress.reports = stored.reports.mapValues { $0.map(\.reason) }
        progress.group = stored.workers.first { !$0.worker.fingerprint.isEmpty }?.worker.fingerprint
        progress.isPaused = isPaused
        return progress
    }

    /// Takes in which of the stored results are to be computed once more.
    mutating func resume(_ unverified: [Int: UnverifiedBlock], _ progress: inout JobProgress) {
        for (block, stored) in unverified {
            checks[block] = ResultCheck(author: stored.worker, attempt: stored.attempt)
            progress.checks[block] = PendingCheck(parties: [stored.worker.party], attempts: stored.attempt)
        }
    }

    /// The block of a chain.
    func block(ofChain chain: Int) -> Int { chain / blockSize }

    /// Who has done something for it, or holds blocks of it: those that hold most first, then those that have done most.
    ///
    /// - Parameters:
    ///   - held: how many blocks, by worker.
    ///   - record: what is known of a worker that is there.
    func workers(holding held: [WorkerID: Int], _ record: (WorkerID) -> WorkerDescription?) -> [JobWorker] {
        var all = shares
        for worker in held.keys where all["\(worker)"] == nil {
            all["\(worker)"] = record(worker).map { WorkerShare(worker: $0, blocks: 0, seconds: 0) }
        }
        return all.values.map {
            JobWorker(
                name: $0.worker.name, host: $0.worker.host, process: $0.worker.process, blocksDone: $0.blocks,
                blocksHeld: WorkerID($0.worker.name).flatMap { held[$0] } ?? 0, seconds: $0.seconds)
        }.sorted { ($0.blocksHeld, $0.blocksDone, $1.name) > ($1.blocksHeld, $1.blocksDone, $0.name) }
    }

    /// Takes in that a worker does something for the job. - Returns: whether it is the first time.
    mutating func meet(_ worker: WorkerDescription) -> Bool {
        guard shares[worker.name] == nil else { return false }
        shares[worker.name] = WorkerShare(worker: worker, blocks: 0, seconds: 0)
        return true
    }

    mutating func note(_ report: BlockProgress) {
        guard report.stepsTotal > 0, !state.isOver else { return }
        if state == .queued { state = .running }
        partial[report.attempt.block] = Double(report.stepsDone) / Double(report.stepsTotal)
        if acceptance.count == 0 || chainsDone == 0, 0...1 ~= report.acceptance { acceptance = (report.acceptance, 1) }
    }

    /// Counts a block's result, which is the first.
    mutating func count(_ report: BlockReport, from worker: WorkerDescription) {
        if state == .queued { state = .running }
        partial[report.attempt.block] = nil
        checkpointed[report.attempt.block] = nil
        blocksDone += 1
        chainsDone += min(blockSize, chains - report.attempt.block * blockSize)
        again += report.attempt.attempt > 1 ? 1 : 0
        shares[worker.name, default: WorkerShare(worker: worker, blocks: 0, seconds: 0)].blocks += 1
        shares[worker.name]?.seconds += report.seconds
    }

    /// Counts a result that came a second time.
    mutating func countCheck(_ report: BlockReport, from worker: WorkerDescription) {
        shares[worker.name, default: WorkerShare(worker: worker, blocks: 0, seconds: 0)].seconds += report.seconds
    }

    /// Takes in that a result was computed twice and is the same.
    mutating func verified(_ block: Int) {
        checks[block] = nil
        settling.remove(block)
        verified.insert(block)
    }

    /// Takes in that a result is right, and that something of these parties may still count.
    mutating func await(_ parties: Set<String>, before block: Int) {
        guard checks[block] != nil else { return }
        checks[block]?.awaited = parties
        settling.insert(block)
    }

    /// Whether workers of a party have brought results, and not all of the job's are verified.
    func hasUnverifiedBlocks(of party: String) -> Bool {
        verified.count < blocks && shares.values.contains { $0.blocks > 0 && $0.worker.party == party }
    }

    /// Counts the acceptance of chains whose results are stored.
    mutating func count(_ stored: Acceptance) {
        acceptance.sum += stored.sum
        acceptance.count += stored.count
    }

    /// Takes in that results which were stored are lost.
    mutating func lose(_ blocks: [Int]) {
        guard let job = work?.job else { return }
        blocksDone -= blocks.count
        for block in blocks {
            chainsDone -= job.chains(inBlock: block)
            // The attempts at one that is to be verified go on being counted.
            if checks[block] == nil { again += 1 }
            checks[block] = nil
            settling.remove(block)
            verified.remove(block)
        }
    }

    /// For the scheduler: that all blocks but these are stored.
    func progress(without blocks: [Int]) -> JobProgress {
        var progress = JobProgress()
        for block in 0..<self.blocks { progress.stored.insert(block) }
        for block in blocks { progress.stored.remove(block) }
        progress.group = shares.values.first { !$0.worker.fingerprint.isEmpty }?.worker.fingerprint
        progress.isPaused = isPaused
        return progress
    }

    mutating func end(as state: JobStatus.State, failure: String = "", at now: Duration) {
        guard !self.state.isOver else { return }
        (self.state, self.failure, ended) = (state, failure, now)
        (work, partial, checkpointed, checks, settling, past) = (nil, [:], [:], [:], [], nil)
    }

    /// In seconds since 1970; nil while it is not over.
    var endedAt: Double? { ended.map { submittedAt + ($0 - started) / .seconds(1) } }

    /// Since it was submitted, up to its end.
    func secondsElapsed(at now: Duration) -> Double { ((ended ?? now) - started) / .seconds(1) }

    /// - Parameter notice: why no job goes on just now.
    func status(workers: Int, notice: String, at now: Duration) -> JobStatus {
        let done = Double(blocksDone) + partial.values.reduce(0, +)
        return JobStatus(
            job: identity, name: name, state: !state.isOver && isPaused ? .paused : state, chainsTotal: chains,
            chainsDone: chainsDone, fraction: state == .finished ? 1 : min(1, done / Double(blocks)),
            acceptance: acceptance.count > 0 ? acceptance.sum / Double(acceptance.count) : .nan,
            secondsElapsed: secondsElapsed(at: now), workers: workers, failure: failure,
            notice: state.isOver ? "" : notice, priority: terms.priority,
            blocksAgain: again, submittedAt: submittedAt, isPreliminary: isPreliminary,
            blocksVerified: verified.count)
    }

    /// Everything about the run that is not the same each time, as names and values.
    ///
    /// - Parameter date: by the clock on the wall.
    func provenance(at now: Duration, date: Date) -> [(String, JSONText)] {
        let sorted = shares.values.sorted {
            ($0.worker.name.count, $0.worker.name) < ($1.worker.name.count, $1.worker.name)
        }
        let list = sorted.map { share -> JSONText in
            let worker = share.worker
            return .object([
                ("worker", .string(worker.name)), ("host", .string(worker.host)), ("process", .integer(worker.process)),
                ("slots", .integer(worker.slots)), ("version", .string(worker.version)),
                ("fingerprint", .string(worker.fingerprint)), ("blocks", .integer(share.blocks)),
                ("compute_seconds", .number(share.seconds)),
            ])
        }
        return [
            ("job", .string(identity.hex)), ("version", .string(programVersion)),
            ("finished_at", .string(date.formatted(.iso8601))), ("seconds", .number(secondsElapsed(at: now))),
            ("blocks", .integer(blocks)), ("blocks_run_again", .integer(again)),
            ("blocks_verified", .integer(verified.count)), ("workers", .array(list)),
        ]
    }
}
