import PoolCore

/// The coordinator's side: the scheduler, its store, and who is on the line.
extension History {
    var coordinatorClock: Duration { .microseconds(time + ahead) }

    /// Whether it hears and speaks now.
    private var isThere: Bool { isUp && time >= coordinatorFrozenUntil }

    // MARK: Users.

    /// A user hands a job in, and again until it is accepted.
    mutating func submit(_ job: JobNumber) {
        guard !journal.jobs[job].isAccepted else { return }
        guard isThere else { return queue.add(.submit(job), at: time + 500_000) }
        guard accepting.insert(job).inserted else { return }
        journal.waiting.append(.accepted(job))
        wake()
    }

    /// A user tells what they want of a job, and again until it is on the disk.
    mutating func command(_ job: JobNumber) {
        guard isThere, journal.jobs[job].isAccepted else {
            return queue.add(.command(job), at: time + 500_000)
        }
        guard book.jobs[job].isOpen else { return }
        if wantsCancelled[job] {
            book.ended(job, .cancelled, at: coordinatorClock)
            journal.waiting.append(.ended(job, .cancelled))
            perform(schedule(.cancelled(job)))
        } else {
            if wantsPaused[job] != book.jobs[job].isPaused {
                let holders = book.holders(of: job)
                book.pause(job, wantsPaused[job])
                journal.waiting.append(.paused(job, wantsPaused[job]))
                perform(schedule(wantsPaused[job] ? .paused(job) : .resumed(job)))
                pauses[job] += 1
                if wantsPaused[job], plan.isGentle, plan.isReliable {
                    let way = 2 * (plan.network.latency + plan.network.jitter) + plan.stopTime + 50_000
                    queue.add(.checkPause(job, life: life, pause: pauses[job], holders), at: time + way)
                }
            }
            journal.waiting.append(.prioritized(job, wantsPriority[job]))
            perform(schedule(.prioritized(job, wantsPriority[job])))
        }
        wake()
    }

    /// As long after a pause as a recall, a hand-back and its report take, whoever ran the job has handed it back.
    mutating func checkPause(_ job: JobNumber, _ life: Int, _ pause: Int, _ holders: Set<WorkerID>) {
        guard life == self.life, pause == pauses[job], book.jobs[job].isOpen else { return }
        guard isThere else {
            let later = coordinatorFrozenUntil + 1_000_000
            return queue.add(.checkPause(job, life: life, pause: pause, holders), at: later)
        }
        // One that was granted and never arrived is missed later, and runs nowhere.
        let runs = holders.compactMap { peerOf[$0] }.flatMap { processes[$0].runs }
        book.claim(!runs.contains { $0.attempt.job == job }, "a paused job still runs")
    }

    // MARK: Life and death.

    mutating func coordinatorTick(_ life: Int) {
        guard isUp, life == self.life else { return }
        perform(schedule(.ticked))
        queue.add(.coordinatorTick(life: life), at: time + 250_000)
    }

    mutating func stopCoordinator(down: Int, isPlanned: Bool) {
        guard isThere else { return }
        if isPlanned, !diskIsFull {
            if !isFlushing { _ = journal.begin() }
            store()
            if journal.begin() { store() }
        }
        for entry in journal.crash(reachesDisk: random.below(2) == 0) { note(entry) }
        isUp = false
        life += 1
        book.forgetLife()
        (workerOf, peerOf, nextWorker, accepting) = ([:], [:], 1, [])
        (isFlushing, knowsDiskIsFull) = (false, false)
        queue.add(.startCoordinator, at: end(of: down))
    }

    mutating func startCoordinator() {
        isUp = true
        scheduler = makeScheduler(plan.configuration)
        for job in journal.order where journal.jobs[job].outcome == nil { handToScheduler(job) }
        for job in plan.jobs.indices {
            if !journal.jobs[job].isAccepted {
                if plan.jobs[job].time < time { queue.add(.submit(job), at: time + 500_000) }
            } else {
                queue.add(.command(job), at: time + 500_000)
            }
        }
        for (peer, message) in mailbox { queue.add(.toCoordinator(peer: peer, message), at: time) }
        mailbox = []
        queue.add(.coordinatorTick(life: life), at: time)
    }

    private mutating func handToScheduler(_ job: JobNumber) {
        let planned = plan.jobs[job]
        let terms = JobTerms(
            blocks: planned.blocks, priority: journal.jobs[job].priority ?? planned.priority, share: planned.share,
            timeLimit: planned.timeLimit.map { .microseconds($0) })
        let progress = journal.jobs[job].progress
        book.submitted(job, progress, deadline: terms.timeLimit.map { coordinatorClock + $0 })
        perform(schedule(.submitted(job, terms, progress)))
    }

    // MARK: The store.

    /// There is something to write.
    private mutating func wake() {
        guard !isFlushing, !journal.waiting.isEmpty else { return }
        isFlushing = true
        queue.add(.flush(life: life), at: time + plan.flushEvery)
    }

    mutating func flush(_ life: Int) {
        guard life == self.life else { return }
        if diskIsFull {
            isFlushing = false
            if !knowsDiskIsFull {
                knowsDiskIsFull = true
                perform(schedule(.storage(isFull: true)))
            }
            return
        }
        if journal.begin() { queue.add(.flushed(life: life), at: time + plan.flushTime) } else { isFlushing = false }
    }

    mutating func flushed(_ life: Int) {
        guard life == self.life else { return }
        isFlushing = false
        store()
        wake()
    }

    mutating func emptyDisk() {
        diskIsFull = false
        guard isUp, knowsDiskIsFull else { return }
        knowsDiskIsFull = false
        perform(schedule(.storage(isFull: false)))
        wake()
    }

    /// The write is done: whoever waits for it is told.
    private mutating func store() {
        for entry in journal.complete() {
            note(entry)
            switch entry {
            case .accepted(let job):
                if !book.jobs[job].isOpen, journal.jobs[job].outcome == nil { handToScheduler(job) }
            case .result(let attempt, _, let peer):
                perform(schedule(.stored(attempt.job, block: attempt.block)))
                send(.taken(job: attempt.job, block: attempt.block), peer: peer, toWorker: true)
            case .ended(let job, .failed):
                guard plan.jobs[job].isHandedInAgain, !wasHandedInAgain[job] else { break }
                wasHandedInAgain[job] = true
                journal.waiting.append(.handedInAgain(job))
                wake()
            case .thrownAway(let job):
                lostAt[job] = [:]
                handToScheduler(job)
                // What was wanted of it meanwhile had nobody to hear it.
                queue.add(.command(job), at: time)
            case .handedInAgain(let job):
                handToScheduler(job)
                // It may have been paused or resumed while there was nothing to tell it to.
                queue.add(.command(job), at: time)
            default: break
            }
        }
    }

    private mutating func note(_ entry: Journal.Entry) {
        switch entry {
        case .result(let attempt, _, _): book.reached(disk: attempt)
        case .thrownAway(let job): book.thrownAway(job)
        default: break
        }
    }

    // MARK: Messages.

    mutating func coordinatorReceives(_ message: Message, from peer: Int) {
        guard isUp else {
            // What the sockets hold waits for the next life, unless the connection is lost as well.
            if plan.isGentle || random.below(2) == 0 { mailbox.append((peer, message)) }
            return
        }
        if case .registration(let number, let holding) = message { return register(peer, number, holding) }
        guard let id = workerOf[peer] else {
            if case .goodbye = message { return }
            send(.registerAgain, peer: peer, toWorker: true)
            return
        }
        let group = plan.workers[processes[peer].index].group
        switch message {
        case .count(let grant, let holding):
            perform(schedule(.counted(id, grant: grant, holding: holding)))
            send(.heartbeat, peer: peer, toWorker: true)
        case .progress(let attempt, let fraction):
            book.heard(of: attempt, from: id)
            perform(schedule(.progressed(id, attempt, fraction: fraction)))
        case .checkpoint(let attempt, let steps):
            book.heard(of: attempt, from: id)
            let before = book.jobs[attempt.job]
            let wanted =
                before.isOpen && !before.kept[attempt.block] && steps > before.checkpoints[attempt.block]
                && before.group == group
            perform(schedule(.checkpointed(id, attempt, steps: steps)), group: group)
            if wanted {
                book.claim(book.jobs[attempt.job].checkpoints[attempt.block] == steps, "a later checkpoint is not kept")
            }
        case .returned(let attempt):
            book.delivered(attempt, by: id)
            perform(schedule(.returned(id, attempt)))
        case .result(let attempt):
            book.heard(of: attempt, from: id)
            book.delivered(attempt, by: id)
            perform(schedule(.finished(id, attempt)), group: group, peer: peer)
        case .inability(let attempt):
            book.delivered(attempt, by: id)
            perform(schedule(.unable(id, attempt, reason: "it has no room")))
        case .failure(let attempt):
            book.delivered(attempt, by: id)
            perform(schedule(.failed(id, attempt, reason: "it failed")))
        case .goodbye:
            perform(schedule(.left(id)))
        default: break
        }
        book.compare(with: scheduler, at: coordinatorClock)
    }

    private mutating func register(_ peer: Int, _ number: UInt32, _ holding: [Attempt]) {
        let id: WorkerID
        if let known = workerOf[peer] {
            id = known
        } else {
            id = nextWorker
            nextWorker += 1
            workerOf[peer] = id
            peerOf[id] = peer
        }
        let worker = plan.workers[processes[peer].index]
        send(.welcome(number), peer: peer, toWorker: true)
        let actions = schedule(.registered(id, slots: worker.slots, group: worker.group, holding: holding))
        let revoked = actions.flatMap { action -> [Attempt] in
            if case .revoke(id, let attempts) = action { return attempts }
            return []
        }
        book.registered(
            id, slots: worker.slots, group: worker.group, holding: holding, revoked: revoked, at: coordinatorClock)
        perform(actions)
    }

    /// The process of a peer is known to be dead.
    mutating func died(_ peer: Int) {
        guard isThere, let id = workerOf[peer] else { return }
        perform(schedule(.died(id, reason: "killed")))
    }

    // MARK: The scheduler.

    private mutating func schedule(_ event: Scheduler.Event) -> [Scheduler.Action] {
        outcome.events += 1
        return scheduler.handle(event, at: coordinatorClock)
    }

    /// - Parameters:
    ///   - group: the arithmetic of whoever has sent what may be kept.
    ///   - peer: who it is.
    private mutating func perform(_ actions: [Scheduler.Action], group: String = "", peer: Int = 0) {
        for action in actions {
            if isLogged { log("scheduler: \(action)") }
            switch action {
            case .grant(let id, let number, let attempts):
                book.granted(attempts, to: id, at: coordinatorClock)
                guard let peer = peerOf[id] else { continue }
                let checkpoints = attempts.map { journal.jobs[$0.job].progress.checkpoints[$0.block] ?? 0 }
                send(.lease(grant: number, attempts, checkpoints: checkpoints), peer: peer, toWorker: true)
            case .revoke(let id, let attempts):
                book.revoked(attempts, from: id)
                sendByJob(attempts, to: id) { .revocation(job: $0, blocks: $1) }
            case .recall(let id, let attempts):
                book.recalled(attempts, from: id)
                sendByJob(attempts, to: id) { .recall(job: $0, blocks: $1) }
            case .keep(let attempt):
                book.kept(attempt, group: group)
                journal.waiting.append(.result(attempt, group: group, peer: peer))
            case .drop(let attempt):
                book.dropped(attempt, group: group)
                send(.taken(job: attempt.job, block: attempt.block), peer: peer, toWorker: true)
            case .pass(let attempt):
                if let id = workerOf[peer] { book.passed(attempt, by: id) }
            case .keepCheckpoint(let attempt, let steps):
                book.checkpointed(attempt, steps: steps, group: group)
                journal.waiting.append(.checkpoint(attempt, steps: steps, group: group))
            case .report(let attempt, let id, let reason):
                book.reported(attempt, by: id, isSilence: reason.contains("was silent"))
                if reason.hasPrefix("no progress") {
                    // Not always this one: while models are on their way, blocks run in another order than granted.
                    let process = peerOf[id].map { processes[$0] }
                    book.claim(
                        process.map { !$0.isAlive || $0.runs.contains { $0.isHung } } ?? false,
                        "a block is taken for hung at a worker where none is")
                }
                journal.waiting.append(.report(attempt, reason: reason))
            case .jobFinished(let job):
                book.ended(job, .finished, at: coordinatorClock)
                journal.waiting.append(.ended(job, .finished))
            case .jobFailed(let job, _):
                book.ended(job, .failed, at: coordinatorClock)
                journal.waiting.append(.ended(job, .failed))
            case .beginAnew(let job):
                book.abandoned(job, at: coordinatorClock)
                journal.waiting.append(.thrownAway(job))
            case .forget(let id, _):
                book.forgot(id)
                if let peer = peerOf.removeValue(forKey: id) { workerOf[peer] = nil }
            case .dismiss(let id, _):
                guard let peer = peerOf[id] else { continue }
                book.claim(
                    isSuspect(processes[peer].index), "a good worker is sent home")
                book.dismissed(id)
                send(.dismissal, peer: peer, toWorker: true)
            case .registerAgain(let id):
                if let peer = peerOf[id] { send(.registerAgain, peer: peer, toWorker: true) }
            }
        }
        wake()
        book.compare(with: scheduler, at: coordinatorClock)
    }

    /// Whether a worker may be taken for one that fails at what others do: blocks that fail or hang do so for all until
    /// their job is handed in again.
    private func isSuspect(_ index: Int) -> Bool {
        plan.workers[index].fails || plan.jobs.contains { !$0.poison.isEmpty && $0.isHandedInAgain }
    }

    private mutating func sendByJob(
        _ attempts: [Attempt], to id: WorkerID, _ message: (JobNumber, [Int]) -> Message
    ) {
        guard let peer = peerOf[id] else { return }
        for job in Set(attempts.map(\.job)).sorted() {
            send(message(job, attempts.filter { $0.job == job }.map(\.block)), peer: peer, toWorker: true)
        }
    }
}
