/// What becomes of blocks that are lost, and of workers and jobs that fail.
extension Scheduler {
    /// Puts a block back into its job's queue, or sets it aside.
    mutating func giveBack(
        _ attempt: Attempt, by id: WorkerID, report: String?, _ now: Duration, _ actions: inout [Action]
    ) {
        if let report, jobs[attempt.job] != nil { actions.append(.report(attempt, id, reason: report)) }
        let isLast =
            jobs[attempt.job]?.giveBack(attempt, by: id, report: report, limit: configuration.crashLimit) ?? false
        if isLast { settle(attempt.job, now, &actions) }
    }

    mutating func fail(
        _ attempt: Attempt, by id: WorkerID, _ reason: String, _ now: Duration, _ actions: inout [Action]
    ) {
        guard takeLease(attempt, from: id, now) else { return }
        giveBack(attempt, by: id, report: reason, now, &actions)
        grant(to: id, now, &actions)
    }

    /// Takes a block back from a worker that can't run it, and lets it rest from the job: others may be able to, and
    /// what is in the way there may be gone one day.
    mutating func excuse(
        _ attempt: Attempt, by id: WorkerID, _ reason: String, _ now: Duration, _ actions: inout [Action]
    ) {
        guard takeLease(attempt, from: id, now) else { return }
        workers[id]?.rest(from: attempt.job, reason, at: now, configuration)
        giveBack(attempt, by: id, report: nil, now, &actions)
        grant(to: id, now, &actions)
    }

    /// A block came to its end that these workers had failed at, so it was not the block.
    mutating func blame(_ reporters: [WorkerID], _ now: Duration, _ actions: inout [Action]) {
        for id in reporters {
            workers[id]?.failures += 1
            guard let worker = workers[id], worker.failures >= configuration.crashLimit, !worker.isSetAside else {
                continue
            }
            setAside(id, "it failed at \(worker.failures) blocks that others have finished", now, &actions)
        }
    }

    mutating func setAside(
        _ id: WorkerID, _ reason: String, _ now: Duration, _ actions: inout [Action]
    ) {
        leaveGroup(id)
        workers[id]?.dismissal = reason
        for lease in workers[id]?.leases ?? [] {
            if takeLease(lease.attempt, from: id, now) { giveBack(lease.attempt, by: id, report: nil, now, &actions) }
        }
        actions.append(.dismiss(id, reason: reason))
    }

    private mutating func leaveGroup(_ id: WorkerID) {
        guard let worker = workers[id], !worker.isSetAside else { return }
        let program = worker.arithmetic.program
        guard var group = groups[program] else { return }
        group.workers -= 1
        group.slots -= worker.slots
        groups[program] = group.workers == 0 ? nil : group
    }

    /// - Parameter report: what is held against the blocks that ran; nil for a planned stop.
    mutating func lose(
        _ id: WorkerID, report: String?, reason: String, _ now: Duration, _ actions: inout [Action]
    ) {
        leaveGroup(id)
        guard let worker = workers.removeValue(forKey: id) else { return }
        actions.append(.forget(id, reason: reason))
        for (index, lease) in worker.leases.enumerated() {
            // Only what ran can have taken the worker down, not what waited behind it.
            giveBack(lease.attempt, by: id, report: index < worker.slots ? report : nil, now, &actions)
        }
    }

    /// Silence proves something against a block only if the worker is known to have computed: one that registers and
    /// is never heard of again may not have begun.
    mutating func loseSight(of id: WorkerID, _ reason: String, _ now: Duration, _ actions: inout [Action]) {
        lose(id, report: workers[id]?.hasComputed == true ? reason : nil, reason: reason, now, &actions)
    }

    /// Ties a job to the arithmetic of the first thing that is kept of it: what workers of another have begun of it is
    /// called back.
    mutating func bind(_ job: JobNumber, to arithmetic: Arithmetic, _ now: Duration, _ actions: inout [Action]) {
        // Whoever brought it may have been sent home, and so be of an arithmetic of which there is nobody else.
        guard jobs[job]?.bind(to: arithmetic) == true,
            groups.keys.contains(where: { $0 != arithmetic.program }) || jobs[job]?.servers.isEmpty == false
        else { return }
        for id in workers.keys.sorted() where !isAdmitted(id, to: job) {
            let strange = workers[id]?.leases.map(\.attempt).filter { $0.job == job } ?? []
            for attempt in strange where takeLease(attempt, from: id, now) {
                giveBack(attempt, by: id, report: nil, now, &actions)
            }
            if !strange.isEmpty { actions.append(.revoke(id, strange)) }
        }
    }

    /// A job of whose arithmetic no worker is left, while there are others that could run it, begins anew after a while if
    /// hardly anything is lost by that.
    private mutating func watchOrphan(_ job: JobNumber, _ now: Duration, _ actions: inout [Action]) {
        guard let ledger = jobs[job], !ledger.isPaused, let arithmetic = ledger.arithmetic, !isPresent(arithmetic),
            hasServers(of: job)
        else {
            jobs[job]?.orphanedSince = nil
            return
        }
        let since = ledger.orphanedSince ?? now
        jobs[job]?.orphanedSince = since
        guard now - since > configuration.orphanhood, ledger.isHardlyBegun else { return }
        end(job, now, &actions)
        actions.append(.beginAnew(job))
    }

    /// Looks at every timer.
    mutating func sweep(_ now: Duration, _ actions: inout [Action]) {
        guard now - lastSweep >= .milliseconds(100) else { return }
        lastSweep = now
        for job in order {
            if let deadline = jobs[job]?.deadline, now > deadline {
                end(job, now, &actions)
                actions.append(.jobFailed(job, reason: "its time limit is over"))
            } else {
                watchOrphan(job, now, &actions)
            }
        }
        for id in workers.keys.sorted() { expire(id, now, &actions) }
        grantToAll(now, &actions)
        relieve(now, &actions)
    }

    private mutating func expire(_ id: WorkerID, _ now: Duration, _ actions: inout [Action]) {
        guard let worker = workers[id] else { return }
        let silence = now - worker.lastHeard
        if silence > configuration.silence {
            let reason = "worker \(id) was silent for \(silence)"
            return loseSight(of: id, reason, now, &actions)
        }
        // Only what runs can hang, not what waits behind it.
        let hung = worker.leases.prefix(worker.slots).filter {
            now - max($0.progress ?? $0.started ?? now, worker.lastSupplied) > configuration.stall
        }
        for attempt in hung.map(\.attempt) where takeLease(attempt, from: id, now) {
            actions.append(.revoke(id, [attempt]))
            giveBack(attempt, by: id, report: "no progress at worker \(id)", now, &actions)
        }
    }
}
