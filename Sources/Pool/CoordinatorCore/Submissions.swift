import ContentHash
import Foundation
import JobFile
import Journal
import Logging
import Messaging
import PoolCore
import RunFolder
import TerminalProgress

/// How jobs begin and end.
extension CoordinatorCore {
    /// Takes up what earlier lives of the coordinator have left.
    mutating func takeUp(_ recovered: [PastJob], _ lastJob: JobNumber, _ complete: Set<Digest>) {
        nextJob = lastJob + 1
        for before in recovered {
            // Names that results are noted under are not used twice. No pool has had so many workers as some might say.
            for share in before.job.workers {
                if let name = WorkerID(share.worker.name), name < 1 << 53 { nextWorker = max(nextWorker, name + 1) }
            }
            past[before.job.record.hash] = before
            // The archive has the rest.
            past[before.job.record.hash]?.forgetDetails()
        }
        for job in recovered.map(\.job) where !job.state.isOver {
            let record = job.record
            let seconds = max(0, moment.date - record.submittedAt)
            if let trouble = trouble(of: job) {
                setApart(record.hash, trouble)
            } else if complete.contains(record.hash) {
                // The coordinator ended between the job's last file and the last word of the journal.
                past[record.hash]?.job.outcome = .finished
                past[record.hash]?.job.secondsElapsed = seconds
                perform(.discardStaging(record.hash))
                ask(
                    .note(.ended(job: record.number, .finished, failure: "", secondsElapsed: seconds)))
            } else {
                log(.notice, "job \(record.hash.hex.prefix(8)) goes on")
                // Handed in by nobody: its models are looked for and its text is read like any other's.
                intake.take(
                    HandedIn(text: record.text, force: false, watch: false, terms: record.terms, peer: nobody(record)))
            }
        }
    }

    func nobody(_ record: JobRecord) -> PeerID { Self.nobody + Array("job \(record.number)".utf8) }

    /// Identities that begin with zero are ZeroMQ's own, so no peer has this one.
    static let nobody: PeerID = [0]

    private func isNobody(_ peer: PeerID) -> Bool { peer.first == 0 }

    mutating func submit(_ submission: HandedIn) {
        // Before anything is made of the text.
        if let problem = intake.problem(of: submission) {
            count(.waiting)
            send(.refusal(exitStatus: 75, text: problem), to: submission.peer)
            return
        }
        // Submitters send the canonical text, whose hash is the job's identity.
        let id = SHA256.hash(of: submission.text)
        if join(id, submission) { return }
        perform(.lookUp(id, .submission(submission)))
    }

    /// Goes on with a text whose job does not run.
    mutating func lookedUp(_ id: Digest, _ hasRun: Bool, _ submission: HandedIn) {
        // Somebody else may have been quicker.
        if join(id, submission) { return }
        // What was finished and is damaged is told of before it runs again.
        if hasRun, !submission.force { return inspect(id, for: submission) }
        if !storageNotice.isEmpty {
            send(.refusal(exitStatus: 75, text: storageNotice), to: submission.peer)
            return
        }
        send(.heartbeat(), to: submission.peer)
        intake.take(submission)
    }

    /// Goes on with a job that was read.
    mutating func lookedUp(_ job: Job, _ hasRun: Bool, _ submission: HandedIn) {
        if join(job.identity, submission) { return }
        if hasRun, !submission.force { return inspect(job.identity, for: submission) }
        // What an earlier life took on goes on.
        if !isNobody(submission.peer), let problem = problem(of: job, textBytes: submission.text.count) {
            intake.abandon(submission.uploaded)
            send(.refusal(exitStatus: 75, text: problem), to: submission.peer)
            return
        }
        start(job, submission)
    }

    mutating func settle(_ decision: Intake.Decision?) {
        switch decision {
        case .accepted(let job, let submission):
            perform(.lookUp(job.identity, .accepted(job, submission)))
        case .refused(let peer, let status, let text):
            if isNobody(peer) {
                let record = past.values.map(\.job.record).first { nobody($0) == peer }
                if let record { setApart(record.hash, text) }
            } else {
                send(.refusal(exitStatus: status, text: text), to: peer)
            }
        case nil:
            break
        }
    }

    /// Where a job's files are.
    func folder(of job: Digest) -> String { configuration.stateFolder + "/jobs/" + job.hex }

    /// Adds a submitter to a job that runs. - Returns: false if it does not run.
    private mutating func join(_ id: Digest, _ submission: HandedIn) -> Bool {
        guard let known = jobs[id], !known.state.isOver else { return false }
        if submission.force { beginStrandedAnew(id) }
        add(submission, to: id)
        return true
    }

    private mutating func add(_ submission: HandedIn, to id: Digest) {
        guard let job = jobs[id], !isNobody(submission.peer) else { return }
        jobs[id]?.isPreliminary = false
        if submission.watch {
            jobs[id]?.watchers.insert(submission.peer)
        } else if !job.isDetached {
            jobs[id]?.isDetached = true
            if job.unanswered == nil {
                let receipt = Receipt(peer: submission.peer, answer: .accepted(id))
                return ask(.note(.detached(job: job.number), receipt))
            }
        }
        if submission.terms.priority != 0, job.unanswered == nil { prioritize(id, submission.terms.priority) }
        if job.unanswered == nil {
            send(.accepted(job: id, alreadyFinished: false), to: submission.peer)
        } else {
            jobs[id]?.unanswered?.append(submission.peer)
        }
    }

    /// Begins a job, or goes on with it.
    ///
    /// - Parameter isPreliminary: whether another job needs it, and nobody has handed it in as far as this life knows.
    mutating func start(_ job: Job, _ submission: HandedIn, isPreliminary: Bool = false) {
        let id = job.identity
        inspections[id]?.isOutdated = true
        let running = jobs[id].flatMap { $0.state.isOver ? nil : $0 }
        let before = past.removeValue(forKey: id)
        let known = before?.job
        let lastState = jobs[id]?.state ?? known?.state
        let number = known?.record.number ?? jobs[id]?.number ?? nextJob
        nextJob = max(nextJob, number + 1)
        // What failed, or was interrupted, goes on; what was finished or cancelled once begins anew.
        let resumes = !submission.force && lastState.map { $0 == .failed || !$0.isOver } == true
        let goesOn = resumes && lastState != .failed
        let text = Array(job.canonicalText.utf8)
        let time = moment.date
        let submittedAt = goesOn ? known?.record.submittedAt ?? time : time
        let terms = goesOn ? known?.record.terms ?? submission.terms : submission.terms
        var fresh = RunningJob(
            job, number: number, terms: terms, past: before, submittedAt: submittedAt,
            secondsElapsed: max(0, time - submittedAt), at: now)
        // Whoever handed in what was cancelled or is finished wants no other run of it.
        let isOpen = known.map { $0.outcome == nil || $0.outcome == .failed } == true
        fresh.isDetached =
            isOpen && known?.record.isDetached == true || running?.isDetached == true
            || !submission.watch && !isNobody(submission.peer)
        fresh.isPreliminary = running?.isPreliminary ?? known?.record.isPreliminary ?? isPreliminary
        fresh.watchers = running?.watchers ?? []
        fresh.unanswered = running?.unanswered ?? []
        fresh.work?.renews = submission.force
        fresh.isPaused = goesOn && known?.isPaused == true
        if !resumes { forgetConfirmations(of: number) }
        jobs[id] = fresh
        identities[number] = id
        add(submission, to: id)
        let record = JobRecord(
            number: number, hash: id, text: text, submittedAt: submittedAt, terms: terms, isDetached: fresh.isDetached,
            isPreliminary: jobs[id]?.isPreliminary == true)
        let note: JournalEntry? =
            lastState == nil ? .accepted(record) : goesOn ? nil : resumes ? .resubmitted(record) : .restarted(record)
        ask(
            .open(
                number, folder: folder(of: id), job.description, resumes: resumes, note: note))
    }

    /// The job's files and its place in the journal are there: whoever handed it in may rely on it.
    mutating func opened(_ number: JobNumber, _ stored: RecoveredJob?) {
        guard let id = identities[number], let job = jobs[id], let work = job.work, let peers = job.unanswered else {
            return
        }
        jobs[id]?.unanswered = nil
        log(
            .notice,
            "job \(job.name) \(id.hex.prefix(8)) \(stored == nil ? "begins" : "goes on"): \(work.job.blocks) blocks")
        for peer in peers { send(.accepted(job: id, alreadyFinished: false), to: peer) }
        var progress = JobProgress()
        if let stored, let resumed = jobs[id]?.resume(stored) { progress = resumed }
        if let stored { jobs[id]?.resume(stored.unverifiedBlocks, &progress) }
        progress.group = progress.group ?? work.neededGroup
        jobs[id]?.work?.progress = progress
        proceed(id)
        if let verdict { fail(id, reason: verdict) }
    }

    mutating func refused(_ number: JobNumber, _ status: Int32, _ reason: String) {
        guard let id = identities.removeValue(forKey: number), let job = jobs.removeValue(forKey: id) else { return }
        log(.error, "job \(job.name): \(reason)")
        // What is stored of it is still there.
        if let before = job.past {
            past[id] = before
            setApart(id, reason)
        }
        stopWaiting(for: id, reason: reason)
        for peer in job.watchers.union(job.unanswered ?? []) {
            send(.refusal(exitStatus: status, text: reason), to: peer)
        }
    }
}
