/// How scheduler and workers come to agree on what is held.
extension Scheduler {
    mutating func register(
        _ id: WorkerID, slots: Int, _ group: String, _ holding: [Attempt], _ party: String, _ now: Duration,
        _ actions: inout [Action]
    ) {
        let arithmetic = Arithmetic(group)
        if workers[id] == nil {
            workers[id] = WorkerRecord(
                slots: slots, arithmetic: arithmetic, party: party.isEmpty ? "\(id)" : party, at: now)
            groups[arithmetic.program, default: (0, 0)].workers += 1
            groups[arithmetic.program, default: (0, 0)].slots += slots
        } else if let known = workers[id]?.arithmetic, known != arithmetic, known.program == arithmetic.program {
            // What was in the way may be gone with it.
            workers[id]?.arithmetic = arithmetic
            workers[id]?.rests = [:]
        }
        workers[id]?.lastHeard = now
        workers[id]?.lastTaken = now
        workers[id]?.lastGrant = 0
        if let reason = workers[id]?.dismissal { return actions.append(.dismiss(id, reason: reason)) }
        if let reason = workers[id].flatMap({ distrusted[$0.party] }) { return setAside(id, reason, now, &actions) }
        let (held, known) = (Set(holding), Set(workers[id]?.leases.map(\.attempt) ?? []))
        for attempt in workers[id]?.leases.map(\.attempt) ?? [] where !held.contains(attempt) {
            if takeLease(attempt, from: id, now) { giveBack(attempt, by: id, report: nil, now, &actions) }
        }
        // The result of a block that is done may still be wanted, its run is not.
        let unwanted = holding.filter { !known.contains($0) && !adopt($0, by: id, arithmetic, now) }
        if !unwanted.isEmpty { actions.append(.revoke(id, unwanted)) }
        let paused = Set(order.filter { jobs[$0]?.isPaused == true })
        recall(from: id, now, &actions) { paused.contains($0.attempt.job) }
        grant(to: id, now, &actions)
    }

    /// - Returns: false if the block is not wanted from this worker.
    private mutating func adopt(_ attempt: Attempt, by id: WorkerID, _ arithmetic: Arithmetic, _ now: Duration) -> Bool
    {
        guard workers[id].map({ $0.leases.count < configuration.mostHeld }) == true,
            jobs[attempt.job]?.admits(arithmetic) == true, jobs[attempt.job]?.adopt(attempt, by: id) == true
        else { return false }
        workers[id]?.add(HeldBlock(attempt: attempt, granted: now, estimate: jobs[attempt.job]?.secondsPerBlock))
        return true
    }

    /// Compares what a worker holds with what it was given, and repeats what it seems to have missed.
    mutating func count(
        _ id: WorkerID, _ grant: UInt64, _ holding: Int, _ now: Duration, _ actions: inout [Action]
    ) {
        guard let worker = workers[id] else { return }
        // While grants are on their way the counts can't agree; who has got the last one and lacks an earlier one
        // registers by itself.
        let since = grant == worker.lastGrant ? worker.lastTaken : worker.lastGranted
        guard now - since > configuration.settling else { return }
        if grant != worker.lastGrant || holding != worker.leases.count {
            workers[id]?.lastGranted = now
            workers[id]?.lastTaken = now
            actions.append(.registerAgain(id))
        } else {
            recall(from: id, now, &actions) { $0.isRecalled }
        }
    }

    mutating func recall(_ job: JobNumber, _ now: Duration, _ actions: inout [Action]) {
        for id in workers.keys.sorted() { recall(from: id, now, &actions) { $0.attempt.job == job && !$0.isRecalled } }
    }

    private mutating func recall(
        from id: WorkerID, _ now: Duration, _ actions: inout [Action], where isWanted: (HeldBlock) -> Bool
    ) {
        let held = workers[id]?.leases.filter(isWanted).map(\.attempt) ?? []
        guard !held.isEmpty else { return }
        for attempt in held { workers[id]?.recall(attempt) }
        workers[id]?.lastTaken = now
        actions.append(.recall(id, held))
    }
}
