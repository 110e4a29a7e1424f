import PoolCore

/// A mistake that a scheduler could have.
public enum PlantedBug: Sendable, CaseIterable {
    /// A result that comes again is stored again.
    case keepsResultsTwice
    /// A result that is on its way to the disk is confirmed already.
    case confirmsBeforeStoring
    /// A job ends when its results are there, stored or not.
    case endsBeforeStoring
    /// Whoever stops as planned is taken for dead.
    case countsPlannedStops
    /// What heartbeats tell of grants and blocks is not looked at.
    case ignoresCounts
    /// After a restart the job starts from nothing.
    case forgetsStoredBlocks
    /// A checkpoint that is late replaces a later one.
    case keepsOlderCheckpoints
    /// Checkpoints are not stored.
    case losesCheckpoints
    /// A pause calls nothing back.
    case losesRecalls
    /// Failures count against nothing: what always fails is tried for ever.
    case forgetsFailures
    /// All workers are taken to compute the same bytes.
    case mixesGroups
    /// Nobody is ever taken to be silent, no block to be hung.
    case neverLooksAtTimers
    /// What is granted to one worker is granted to another as well.
    case grantsTwice
    /// What a worker says that it holds at registration is not believed.
    case forgetsWhatIsHeld
    /// Whoever was granted a block is taken to have begun it.
    case takesGrantsForProgress
    /// What a worker can't run for reasons of its own counts against the block.
    case countsInability
    /// A job whose workers are away for a moment is begun anew.
    case beginsAnewAtOnce
    /// A loss is held against blocks that only waited at the worker, too.
    case reportsWhatWaited
    /// Who has brought a result may be the one to verify it.
    case letsAuthorsVerify
    /// Who brings wrong results goes on.
    case trustsEverybody
}

/// A scheduler with a mistake.
struct FaultyScheduler: Scheduling {
    private let bug: PlantedBug
    private var scheduler: Scheduler
    private var known: Set<WorkerID> = []
    /// Whom blocks were granted to.
    private var holders: [Attempt: WorkerID] = [:]

    init(_ bug: PlantedBug, _ configuration: PoolConfiguration) {
        self.bug = bug
        scheduler = Scheduler(configuration: configuration)
    }

    func view(of id: WorkerID, at now: Duration) -> Scheduler.WorkerView? { scheduler.view(of: id, at: now) }
    func view(of job: JobNumber) -> Scheduler.JobView? { scheduler.view(of: job) }
    func standing(of job: JobNumber, block: Int?) -> Scheduler.Standing? { scheduler.standing(of: job, block: block) }
    func holds(_ id: WorkerID, _ attempt: Attempt) -> Bool { scheduler.holds(id, attempt) }
    var arithmetics: Set<String> { scheduler.arithmetics }
    var capacity: (workers: Int, slots: Int) { scheduler.capacity }

    mutating func handle(_ event: Scheduler.Event, at now: Duration) -> [Scheduler.Action] {
        if case .registered(let id, _, _, _, _) = event { known.insert(id) }
        holders = holders.filter { scheduler.holds($0.value, $0.key) }
        let actions = scheduler.handle(misunderstood(event), at: now).flatMap { spoiled($0, at: now) }
        let reports = bug == .reportsWhatWaited ? reportsOfWhatWaited(beside: actions) : []
        for case .grant(let id, _, let attempts) in actions {
            for attempt in attempts { holders[attempt] = id }
        }
        return actions + reports
    }

    /// For each worker that is lost, with a report on what ran there: the same on all else that it held.
    private func reportsOfWhatWaited(beside actions: [Scheduler.Action]) -> [Scheduler.Action] {
        let lost = Set(actions.compactMap { if case .forget(let id, _) = $0 { id } else { nil } })
        var told: [WorkerID: (attempts: Set<Attempt>, reason: String)] = [:]
        for case .report(let attempt, let id, let reason) in actions where lost.contains(id) {
            told[id, default: ([], reason)].attempts.insert(attempt)
        }
        return told.flatMap { id, ran in
            holders.filter { $0.value == id && !ran.attempts.contains($0.key) }.keys
                .sorted { ($0.job, $0.block) < ($1.job, $1.block) }
                .map { .report($0, id, reason: ran.reason) }
        }
    }

    private func misunderstood(_ event: Scheduler.Event) -> Scheduler.Event {
        switch (bug, event) {
        case (.countsPlannedStops, .left(let id)): .died(id, reason: "it left")
        case (.ignoresCounts, .counted(let id, _, _)): .heard(id)
        case (.forgetsStoredBlocks, .submitted(let job, let terms, _)): .submitted(job, terms)
        case (.forgetsFailures, .failed(let id, let attempt, _)): .returned(id, attempt)
        case (.mixesGroups, .registered(let id, let slots, _, let holding, let party)):
            .registered(id, slots: slots, group: "a", holding: holding, party: party)
        case (.neverLooksAtTimers, .ticked): .storage(isFull: false)
        case (.countsInability, .unable(let id, let attempt, let reason)): .failed(id, attempt, reason: reason)
        case (.forgetsWhatIsHeld, .registered(let id, let slots, let group, _, let party)):
            .registered(id, slots: slots, group: group, party: party)
        case (.letsAuthorsVerify, .verify(let attempt, _)): .verify(attempt, besides: [])
        case (.trustsEverybody, .distrusted): .ticked
        default: event
        }
    }

    private mutating func spoiled(_ action: Scheduler.Action, at now: Duration) -> [Scheduler.Action] {
        switch (bug, action) {
        case (.keepsResultsTwice, .pass(let attempt)): [.keep(attempt)]
        case (.confirmsBeforeStoring, .pass(let attempt)): [.drop(attempt)]
        case (.endsBeforeStoring, .keep(let attempt)):
            [action] + scheduler.handle(.stored(attempt.job, block: attempt.block), at: now)
        case (.keepsOlderCheckpoints, .keepCheckpoint(let attempt, let steps)):
            [action, .keepCheckpoint(attempt, steps: steps - 1)]
        case (.losesCheckpoints, .keepCheckpoint), (.losesRecalls, .recall): []
        case (.takesGrantsForProgress, .grant(let id, _, let attempts)):
            [action] + attempts.flatMap { scheduler.handle(.progressed(id, $0, fraction: 0), at: now) }
        case (.beginsAnewAtOnce, .keep(let attempt)):
            [action, .beginAnew(attempt.job)]
        case (.grantsTwice, .grant(let id, let number, let attempts)):
            [action] + known.filter { $0 != id }.prefix(1).map { .grant($0, number: number, attempts) }
        default: [action]
        }
    }
}
