import Journal
import PoolCore

/// Everything that the scheduler is told and wants goes through the simulator's own book.
extension History {
    mutating func audit(_ event: Scheduler.Event, _ actions: [Scheduler.Action]) {
        if isLogged {
            if let told = told(event) { log("scheduler is told: \(told)") }
            for action in actions { log("scheduler: \(action)") }
        }
        let group = speaking.map { plan.workers[processes[$0].index].group } ?? ""
        take(event, actions, group)
        checkReports(actions)
        for action in actions { take(action, group) }
    }

    /// What an event says, in an order that is the same each time; nil for what need not be said.
    private func told(_ event: Scheduler.Event) -> String? {
        switch event {
        case .ticked: return nil
        case .verify(let attempt, let parties): return "verify \(attempt), besides \(parties.sorted())"
        case .submitted(let job, let terms, let progress):
            let states = progress.checkpoints.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            return "submitted \(job), \(terms), \(progress.stored.count) stored, states \(states), to be verified "
                + "\(progress.checks.keys.sorted()), group \(progress.group ?? "none"), paused \(progress.isPaused)"
        default: return "\(event)"
        }
    }

    /// A loss tells against what may have run, not against what waited behind it.
    private mutating func checkReports(_ actions: [Scheduler.Action]) {
        for case .forget(let id, _) in actions {
            let slots = peerOf[id].map { plan.workers[processes[$0].index].slots } ?? .max
            let reports = actions.filter { if case .report(_, id, _) = $0 { true } else { false } }
            book.claim(reports.count <= slots, "a loss is held against blocks that only waited")
        }
    }

    private mutating func take(_ event: Scheduler.Event, _ actions: [Scheduler.Action], _ group: String) {
        switch event {
        case .submitted(let number, let terms, let progress):
            guard let job = places[number] else { return book.claim(false, "an unknown job is submitted") }
            book.submitted(job, progress, deadline: terms.timeLimit.map { coordinatorClock + $0 })
        case .cancelled(let number):
            if let job = places[number], book.jobs[job].isOpen { book.ended(job, .cancelled, at: coordinatorClock) }
        case .paused(let number): if let job = places[number] { book.pause(job, true) }
        case .resumed(let number): if let job = places[number] { book.pause(job, false) }
        case .registered(let id, let slots, let group, let holding, let party):
            if let speaking { (workerOf[speaking], peerOf[id]) = (id, speaking) }
            let revoked = actions.flatMap { action -> [Attempt] in
                if case .revoke(id, let attempts) = action { return attempts.compactMap(inPlace) }
                return []
            }
            book.registered(
                id, slots: slots, group: group, party: party, holding: holding.compactMap(inPlace), revoked: revoked,
                at: coordinatorClock)
        case .progressed(let id, let attempt, _):
            if let attempt = inPlace(attempt) { book.heard(of: attempt, from: id) }
        case .checkpointed(let id, let attempt, let steps):
            guard let attempt = inPlace(attempt) else { return }
            book.heard(of: attempt, from: id)
            let job = book.jobs[attempt.job]
            let isWanted =
                job.isOpen && !job.kept[attempt.block] && steps > job.checkpoints[attempt.block]
                && (job.group ?? group) == group && book.isTrusted(id)
            let isKept = actions.contains { if case .keepCheckpoint = $0 { true } else { false } }
            if isWanted, job.group != nil { book.claim(isKept, "a later checkpoint is not kept") }
        case .returned(let id, let attempt), .unable(let id, let attempt, _), .failed(let id, let attempt, _):
            if let attempt = inPlace(attempt) { book.delivered(attempt, by: id) }
        case .finished(let id, let attempt, _):
            guard let attempt = inPlace(attempt) else { return }
            book.heard(of: attempt, from: id)
            book.delivered(attempt, by: id)
        case .lost(let number, let blocks): if let job = places[number] { book.lost(blocks, of: job) }
        case .stateLost(let number, let block): if let job = places[number] { book.lostState(of: block, of: job) }
        case .verify(let attempt, let parties):
            if let attempt = inPlace(attempt) { book.verify(attempt, besides: parties) }
        case .verified(let number, let block): if let job = places[number] { book.verified(block, of: job) }
        case .distrusted(let party, _):
            let liars = peerOf.filter { plan.workers[processes[$0.value].index].lies > 0 }.keys
            book.distrust(party, liars: Set(liars))
        default: break
        }
    }

    private mutating func take(_ action: Scheduler.Action, _ group: String) {
        switch action {
        case .grant(let id, _, let attempts): book.granted(attempts.compactMap(inPlace), to: id, at: coordinatorClock)
        case .revoke(let id, let attempts): book.revoked(attempts.compactMap(inPlace), from: id)
        case .recall(let id, let attempts): book.recalled(attempts.compactMap(inPlace), from: id)
        case .keep(let attempt): if let attempt = inPlace(attempt) { book.kept(attempt, group: group) }
        case .drop(let attempt):
            let isTrusted = speaking.flatMap { workerOf[$0] }.map { book.isTrusted($0) } ?? true
            if isTrusted, let attempt = inPlace(attempt) { book.dropped(attempt, group: group) }
        case .compare(let attempt): if let attempt = inPlace(attempt) { book.compared(attempt) }
        case .pass(let attempt):
            if let id = speaking.flatMap({ workerOf[$0] }), let attempt = inPlace(attempt) {
                book.passed(attempt, by: id)
            }
        case .keepCheckpoint(let attempt, let steps):
            if let attempt = inPlace(attempt) { book.checkpointed(attempt, steps: steps, group: group) }
        case .report(let attempt, let id, let reason):
            guard let attempt = inPlace(attempt) else { return }
            book.reported(attempt, by: id, isSilence: reason.contains("was silent"))
            if reason.hasPrefix("no progress") {
                // Not always this one: while models are on their way, blocks run in another order than granted.
                let process = peerOf[id].map { processes[$0] }
                book.claim(
                    process.map { !$0.isAlive || $0.runs.contains { $0.isHung } } ?? false,
                    "a block is taken for hung at a worker where none is")
            }
        case .jobFinished(let number):
            if let job = places[number] { book.ended(job, .finished, at: coordinatorClock) }
        case .jobFailed(let number, _):
            if let job = places[number] { book.ended(job, .failed, at: coordinatorClock) }
        case .beginAnew(let number): if let job = places[number] { book.abandoned(job, at: coordinatorClock) }
        case .forget(let id, _):
            book.forgot(id)
            if let peer = peerOf.removeValue(forKey: id) { workerOf[peer] = nil }
        case .dismiss(let id, _):
            if let peer = peerOf[id] { book.claim(isSuspect(processes[peer].index), "a good worker is sent home") }
            book.dismissed(id)
        case .registerAgain:
            book.claim(!isQuiet, "a worker has to register again without a cause")
        }
    }

    /// Whether everything that is sent arrives, and in time.
    var isQuiet: Bool { plan.isReliable && plan.faults.allSatisfy(\.fault.leavesConnectionsAlone) }

    /// Whether a worker may be taken for one that fails at what others do: blocks that fail or hang do so for all until
    /// their job is handed in again.
    private func isSuspect(_ index: Int) -> Bool {
        plan.workers[index].fails || plan.workers[index].lies > 0
            || plan.jobs.contains { !$0.poison.isEmpty && $0.isHandedInAgain }
    }
}
