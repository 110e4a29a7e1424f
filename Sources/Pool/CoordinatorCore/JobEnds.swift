import ContentHash
import Foundation
import JobFile
import Journal
import Logging
import Messaging
import PoolCore
import TerminalProgress

/// How jobs end, and how they are treated.
extension CoordinatorCore {
    /// All results of a job are stored.
    mutating func finish(_ number: JobNumber) {
        guard let id = identities[number], let job = jobs[id], let work = job.work else { return }
        ask(
            .finish(
                number, work.job, work.preliminaries,
                provenance: job.provenance(at: now, date: Date(timeIntervalSince1970: moment.date)),
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
        for waiting in jobs(where: { $0.work?.waitsFor == id }) {
            jobs[waiting]?.work?.waitsFor = nil
            jobs[waiting]?.work?.found = nil
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
        ask(
            .end(
                job.number, keepsFiles: state == .failed,
                note: .ended(
                    job: job.number, state == .failed ? .failed : .cancelled, failure: failure,
                    secondsElapsed: job.secondsElapsed(at: time)),
                peer.map { Receipt(peer: $0, answer: .status(of: id)) }))
        announce(id)
        forgetText(of: id)
        let text = state == .failed ? failure : "it was cancelled"
        stopWaiting(for: id, reason: text)
        if let other = job.work?.waitsFor { release(other, keepsWork: state == .failed) }
    }

    /// The job is over: workers need not keep its text.
    private mutating func forgetText(of id: Digest) {
        for worker in workers.keys.sorted() where workers[worker]?.knownJobs.remove(id) != nil {
            if let peer = workers[worker]?.peer { send(.revoke(job: id, blocks: []), to: peer) }
        }
        jobs[id]?.watchers = []
    }

    private mutating func tellEnd(of job: RunningJob, _ what: String) {
        let seconds = ProgressLine.time(job.secondsElapsed(at: now))
        log(.notice, "job \(job.name) \(job.identity.hex.prefix(8)) after \(seconds): \(what)")
    }

    mutating func fail(_ id: Digest, reason: String) {
        guard let number = jobs[id]?.number else { return }
        end(id, as: .failed, failure: reason)
        act(on: .cancelled(number))
    }

    mutating func failAll(reason: String) {
        verdict = reason
        for job in jobs(where: { !$0.state.isOver }) { fail(job, reason: reason) }
    }

    /// What is told of a job that can't be treated differently any more.
    private func notUnderWay(_ id: Digest) -> Message {
        let name = "job \(id.hex.prefix(8))"
        let text = status(of: id).map { "\(name) is over: \($0.state.rawValue)" } ?? "there is no \(name) here"
        return .refusal(exitStatus: 66, text: text)
    }

    mutating func cancel(_ id: Digest, _ peer: PeerID) {
        if intake.cancel(id, peer) { return }
        inspections[id]?.submissions.removeAll { $0.peer == peer }
        if let before = past[id], !before.job.state.isOver { return cancel(before, peer) }
        guard let job = jobs[id], !job.state.isOver else {
            send(notUnderWay(id), to: peer)
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
        let seconds = max(0, moment.date - record.submittedAt)
        past[record.hash]?.job.outcome = .cancelled
        past[record.hash]?.job.secondsElapsed = seconds
        past[record.hash]?.trouble = nil
        perform(.discardStaging(record.hash))
        ask(
            .note(
                .ended(job: record.number, .cancelled, failure: "", secondsElapsed: seconds),
                Receipt(peer: peer, answer: .status(of: record.hash))))
    }

    mutating func control(_ id: Digest, _ change: JobControl, _ peer: PeerID) {
        guard let job = jobs[id], !job.state.isOver else {
            send(notUnderWay(id), to: peer)
            return
        }
        guard storageNotice.isEmpty else {
            send(.refusal(exitStatus: 75, text: storageNotice), to: peer)
            return
        }
        let receipt = Receipt(peer: peer, answer: .status(of: id))
        switch change {
        case .pause, .resume:
            let pauses = change == .pause
            pause(id, pauses, receipt)
        case .priority(let priority):
            prioritize(id, priority, receipt)
        }
    }

    mutating func prioritize(_ id: Digest, _ priority: Int, _ receipt: Receipt? = nil) {
        guard let number = jobs[id]?.number else { return }
        jobs[id]?.terms.priority = priority
        ask(.note(.priority(job: number, priority), receipt))
        act(on: .prioritized(number, priority))
        if let other = jobs[id]?.work?.waitsFor { adapt(other) }
    }

    private mutating func pause(_ id: Digest, _ pauses: Bool, _ receipt: Receipt) {
        guard let number = jobs[id]?.number else { return }
        ask(.note(.paused(job: number, pauses), receipt))
        suspend(id, pauses)
        if let other = jobs[id]?.work?.waitsFor { adapt(other) }
    }

    /// Hands no block of a job out, or does again. The journal is not told: what is wanted of a job that others wait for
    /// is told of these.
    mutating func suspend(_ id: Digest, _ suspends: Bool) {
        guard let number = jobs[id]?.number else { return }
        jobs[id]?.isPaused = suspends
        act(on: suspends ? .paused(number) : .resumed(number))
    }
}
