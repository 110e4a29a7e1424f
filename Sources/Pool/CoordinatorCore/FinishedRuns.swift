package import ContentHash
import Journal
import Logging
import Messaging
import PoolCore

/// What becomes of jobs whose files are not what they were.
extension CoordinatorCore {
    /// Stored rows of a job are lost, or not to count: its blocks run again.
    mutating func lost(_ blocks: [Int], of number: JobNumber) {
        // What is told of an earlier run of a job that is just being begun anew is nothing to it.
        guard let id = identities[number], let job = jobs[id], !job.state.isOver, job.unanswered == nil else { return }
        jobs[id]?.lose(blocks)
        guard job.work?.progress == nil, job.work?.waitsFor == nil else {
            // The scheduler is told when the job comes to it.
            for block in blocks { jobs[id]?.work?.progress?.lose(block) }
            return
        }
        guard scheduler.view(of: number) == nil else { return act(on: .lost(number, blocks: blocks)) }
        // It was found out at the end, when the scheduler had done with the job.
        act(on: .submitted(number, terms(of: job), job.progress(without: blocks)))
    }

    // MARK: Finished jobs

    /// Has the files of a finished job looked at, beside everything else.
    ///
    /// - Parameter submission: who asks for them; nil if a job does.
    mutating func inspect(_ id: Digest, for submission: HandedIn? = nil) {
        guard let submission else { return beginInspection(of: id, text: []) }
        // All have the same text: it is kept once.
        let bytes = inspections.values.reduce(0) { $0 + $1.text.count }
        let isRoom =
            inspections[id].map { !$0.text.isEmpty } ?? false || bytes + submission.text.count <= Self.mostBytes
        guard isRoom, inspections[id]?.submissions.count ?? 0 < Self.mostWaiting else {
            let text = "the files of finished jobs are being looked at, for too many to wait; try again later"
            send(.refusal(exitStatus: 75, text: text), to: submission.peer)
            return
        }
        beginInspection(of: id, text: submission.text)
        // It may take longer than a submitter's patience with silence.
        send(.heartbeat(), to: submission.peer)
        guard inspections[id]?.submissions.contains(where: { $0.peer == submission.peer }) == false else { return }
        inspections[id]?.submissions.append(submission.with(text: []))
    }

    private mutating func beginInspection(of id: Digest, text: [UInt8]) {
        if inspections[id] == nil {
            inspections[id] = Inspection(isOutdated: jobs[id]?.state.isOver == false)
            perform(.inspect(id))
        }
        if inspections[id]?.text.isEmpty == true { inspections[id]?.text = text }
    }

    /// The bytes of the texts that wait for inspections, of all jobs.
    private static let mostBytes = 64 << 20
    /// Submitters that wait for one inspection.
    private static let mostWaiting = 1_000

    /// Somebody has looked at the files of a finished job.
    mutating func inspected(_ id: Digest, _ content: FolderContent) {
        guard let inspection = inspections.removeValue(forKey: id) else { return }
        // What is found while it runs again are the files of neither run.
        let content = inspection.isOutdated ? .nothing() : content
        switch content {
        case .nothing(.some(let damage)):
            log(.error, "job \(id.hex.prefix(8)) was finished, but \(damage); it runs again when it is asked for")
        case .unknown(let reason): log(.error, "job \(id.hex.prefix(8)) was finished, but \(reason)")
        default: break
        }
        for submission in inspection.submissions {
            switch content {
            case .sound: send(.accepted(job: id, alreadyFinished: true), to: submission.peer)
            case .nothing: submit(submission.with(text: inspection.text))
            case .unknown(let reason): settle(.refused(submission.peer, exitStatus: 75, text: unreadable(id, reason)))
            }
        }
        for job in jobs(where: { $0.work?.inspects == id }) {
            jobs[job]?.work?.inspects = nil
            switch content {
            case _ where inspection.isOutdated: break
            case .sound(let run): jobs[job]?.work?.found = RunningJob.Found(job: id, run: run)
            case .nothing: jobs[job]?.work?.found = RunningJob.Found(job: id, run: nil)
            case .unknown(let reason):
                fail(job, reason: unreadable(id, reason))
                continue
            }
            proceed(job)
        }
    }

    /// Whether what is found in a job's folder is that of the run which was to be looked at.
    package func isUpToDate(inspectionOf job: Digest) -> Bool { inspections[job]?.isOutdated == false }

    private func unreadable(_ id: Digest, _ reason: String) -> String {
        "the finished job \(id.hex.prefix(8)) can't be read: \(reason)"
    }

    // MARK: Earlier lives

    /// A job of an earlier life that isn't over can't go on; the others do.
    mutating func setApart(_ id: Digest, _ reason: String) {
        guard past[id]?.job.state.isOver == false else { return }
        past[id]?.trouble = reason
        log(.error, "job \(id.hex.prefix(8)) is set apart, its files are kept: \(reason)")
    }

    /// Why what the journal has of a job can't be used; nil if it can.
    func trouble(of job: RecoveredJob) -> String? {
        let wayOut = "; submit it with --force to begin it anew, or cancel it"
        if let damage = job.damage { return "what the journal says of it can't be: " + damage + wayOut }
        return SHA256.hash(of: job.record.text) == job.record.hash
            ? nil : "its text in the journal is damaged" + wayOut
    }
}

/// A look at the files of a finished job.
struct Inspection {
    /// Who asks for them, without the text.
    var submissions: [HandedIn] = []
    /// The job's text, for its next run; empty if only other jobs ask.
    var text: [UInt8] = []
    /// Whether the job was begun anew meanwhile: what is found are the files of neither run.
    var isOutdated: Bool
}
