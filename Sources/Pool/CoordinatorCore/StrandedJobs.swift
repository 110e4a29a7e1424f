import ContentHash
import Foundation
import Logging
import Messaging
import PoolCore

/// Jobs that are tied to an arithmetic of which there is no worker any more.
///
/// The scheduler begins one anew by itself of which hardly anything is done; the others wait for a worker, or for
/// somebody who hands them in with `--force`.
extension CoordinatorCore {
    /// The arithmetic that a job is tied to and of which there is no worker now; nil if that is not what it waits for.
    func strangeGroup(of job: RunningJob) -> String? {
        if let group = scheduler.view(of: job.number)?.missingGroup { return group }
        return job.work?.waitsForWorker == true ? job.work?.progress?.group : nil
    }

    /// What a stranded job waits for and what to do, in words; nil if it is not stranded.
    func strandedNotice(of job: RunningJob) -> String? {
        strangeGroup(of: job).map {
            "what is done was computed with the arithmetic \($0), of which there is no worker now: start one on a host "
                + "like those that did it, or begin anew with submit --force"
        }
    }

    /// Begins a job anew if it is stranded, or else what it waits for if that is.
    ///
    /// - Returns: whether it was tied to its arithmetic by the job that waits for it, of which nothing can be used then.
    @discardableResult
    mutating func beginStrandedAnew(_ id: Digest) -> Bool {
        guard let job = jobs[id], let work = job.work else { return false }
        let isStranded = strangeGroup(of: job) != nil
        guard isStranded || work.waitsFor.map({ beginStrandedAnew($0) }) == true else { return false }
        beginAnew(id)
        return work.neededGroup != nil
    }

    /// Throws away what is done of a job and begins again, for all who wait for it.
    mutating func beginAnew(_ id: Digest) {
        guard let job = jobs[id], let work = job.work, !job.state.isOver else { return }
        log(.notice, "job \(job.name) \(id.hex.prefix(8)) begins anew: no worker has the arithmetic of what was done")
        act(on: .cancelled(job.number))
        var terms = job.terms
        terms.timeLimit = remainingTime(of: job)
        start(work.form.original, HandedIn(text: [], force: true, watch: false, terms: terms, peer: Self.nobody))
        jobs[id]?.work?.renews = false
    }
}
