/// Results that are computed twice, by different parties, and those who turn out to bring wrong ones.
///
/// A party is who answers for a worker: its key, or the worker itself where there are no keys. Whether two results are the
/// same is not for the scheduler to see: it is told.
extension Scheduler {
    /// A block whose result is there is to come once more, from somebody else than these.
    mutating func verify(_ attempt: Attempt, besides parties: Set<String>, _ now: Duration, _ actions: inout [Action]) {
        jobs[attempt.job]?.check(attempt, besides: parties)
        // While other blocks wait nobody is idle, and each asks by its next result.
        if let ledger = jobs[attempt.job], ledger.waiting == ledger.waitingChecks { grantToAll(now, &actions) }
    }

    /// Takes in a result of a block that is to be compared with the one that is there. - Returns: false if it is none.
    mutating func takeCheck(_ attempt: Attempt, by id: WorkerID, _ now: Duration, _ actions: inout [Action]) -> Bool {
        guard jobs[attempt.job]?.hasChecks == true else { return false }
        let reporters = jobs[attempt.job]?.reporters(of: attempt.block) ?? []
        guard jobs[attempt.job]?.beginComparison(attempt, by: id) == true else { return false }
        actions.append(.compare(attempt))
        blame(reporters.filter { $0 != id }, now, &actions)
        return true
    }

    /// A party has brought what is not so: its workers get no more work, whatever they still bring counts for nothing, and
    /// no more of them are let work.
    mutating func distrust(_ party: String, _ reason: String, _ now: Duration, _ actions: inout [Action]) {
        distrusted[party] = reason
        for id in workers.keys.sorted() where workers[id]?.party == party && workers[id]?.isSetAside == false {
            setAside(id, reason, now, &actions)
        }
        grantToAll(now, &actions)
    }

    /// Whether what a worker brings counts.
    func isTrusted(_ id: WorkerID) -> Bool {
        distrusted.isEmpty || workers[id].map { distrusted[$0.party] == nil } ?? true
    }
}
