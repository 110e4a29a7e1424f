extension HistoryPlan {
    /// The shortest plan that can be found in which the same invariant breaks.
    public func shrunk(planting bug: PlantedBug? = nil) -> HistoryPlan {
        guard let invariant = Self.invariant(outcome(planting: bug).broken) else { return self }
        var best = self
        var tries = 2_000
        func attempt(_ change: (inout HistoryPlan) -> Void) -> Bool {
            guard tries > 0 else { return false }
            tries -= 1
            var candidate = best
            change(&candidate)
            guard Self.invariant(candidate.outcome(planting: bug).broken) == invariant else { return false }
            best = candidate
            return true
        }
        var hasShrunk = true
        while hasShrunk, tries > 0 {
            hasShrunk = false
            // Whole stretches of faults first, then half as long ones.
            var length = max(1, best.faults.count)
            while length > 0 {
                var start = 0
                while start < best.faults.count {
                    let end = min(start + length, best.faults.count)
                    if attempt({ $0.faults.removeSubrange(start..<end) }) { hasShrunk = true } else { start = end }
                }
                length /= 2
            }
            for simpler in HistoryPlan.simplifications(of: best) where attempt(simpler) { hasShrunk = true }
        }
        return best
    }

    /// Without when it was.
    private static func invariant(_ broken: String?) -> String? {
        broken.map { $0.split(separator: ": ").dropFirst().joined().filter { !$0.isNumber } }
    }
}

extension HistoryPlan {
    /// Changes that make a history shorter or plainer.
    static func simplifications(of plan: HistoryPlan) -> [(inout HistoryPlan) -> Void] {
        var changes: [(inout HistoryPlan) -> Void] = [
            { $0.network.lost = 0 }, { $0.network.repeated = 0 }, { $0.network.reordered = 0 },
            { $0.network.jitter = 0 }, { $0.network.latency = 1_000 },
            { $0.calm = max($0.calm / 2, ($0.faults.last?.time ?? 0) + 1) },
        ]
        // The last job and the last worker go first: the faults name them by number.
        if plan.jobs.count > 1 {
            changes.append { plan in
                let last = plan.jobs.count - 1
                plan.jobs.removeLast()
                plan.faults.removeAll { $0.fault.job == last }
            }
        }
        if plan.workers.count > 1 {
            changes.append { plan in
                let last = plan.workers.count - 1
                plan.workers.removeLast()
                plan.faults.removeAll { $0.fault.worker == last }
            }
        }
        for job in plan.jobs.indices {
            for less in [plan.jobs[job].blocks / 2, plan.jobs[job].blocks - 1] where less > 0 {
                changes.append { plan in
                    guard plan.jobs.indices.contains(job), plan.jobs[job].blocks > less else { return }
                    plan.jobs[job].blocks = less
                    plan.jobs[job].poison = plan.jobs[job].poison.filter { $0.key < less }
                }
            }
            changes.append { if $0.jobs.indices.contains(job) { $0.jobs[job].poison = [:] } }
        }
        for worker in plan.workers.indices where plan.workers[worker].slots > 1 {
            changes.append { if $0.workers.indices.contains(worker) { $0.workers[worker].slots = 1 } }
        }
        return changes
    }
}

extension HistoryPlan.Fault {
    var job: Int? {
        switch self {
        case .cancel(let job), .pause(let job, _), .prioritize(let job, _): job
        default: nil
        }
    }

    var worker: Int? {
        switch self {
        case .crash(let worker, _, _), .stop(let worker, _), .freeze(let worker, _), .partition(let worker, _): worker
        case .jump(let worker, _): worker
        default: nil
        }
    }
}
