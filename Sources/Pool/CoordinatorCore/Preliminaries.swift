import ContentHash
import JobFile
import Logging
import Messaging
import PoolCore
import RunFolder
import Sampling

/// Jobs that others have to be run for first, to find step sizes or normalisers.
///
/// Such a preliminary job is a job like any other, with its own name, identity and folder. It depends on little of the
/// job that needs it, so that several may need the same one, and one that is finished is not run again.
extension CoordinatorCore {
    /// What is there of a preliminary job.
    private enum Findings {
        /// What it has found, and with which arithmetic.
        case there(RunSummary, group: String)
        /// It has to be run, with that arithmetic if one is named.
        case lacking(group: String?)
        /// Which of the two shows when a worker comes.
        case undecided
        /// It was run for this job, and nobody knows what to make of it.
        case unusable
    }

    /// Hands a job to the scheduler, or runs first what it needs.
    mutating func proceed(_ id: Digest) {
        jobs[id]?.work?.waitsForWorker = false
        while let work = jobs[id]?.work, let preliminary = work.job.preliminary {
            let other = preliminary.job.identity
            guard !isToBeInspected(other, for: work) else {
                jobs[id]?.work?.inspects = other
                return inspect(other)
            }
            switch findings(of: preliminary.job, for: work) {
            case .undecided:
                jobs[id]?.work?.waitsForWorker = true
                return
            case .unusable:
                return fail(id, reason: "\(preliminary.job.name): what it left in \(folder(of: other)) can't be used")
            case .lacking(let group):
                jobs[id]?.work?.waitsFor = other
                jobs[id]?.work?.renewed.insert(other)
                return begin(preliminary.job, with: group, for: id)
            case .there(let summary, let group):
                do {
                    try use(summary, of: preliminary, for: id)
                } catch {
                    // Without its summary it is run again when somebody asks for it again.
                    perform(.removeSummary(other))
                    return fail(id, reason: "\(preliminary.job.name): \(error)")
                }
                // Its numbers and its blocks come from one arithmetic, as in one process.
                jobs[id]?.work?.progress?.group = group
            }
        }
        guard let job = jobs[id], let work = job.work, var progress = work.progress else { return }
        if !work.preliminaries.isEmpty {
            jobs[id]?.work?.textDigest = SHA256.hash(of: Array(work.job.canonicalText.utf8))
        }
        progress.isPaused = job.isPaused
        jobs[id]?.work?.progress = nil
        act(on: .submitted(job.number, terms(of: job), progress))
    }

    private mutating func use(_ summary: RunSummary, of preliminary: PreliminaryJob, for id: Digest) throws {
        guard let work = jobs[id]?.work else { return }
        jobs[id]?.work?.form = work.form.resolved(
            as: try work.job.resolved(
                preliminary, stepSizes: summary.stepSize, logNormalizers: summary.logNormalizer?.perLevel ?? []))
        jobs[id]?.work?.preliminaries.append(
            RunSummary.PreliminaryRun(
                jobHash: preliminary.job.identity.hex, name: summary.name,
                gradientEvaluations: summary.gradientEvaluations, component: preliminary.componentText,
                logNormalizer: preliminary.purpose == .stepSizes ? nil : summary.logNormalizer))
    }

    private func isRunning(_ id: Digest) -> Bool { jobs[id]?.state.isOver == false }

    /// Whether anything may be made of what a preliminary job left, and nobody has looked yet what that is.
    private func isToBeInspected(_ id: Digest, for work: RunningJob.Work) -> Bool {
        work.found?.job != id && !isRunning(id) && (!work.renews || work.renewed.contains(id))
    }

    /// Looks for what a preliminary job has found, of the arithmetic that the job itself is tied to or will have.
    private func findings(of preliminary: Job, for work: RunningJob.Work) -> Findings {
        let (bound, arithmetics) = (work.progress?.group, scheduler.arithmetics.map { Arithmetic($0) })
        func isPresent(_ group: String) -> Bool { arithmetics.contains { $0.covers(Arithmetic(group)) } }
        let id = preliminary.identity
        let mayUse = !isRunning(id) && (!work.renews || work.renewed.contains(id))
        let run = mayUse && work.found?.job == id ? work.found?.run : nil
        let kept = run.flatMap { numbers(of: $0, preliminary) }
        if let kept, bound.map({ $0 == kept.group }) ?? isPresent(kept.group) {
            return .there(kept.summary, group: kept.group)
        }
        if kept == nil, run != nil, work.renewed.contains(id) { return .unusable }
        if let bound { return isPresent(bound) ? .lacking(group: bound) : .undecided }
        return kept != nil && arithmetics.isEmpty ? .undecided : .lacking(group: nil)
    }

    /// What a finished preliminary job has left; nil if there is nothing that can be used.
    private func numbers(of run: FinishedRun, _ preliminary: Job) -> (summary: RunSummary, group: String)? {
        guard let summary = run.summary, let group = run.arithmetic,
            !preliminary.isPilot || summary.stepSize.allSatisfy({ $0.map(isFindable) ?? true })
        else { return nil }
        return (summary, group)
    }

    private func isFindable(_ step: Double) -> Bool { SamplerSettings.findableStepSizes.contains(step) }

    private mutating func begin(_ preliminary: Job, with group: String?, for id: Digest) {
        guard let job = jobs[id] else { return }
        let other = preliminary.identity
        log(.info, "job \(id.hex.prefix(8)) waits for \(preliminary.name) \(other.hex.prefix(8))")
        if let known = jobs[other], !known.state.isOver { return adapt(other) }
        var terms = job.terms
        // Others may come to need it, who have more time.
        terms.timeLimit = nil
        // What was begun goes on; what is finished and yet lacking is of no use.
        let isFinished = job.work?.found?.job == other && job.work?.found?.run != nil
        start(
            preliminary,
            HandedIn(
                text: Array(preliminary.canonicalText.utf8), force: isFinished || job.work?.renews == true,
                watch: false, terms: terms, peer: Self.nobody),
            isPreliminary: true)
        jobs[other]?.work?.neededGroup = group
        adapt(other)
    }

    /// Treats a preliminary job as those that wait for it want it together: it is as urgent as the most urgent of them,
    /// and paused only if they all are and nobody else wants it.
    mutating func adapt(_ id: Digest) {
        let waiting = jobs.values.filter { $0.work?.waitsFor == id }
        guard let job = jobs[id], !job.state.isOver, let urgent = waiting.map(\.terms.priority).max() else { return }
        let isWantedItself = !job.watchers.isEmpty || job.isDetached
        let priority = isWantedItself ? max(urgent, job.terms.priority) : urgent
        if priority != job.terms.priority { prioritize(id, priority) }
        let isPaused = !isWantedItself && waiting.allSatisfy(\.isPaused)
        if isPaused != job.isPaused { suspend(id, isPaused) }
    }

    /// Whether a job waits for another.
    func isWaited(for id: Digest) -> Bool { jobs.values.contains { $0.work?.waitsFor == id } }

    /// Looks after a preliminary job for which a job does not wait any more: it ends if no other does.
    ///
    /// - Parameter keepsWork: whether it may go on one day.
    mutating func release(_ id: Digest, keepsWork: Bool) {
        guard let job = jobs[id], !job.state.isOver else { return }
        guard job.watchers.isEmpty, !job.isDetached, !isWaited(for: id) else { return adapt(id) }
        if keepsWork {
            end(id, as: .failed, failure: "no job waits for it any more; what is done is kept")
        } else {
            end(id, as: .cancelled)
        }
        act(on: .cancelled(job.number))
    }

    /// Fails the jobs that wait for one that has ended without what they wait for.
    mutating func stopWaiting(for id: Digest, reason: String) {
        let name = jobs[id]?.name ?? "job \(id.hex.prefix(8))"
        for waiting in jobs(where: { $0.work?.waitsFor == id }) {
            jobs[waiting]?.work?.waitsFor = nil
            fail(waiting, reason: "\(name), which it needs, did not end well: \(reason)")
        }
    }

    /// Fails jobs whose time is over while they wait.
    mutating func watchWaitingTimes() {
        let late = jobs(where: { job in
            job.work?.waitsFor != nil && remainingTime(of: job).map { $0 < .zero } ?? false
        })
        for job in late { fail(job, reason: "its time limit is over") }
    }

    func remainingTime(of job: RunningJob) -> Duration? {
        job.terms.timeLimit.map { $0 - .seconds(job.secondsElapsed(at: now)) }
    }

    /// How the scheduler is to treat a job from now on.
    func terms(of job: RunningJob) -> JobTerms {
        JobTerms(
            blocks: job.blocks, priority: job.terms.priority, share: job.terms.share, timeLimit: remainingTime(of: job),
            servers: job.work?.job.servers ?? [])
    }

    /// What a job waits for, in words; empty if for nothing.
    func preliminaryNotice(of job: RunningJob) -> String {
        if job.work?.waitsForWorker == true {
            return "waits for a worker, whose arithmetic decides whether the numbers that were found before hold"
        }
        if job.work?.inspects != nil { return "looks first whether the files of what it needs are sound" }
        guard let other = job.work?.waitsFor, let preliminary = jobs[other] else { return "" }
        let what = preliminary.work?.job.isPilot == true ? "step sizes" : "normalisers"
        return "finds \(what) first: \(preliminary.name), \(Int(100 * status(preliminary).fraction)) %"
            + (preliminary.isPaused ? ", paused" : "") + (strandedNotice(of: preliminary).map { "; " + $0 } ?? "")
    }
}
