/// Who gets which blocks.
extension Scheduler {
    /// Gives a worker what it has room for.
    mutating func grant(to id: WorkerID, _ now: Duration, _ actions: inout [Action]) {
        guard !storageIsFull, let arithmetic = workers[id]?.arithmetic, let party = workers[id]?.party else { return }
        var granted: [Attempt] = []
        var exhausted: Set<JobNumber> = []
        while let job = nextJob(for: id, arithmetic, beside: exhausted, now) {
            let (seconds, waiting) = (jobs[job]?.secondsPerBlock, jobs[job]?.waiting ?? 0)
            let peers = peers(of: arithmetic, for: job)
            let fair = max(1, waiting / (2 * max(1, peers.slots)))
            let room = workers[id]?.room(seconds: seconds, fair: fair, configuration) ?? 0
            // A worker that is full for a job of long blocks may have room for short ones, but they would wait.
            guard room > 0 else { break }
            var taken = 0
            while taken < room, let next = jobs[job]?.next(for: id, of: party, among: peers.workers) {
                let attempt = Attempt(job: job, block: next.block, number: next.number)
                workers[id]?.add(HeldBlock(attempt: attempt, granted: now, estimate: seconds))
                granted.append(attempt)
                taken += 1
            }
            if taken < room { exhausted.insert(job) }
            jobs[job]?.charge(blocks: taken)
        }
        send(granted, to: id, now, &actions)
    }

    private mutating func send(
        _ granted: [Attempt], to id: WorkerID, _ now: Duration, _ actions: inout [Action]
    ) {
        guard !granted.isEmpty, let last = workers[id]?.lastGrant else { return }
        workers[id]?.lastGrant = last + 1
        workers[id]?.lastGranted = now
        actions.append(.grant(id, number: last + 1, granted))
    }

    /// Gives to whoever has a free slot, the emptiest first, so that the end of a job is spread over all. The others
    /// ask by their next result.
    mutating func grantToAll(_ now: Duration, _ actions: inout [Action]) {
        guard !storageIsFull, order.contains(where: { isGrantable($0) }) else { return }
        let free = workers.filter { $0.value.hasFreeSlot }
        let loads = free.map { (id: $0.key, load: Double($0.value.leases.count) / Double($0.value.slots)) }
        for (id, _) in loads.sorted(by: { ($0.load, $0.id) < ($1.load, $1.id) }) { grant(to: id, now, &actions) }
    }

    /// The workers, with their slots, that may run what one of this arithmetic may run of a job.
    private func peers(of arithmetic: Arithmetic, for job: JobNumber) -> (workers: Int, slots: Int) {
        guard let ledger = jobs[job], !ledger.servers.isEmpty else { return groups[arithmetic.program] ?? (1, 1) }
        let peers = workers.values.filter { !$0.isSetAside && ledger.admits($0.arithmetic) }
        return (max(1, peers.count), max(1, peers.reduce(0) { $0 + $1.slots }))
    }

    func isAdmitted(_ id: WorkerID, to job: JobNumber) -> Bool {
        workers[id].map { jobs[job]?.admits($0.arithmetic) == true } ?? false
    }

    private func isGrantable(_ job: JobNumber) -> Bool {
        jobs[job].map { $0.waiting > 0 && !$0.isPaused } ?? false
    }

    /// The job to grant from: of the highest priority that which has got the least for its share.
    private func nextJob(
        for id: WorkerID, _ arithmetic: Arithmetic, beside exhausted: Set<JobNumber>, _ now: Duration
    ) -> JobNumber? {
        var best: (job: JobNumber, priority: Int, served: Double)?
        for job in order {
            guard let ledger = jobs[job], ledger.waiting > 0, !ledger.isPaused, ledger.admits(arithmetic),
                exhausted.isEmpty || !exhausted.contains(job), workers[id]?.rests(from: job, at: now) == false
            else { continue }
            if let best, (best.priority, -best.served) >= (ledger.priority, -ledger.served) { continue }
            best = (job, ledger.priority, ledger.served)
        }
        return best?.job
    }

    /// Finds work for idle workers at the end of a job: blocks that wait behind others are moved, blocks that take
    /// long are run a second time. The first result counts; both are the same bytes.
    mutating func relieve(_ now: Duration, _ actions: inout [Action]) {
        guard !storageIsFull else { return }
        var idle = workers.filter { $0.value.hasFreeSlot }.keys.sorted()
        guard !idle.isEmpty else { return }
        for (id, lease) in stragglers(now) {
            guard
                let place = idle.firstIndex(where: {
                    $0 != id && isAdmitted($0, to: lease.attempt.job)
                        && jobs[lease.attempt.job]?.admits(workers[$0]?.party ?? "", to: lease.attempt.block) == true
                        && workers[$0]?.rests(from: lease.attempt.job, at: now) == false
                        && jobs[lease.attempt.job]?.reporters(of: lease.attempt.block).contains($0) == false
                })
            else { continue }
            let helper = idle[place]
            if lease.started == nil {
                guard takeLease(lease.attempt, from: id, now) else { continue }
                actions.append(.revoke(id, [lease.attempt]))
                giveBack(lease.attempt, by: id, report: nil, now, &actions)
                grant(to: helper, now, &actions)
            } else if let next = jobs[lease.attempt.job]?.double(lease.attempt.block, for: helper) {
                let attempt = Attempt(job: lease.attempt.job, block: next.block, number: next.number)
                workers[helper]?.add(HeldBlock(attempt: attempt, granted: now, estimate: lease.estimate))
                send([attempt], to: helper, now, &actions)
            }
            if workers[helper]?.hasFreeSlot != true { idle.remove(at: place) }
        }
    }

    /// Leases of jobs that have no block waiting, which are late: those that still wait first, then the slowest.
    private func stragglers(_ now: Duration) -> [(WorkerID, HeldBlock)] {
        let ending = Set(order.filter { jobs[$0].map { $0.waiting == $0.waitingChecks && !$0.isPaused } ?? false })
        guard !ending.isEmpty else { return [] }
        var late: [(id: WorkerID, lease: HeldBlock, remaining: Double)] = []
        for id in workers.keys.sorted() {
            for lease in workers[id]?.leases ?? [] where ending.contains(lease.attempt.job) && !lease.isRecalled {
                guard let started = lease.started else {
                    if now - lease.granted > configuration.queuedWork * 2 { late.append((id, lease, .infinity)) }
                    continue
                }
                guard let usual = jobs[lease.attempt.job]?.secondsPerBlock, now - started > configuration.patience,
                    jobs[lease.attempt.job]?.isFitForTwo(lease.attempt.block) == true
                else { continue }
                let elapsed = (now - started) / .seconds(1)
                let remaining =
                    lease.fraction > 0
                    ? elapsed * (1 - lease.fraction) / lease.fraction : Double.greatestFiniteMagnitude
                if elapsed > configuration.straggling * usual, remaining > usual { late.append((id, lease, remaining)) }
            }
        }
        return late.sorted { $0.remaining > $1.remaining }.map { ($0.id, $0.lease) }
    }
}
