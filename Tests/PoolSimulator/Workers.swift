import Messaging
import PoolCore

/// The workers' side: sessions, and slots that take time.
extension History {
    mutating func startWorker(_ index: Int) {
        guard current[index] == nil else { return }
        let peer = processes.count
        let slots = plan.workers[index].slots
        processes.append(WorkerProcess(index: index, session: WorkerSession(slots: slots, at: .microseconds(time))))
        current[index] = peer
        queue.add(.workerTick(peer: peer), at: time)
    }

    /// A process is gone, with all that was in it; another may follow.
    mutating func kill(_ peer: Int, down: Int) {
        guard processes[peer].isAlive else { return }
        let group = plan.workers[processes[peer].index].group
        for run in processes[peer].runs where book.jobs[run.attempt.job].group == group {
            lostAt[run.attempt.job][run.attempt.block] = progress(of: run, at: peer)
        }
        end(peer, down: down)
    }

    private mutating func end(_ peer: Int, down: Int) {
        processes[peer].isAlive = false
        processes[peer].endedAt = time
        processes[peer].runs = []
        current[processes[peer].index] = nil
        queue.add(.startWorker(processes[peer].index), at: isCalm ? time + down : end(of: down))
    }

    // MARK: Messages.

    mutating func workerReceives(_ message: Message, at peer: Int) {
        switch message {
        case .welcome(let number):
            let configuration = plan.configuration
            (processes[peer].arriving, processes[peer].settled) = ([:], [:])
            tell(
                peer,
                .welcomed(registration: number, heartbeat: configuration.heartbeat, silence: configuration.silence))
        case .registerAgain: tell(peer, .registrationWanted)
        case .state(let attempt, let offset, let bytes):
            let before = offset == 0 ? [] : processes[peer].arriving.removeValue(forKey: attempt)
            if let before, before.count == offset { processes[peer].arriving[attempt] = before + bytes }
            tell(peer, .heard)
        case .lease(let lease): take(lease, at: peer)
        case .revocation(let job, let blocks):
            // All of a job: it is over.
            if blocks.isEmpty { processes[peer].texts.remove(job) }
            tell(peer, .revoked(job: job, blocks: blocks))
        case .recall(let job, let blocks): tell(peer, .recalled(job: job, blocks: blocks))
        case .settled(let attempt, let bytes):
            if processes[peer].runs.contains(where: { $0.attempt == attempt }) {
                processes[peer].settled[attempt] = bytes
            }
            tell(peer, .heard)
        case .taken(let job, let blocks): tell(peer, .taken(job: job, blocks: blocks))
        case .heartbeat: tell(peer, .heard)
        case .dismissal:
            processes[peer].isDismissed = true
            tell(peer, .drained)
        default: break
        }
    }

    private mutating func take(_ lease: SimulatedLease, at peer: Int) {
        if lease.hasText { processes[peer].texts.insert(lease.job) }
        // Whoever registers is sent the texts, and the states, again.
        guard processes[peer].texts.contains(lease.job) else { return tell(peer, .registrationWanted) }
        let states = lease.attempts.map { processes[peer].arriving.removeValue(forKey: $0) ?? [] }
        let isWhole = zip(lease.attempts, states).allSatisfy { $1.count == lease.stateBytes[$0.block] ?? $1.count }
        guard isWhole else {
            book.claim(!plan.isReliable || !plan.isGentle, "a state arrives with a piece missing")
            return tell(peer, .registrationWanted)
        }
        for (attempt, state) in zip(lease.attempts, states) {
            let state = lease.states[attempt.block] ?? state
            let steps = SimulatedState.steps(state)
            book.claim(
                state.isEmpty || state == SimulatedState.bytes(steps: steps, pieces: jobs[attempt.job].pieces),
                "a block goes on from a state that none has come to")
            processes[peer].checkpoints[attempt] = steps
        }
        if !processes[peer].models.contains(lease.job) {
            tell(peer, .preparing(job: lease.job))
            queue.add(.prepared(peer: peer, lease.job), at: time + plan.network.latency * 4)
        }
        tell(peer, .leased(grant: lease.number, lease.attempts))
    }

    mutating func tell(_ peer: Int, _ event: WorkerSession.Event) {
        outcome.events += 1
        let now = Duration.microseconds(time + processes[peer].ahead)
        for action in processes[peer].session.handle(event, at: now) {
            if isLogged { log("worker \(peer): \(action)") }
            switch action {
            case .register(let number, let holding):
                let isPrompt = plan.network.latency < 100_000
                book.claim(number == 1 || !isPrompt || !isQuiet, "a worker registers again without a cause")
                post(.registration(number, holding: holding), from: peer)
            case .sendHeartbeat(let grant, let holding): post(.count(grant: grant, holding: holding), from: peer)
            case .announce(let attempt): post(.progress(attempt, fraction: 0), from: peer)
            case .start(let attempt): start(attempt, at: peer)
            case .abandon(let attempt): halt(attempt, at: peer, returned: false)
            case .handBack(let attempt): halt(attempt, at: peer, returned: true)
            case .giveBack(let attempt): post(.returned(attempt), from: peer)
            case .refuse(let attempt): post(.failure(attempt), from: peer)
            case .deliver(let attempt): post(.result(attempt), from: peer)
            case .release: break
            case .leave:
                post(.goodbye, from: peer)
                // One that was sent home stays there: it is no use.
                if processes[peer].isDismissed {
                    processes[peer].isAlive = false
                    processes[peer].endedAt = time
                } else {
                    end(peer, down: 300_000)
                }
            }
        }
    }

    private mutating func post(_ message: Message, from peer: Int) { send(message, peer: peer, toWorker: false) }

    private mutating func postState(_ attempt: Attempt, steps: Int, from peer: Int) {
        let pieces = jobs[attempt.job].pieces
        let state = BlockState(
            attempt: identity(attempt), stepsDone: steps, state: SimulatedState.bytes(steps: steps, pieces: pieces),
            settled: SimulatedState.settled(steps: steps, pieces: pieces))
        for piece in state.pieces(from: processes[peer].settled[attempt] ?? 0, atMost: SimulatedState.pieceBytes) {
            post(.checkpoint(piece), from: peer)
        }
    }

    // MARK: Slots.

    private mutating func start(_ attempt: Attempt, at peer: Int) {
        let process = processes[peer]
        book.claim(
            process.runs.count < plan.workers[process.index].slots, "a worker runs more blocks than it has slots")
        book.claim(
            !process.runs.contains { $0.attempt == attempt && !$0.isStopping }, "a worker runs an attempt twice")
        let steps = process.checkpoints[attempt] ?? 0
        checkLoss(attempt, steps)
        processes[peer].settled[attempt] = SimulatedState.settled(steps: steps, pieces: jobs[attempt.job].pieces)
        processes[peer].runs.append(.init(attempt: attempt, number: nextRun, step: steps, since: time))
        nextRun += 1
        planStep(processes[peer].runs.count - 1, at: peer)
    }

    /// A block goes on where its worker was lost, but for one interval and what was on its way.
    private mutating func checkLoss(_ attempt: Attempt, _ steps: Int) {
        guard let before = lostAt[attempt.job].removeValue(forKey: attempt.block) else { return }
        guard plan.isReliable, plan.verified == 0, plan.faults.allSatisfy({ $0.fault.leavesTheStoreAlone }) else {
            return
        }
        let job = jobs[attempt.job]
        let fastest = max(1, job.stepTime * (plan.workers.map(\.pace).min() ?? 100) / 100)
        let delay = plan.network.latency + plan.network.jitter + 2 * (plan.flushEvery + plan.flushTime)
        book.claim(before - steps <= job.interval + delay / fastest + 1, "more than an interval's work is lost")
    }

    /// The steps that a run has behind it now.
    private func progress(of run: WorkerProcess.Run, at peer: Int) -> Int {
        guard !run.isHung else { return run.step }
        let job = jobs[run.attempt.job]
        return min(job.steps - 1, run.step + (time - run.since) / stepTime(of: run.attempt.job, at: peer))
    }

    private func stepTime(of job: JobNumber, at peer: Int) -> Int {
        max(1, jobs[job].stepTime * plan.workers[processes[peer].index].pace / 100)
    }

    /// What is wrong with a block, until its job is handed in again.
    private func poison(of attempt: Attempt) -> (kind: HistoryPlan.Poison, step: Int)? {
        guard !wasHandedInAgain[attempt.job] else { return nil }
        return jobs[attempt.job].poison[attempt.block].map { ($0.0, $0.step) }
    }

    /// The next thing to happen in a slot: a checkpoint, the end, or what is wrong with the block.
    private func nextStop(_ run: WorkerProcess.Run) -> Int {
        let job = jobs[run.attempt.job]
        let checkpoint = min(job.steps, (run.step / job.interval + 1) * job.interval)
        guard let poison = poison(of: run.attempt), poison.step >= run.step else { return checkpoint }
        return min(checkpoint, poison.step)
    }

    private mutating func planStep(_ place: Int, at peer: Int) {
        let run = processes[peer].runs[place]
        let steps = nextStop(run) - run.step
        let duration = max(1, steps * stepTime(of: run.attempt.job, at: peer))
        queue.add(.step(peer: peer, run: run.number), at: time + duration)
    }

    mutating func step(_ peer: Int, _ number: Int) {
        guard let place = processes[peer].runs.firstIndex(where: { $0.number == number }) else { return }
        var run = processes[peer].runs[place]
        guard !run.isStopping else { return }
        (run.step, run.since) = (nextStop(run), time)
        processes[peer].runs[place] = run
        let job = jobs[run.attempt.job]
        let worker = plan.workers[processes[peer].index]
        if worker.fails { return finish(peer, place, .failure(run.attempt)) }
        if time < worker.unableUntil { return finish(peer, place, .inability(run.attempt)) }
        if let poison = poison(of: run.attempt), poison.step == run.step {
            switch poison.kind {
            case .kills:
                kill(peer, down: 300_000)
                if random.below(2) == 0 { died(peer) }
            case .fails: finish(peer, place, .failure(run.attempt))
            case .hangs: processes[peer].runs[place].isHung = true
            }
            return
        }
        if run.step >= job.steps { return finish(peer, place) }
        postState(run.attempt, steps: run.step, from: peer)
        post(.progress(run.attempt, fraction: Double(run.step) / Double(job.steps)), from: peer)
        planStep(place, at: peer)
    }

    /// - Parameter complaint: what is sent in place of a result.
    private mutating func finish(_ peer: Int, _ place: Int, _ complaint: Message? = nil) {
        let attempt = processes[peer].runs.remove(at: place).attempt
        if let complaint { post(complaint, from: peer) }
        tell(peer, .ended(attempt, hasResult: complaint == nil))
    }

    private mutating func halt(_ attempt: Attempt, at peer: Int, returned: Bool) {
        guard let place = processes[peer].runs.firstIndex(where: { $0.attempt == attempt }) else { return }
        // A hung block does not hear that it is to hand itself back; to be abandoned it need not.
        if processes[peer].runs[place].isHung, returned { return }
        let run = processes[peer].runs[place]
        queue.add(.stopped(peer: peer, run: run.number, returned: returned), at: time + plan.stopTime)
    }

    mutating func stopped(_ peer: Int, _ number: Int, _ returned: Bool) {
        guard let place = processes[peer].runs.firstIndex(where: { $0.number == number }) else { return }
        let run = processes[peer].runs.remove(at: place)
        if returned {
            let steps = progress(of: run, at: peer)
            if steps > run.step || steps > 0 { postState(run.attempt, steps: steps, from: peer) }
            post(.returned(run.attempt), from: peer)
        }
        tell(peer, .ended(run.attempt, hasResult: false))
    }
}
