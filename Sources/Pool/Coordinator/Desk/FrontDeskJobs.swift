import ContentHash
import Foundation
import JobFile
import Journal
import Logging
import Messaging
import ModelTransfer
import PoolCore
import RunFolder
import TerminalProgress

/// How jobs begin and end.
extension FrontDesk {
    /// Takes up what earlier lives of the coordinator have left.
    mutating func takeUp(_ recovered: [PastJob]) {
        nextJob = archive.lastJobNumber + 1
        for before in recovered {
            // Names that results are noted under are not used twice. No pool has had so many workers as some might say.
            for share in before.job.workers {
                if let name = WorkerID(share.worker.name), name < 1 << 53 { nextWorker = max(nextWorker, name + 1) }
            }
            past[before.job.record.hash] = before
            // The archive has the rest.
            past[before.job.record.hash]?.forgetDetails()
        }
        warnOfUnknownFolders()
        for job in recovered.map(\.job) where !job.state.isOver {
            let record = job.record
            if let trouble = trouble(of: job) {
                setApart(record.hash, trouble)
            } else if RunFolder.isComplete(folder(of: record.hash), jobHash: record.hash.hex) {
                // The coordinator ended between the job's last file and the last word of the journal.
                past[record.hash]?.job.outcome = .finished
                try? RunStaging.discard(in: folder(of: record.hash))
                archive.ask(
                    .note(
                        .ended(
                            job: record.number, .finished, failure: "",
                            secondsElapsed: Date().timeIntervalSince1970 - record.submittedAt)))
            } else {
                logger.notice("job \(record.hash.hex.prefix(8)) goes on")
                // Handed in by nobody: its models are looked for and its text is read like any other's.
                intake.take(
                    HandedIn(text: record.text, force: false, watch: false, terms: record.terms, peer: nobody(record)))
            }
        }
    }

    private func nobody(_ record: JobRecord) -> PeerID { Self.nobody + Array("job \(record.number)".utf8) }

    /// Identities that begin with zero are ZeroMQ's own, so no peer has this one.
    static let nobody: PeerID = [0]

    private func isNobody(_ peer: PeerID) -> Bool { peer.first == 0 }

    mutating func submit(_ submission: HandedIn) {
        // Before anything is made of the text.
        if let problem = intake.problem(of: submission) {
            send(.refusal(exitStatus: 75, text: problem), to: submission.peer)
            return
        }
        // Submitters send the canonical text, whose hash is the job's identity.
        if join(SHA256.hash(of: submission.text), submission) { return }
        if !storageNotice.isEmpty {
            send(.refusal(exitStatus: 75, text: storageNotice), to: submission.peer)
            return
        }
        send(.heartbeat(), to: submission.peer)
        intake.take(submission)
    }

    /// Takes in what the reading of a job came to.
    mutating func take(_ outcome: JobReader<Int>.Outcome, of number: Int) {
        settle(intake.take(outcome, of: number, at: now))
    }

    mutating func settle(_ decision: Intake.Decision?) {
        switch decision {
        case .accepted(let job, let submission):
            if join(job.identity, submission) { return }
            // What an earlier life took on goes on.
            if !isNobody(submission.peer), let problem = problem(of: job, textBytes: submission.text.count) {
                intake.abandon(submission.uploaded)
                send(.refusal(exitStatus: 75, text: problem), to: submission.peer)
                return
            }
            start(job, submission)
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

    /// Adds a submitter to a job that runs, or looks whether what is finished is sound. - Returns: false if it is neither.
    private mutating func join(_ id: Digest, _ submission: HandedIn) -> Bool {
        if let known = jobs[id], !known.state.isOver {
            if submission.force { beginStrandedAnew(id) }
            add(submission, to: id)
            return true
        }
        // What was finished and is damaged is told of before it runs again.
        if !submission.force, RunFolder.hasSummary(in: folder(of: id)) {
            inspect(id, for: submission)
            return true
        }
        return false
    }

    private mutating func add(_ submission: HandedIn, to id: Digest) {
        guard let job = jobs[id], !isNobody(submission.peer) else { return }
        if submission.watch {
            jobs[id]?.watchers.insert(submission.peer)
        } else if !job.isDetached {
            jobs[id]?.isDetached = true
            if job.unanswered == nil {
                let receipt = Archive.Receipt(peer: submission.peer, answer: .accepted(id))
                return archive.ask(.note(.detached(job: job.number), receipt))
            }
        }
        if submission.terms.priority != 0, job.unanswered == nil { prioritize(id, submission.terms.priority) }
        if job.unanswered == nil {
            send(.accepted(job: id, alreadyFinished: false), to: submission.peer)
        } else {
            jobs[id]?.unanswered?.append(submission.peer)
        }
    }

    mutating func start(_ job: Job, _ submission: HandedIn) {
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
        let time = Date().timeIntervalSince1970
        let submittedAt = goesOn ? known?.record.submittedAt ?? time : time
        let terms = goesOn ? known?.record.terms ?? submission.terms : submission.terms
        var fresh = RunningJob(
            job, number: number, terms: terms, past: before, secondsElapsed: max(0, time - submittedAt),
            at: now)
        // Whoever handed in what was cancelled or is finished wants no other run of it.
        let isOpen = known.map { $0.outcome == nil || $0.outcome == .failed } == true
        fresh.isDetached =
            isOpen && known?.record.isDetached == true || running?.isDetached == true
            || !submission.watch && !isNobody(submission.peer)
        fresh.watchers = running?.watchers ?? []
        fresh.unanswered = running?.unanswered ?? []
        fresh.work?.renews = submission.force
        fresh.isPaused = goesOn && known?.isPaused == true
        jobs[id] = fresh
        identities[number] = id
        add(submission, to: id)
        let record = JobRecord(
            number: number, hash: id, text: text, submittedAt: submittedAt, terms: terms, isDetached: fresh.isDetached)
        let note: JournalEntry? =
            lastState == nil ? .accepted(record) : goesOn ? nil : resumes ? .resubmitted(record) : .restarted(record)
        archive.ask(
            .open(
                number, folder: folder(of: id), job.description, resumes: resumes, note: note))
    }

    /// The job's files and its place in the journal are there: whoever handed it in may rely on it.
    mutating func opened(_ number: JobNumber, _ stored: RecoveredJob?) {
        guard let id = identities[number], let job = jobs[id], let work = job.work, let peers = job.unanswered else {
            return
        }
        jobs[id]?.unanswered = nil
        logger.notice(
            "job \(job.name) \(id.hex.prefix(8)) \(stored == nil ? "begins" : "goes on"): \(work.job.blocks) blocks")
        for peer in peers { send(.accepted(job: id, alreadyFinished: false), to: peer) }
        var progress = JobProgress()
        if let stored, let resumed = jobs[id]?.resume(stored) { progress = resumed }
        progress.group = progress.group ?? work.neededGroup
        jobs[id]?.work?.progress = progress
        proceed(id)
        if let verdict { fail(id, reason: verdict) }
    }

    mutating func refused(_ number: JobNumber, _ status: Int32, _ reason: String) {
        guard let id = identities.removeValue(forKey: number), let job = jobs.removeValue(forKey: id) else { return }
        logger.error("job \(job.name): \(reason)")
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

    /// All results of a job are stored.
    mutating func finish(_ number: JobNumber) {
        guard let id = identities[number], let job = jobs[id], let work = job.work else { return }
        archive.ask(
            .finish(
                number, work.job, work.preliminaries, provenance: job.provenance(at: now),
                note: .ended(
                    job: number, .finished, failure: "", secondsElapsed: job.secondsElapsed(at: now))))
    }

    /// All files of a job are there.
    mutating func finished(_ number: JobNumber) {
        guard let id = identities[number] else { return }
        let time = now
        jobs[id]?.end(as: .finished, at: time)
        if let job = jobs[id] { tellEnd(of: job, "finished") }
        announce(id)
        forgetText(of: id)
        for waiting in jobs.values.filter({ $0.work?.waitsFor == id }).sorted(by: { $0.number < $1.number }) {
            let waiting = waiting.identity
            jobs[waiting]?.work?.waitsFor = nil
            proceed(waiting)
        }
    }

    /// Ends a job that the scheduler has ended.
    ///
    /// - Parameter peer: who waits to hear of it.
    mutating func end(_ id: Digest, as state: JobStatus.State, failure: String = "", for peer: PeerID? = nil) {
        guard let job = jobs[id], !job.state.isOver else { return }
        let time = now
        jobs[id]?.end(as: state, failure: failure, at: time)
        tellEnd(of: job, state == .failed ? "failed: \(failure)" : "was cancelled")
        archive.ask(
            .end(
                job.number, keepsFiles: state == .failed,
                note: .ended(
                    job: job.number, state == .failed ? .failed : .cancelled, failure: failure,
                    secondsElapsed: job.secondsElapsed(at: time)),
                peer.map { Archive.Receipt(peer: $0, answer: .status(of: id)) }))
        announce(id)
        forgetText(of: id)
        let text = state == .failed ? failure : "it was cancelled"
        stopWaiting(for: id, reason: text)
        if let other = job.work?.waitsFor { release(other, keepsWork: state == .failed) }
    }

    /// The job is over: workers need not keep its text.
    private mutating func forgetText(of id: Digest) {
        for worker in workers.keys where workers[worker]?.knownJobs.remove(id) != nil {
            if let peer = workers[worker]?.peer { send(.revoke(job: id, blocks: []), to: peer) }
        }
        jobs[id]?.watchers = []
    }

    private func tellEnd(of job: RunningJob, _ what: String) {
        let seconds = ProgressLine.time(job.secondsElapsed(at: now))
        logger.notice("job \(job.name) \(job.identity.hex.prefix(8)) after \(seconds): \(what)")
    }

    mutating func fail(_ id: Digest, reason: String) {
        guard let number = jobs[id]?.number else { return }
        end(id, as: .failed, failure: reason)
        act(on: .cancelled(number))
    }

    mutating func failAll(reason: String) {
        verdict = reason
        for (id, job) in jobs where !job.state.isOver { fail(id, reason: reason) }
    }

    mutating func cancel(_ id: Digest, _ peer: PeerID) {
        if intake.cancel(id, peer) { return }
        inspections[id]?.submissions.removeAll { $0.peer == peer }
        if let before = past[id], !before.job.state.isOver { return cancel(before, peer) }
        guard let job = jobs[id], !job.state.isOver else {
            send(.refusal(exitStatus: 66, text: "no job \(id.hex.prefix(8)) runs here"), to: peer)
            return
        }
        // A submitter that gives up takes the job along only if nobody else wants it.
        let isWanted = job.isDetached || !job.watchers.subtracting([peer]).isEmpty || isWaited(for: id)
        if jobs[id]?.watchers.remove(peer) != nil, isWanted { return }
        end(id, as: .cancelled, for: job.watchers.contains(peer) ? nil : peer)
        act(on: .cancelled(job.number))
    }

    /// Cancels a job of an earlier life that has not been taken up: its models may be missing.
    private mutating func cancel(_ before: PastJob, _ peer: PeerID) {
        let record = before.job.record
        _ = intake.cancel(record.hash, nobody(record))
        past[record.hash]?.job.outcome = .cancelled
        past[record.hash]?.trouble = nil
        try? RunStaging.discard(in: folder(of: record.hash))
        archive.ask(
            .note(
                .ended(job: record.number, .cancelled, failure: "", secondsElapsed: 0),
                Archive.Receipt(peer: peer, answer: .status(of: record.hash))))
    }

    mutating func control(_ id: Digest, _ change: JobControl, _ peer: PeerID) {
        guard let job = jobs[id], !job.state.isOver else {
            send(.refusal(exitStatus: 66, text: "no job \(id.hex.prefix(8)) runs here"), to: peer)
            return
        }
        guard storageNotice.isEmpty else {
            send(.refusal(exitStatus: 75, text: storageNotice), to: peer)
            return
        }
        let receipt = Archive.Receipt(peer: peer, answer: .status(of: id))
        switch change {
        case .pause, .resume:
            let pauses = change == .pause
            pause(id, pauses, receipt)
        case .priority(let priority):
            prioritize(id, priority, receipt)
        }
    }

    mutating func prioritize(_ id: Digest, _ priority: Int, _ receipt: Archive.Receipt? = nil) {
        guard let number = jobs[id]?.number else { return }
        jobs[id]?.terms.priority = priority
        archive.ask(.note(.priority(job: number, priority), receipt))
        act(on: .prioritized(number, priority))
        if let other = jobs[id]?.work?.waitsFor { adapt(other) }
    }

    mutating func pause(_ id: Digest, _ pauses: Bool, _ receipt: Archive.Receipt? = nil) {
        guard let number = jobs[id]?.number else { return }
        jobs[id]?.isPaused = pauses
        archive.ask(.note(.paused(job: number, pauses), receipt))
        act(on: pauses ? .paused(number) : .resumed(number))
        if let other = jobs[id]?.work?.waitsFor { adapt(other) }
    }
}
