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

    private mutating func setAside(
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
        guard let worker = workers[id], !worker.isSetAside, var group = groups[worker.group] else { return }
        group.workers -= 1
        group.slots -= worker.slots
        groups[worker.group] = group.workers == 0 ? nil : group
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
        if groups[worker.group] == nil {
            for job in order where jobs[job]?.group == worker.group { jobs[job]?.unbind() }
        }
    }

    /// Looks at every timer.
    mutating func sweep(_ now: Duration, _ actions: inout [Action]) {
        guard now - lastSweep >= .milliseconds(100) else { return }
        lastSweep = now
        for job in order {
            if let deadline = jobs[job]?.deadline, now > deadline {
                end(job, now, &actions)
                actions.append(.jobFailed(job, reason: "its time limit is over"))
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
            return lose(id, report: reason, reason: reason, now, &actions)
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
