import ContentHash
import JobFile
import Journal
import Logging
import Messaging
import PoolCore
import RunFolder

/// Doing what the scheduler wants.
extension CoordinatorCore {
    /// What came with the event that the scheduler is asked about.
    enum Parcel {
        case result(WorkerID, BlockReport, BlockRecord)
        case checkpoint(WorkerID, BlockState)
    }

    /// Tells the scheduler what has happened, and does what it wants. What it is told meanwhile waits until that is done.
    mutating func act(on event: Scheduler.Event, holding parcel: Parcel? = nil) {
        guard !isTelling else { return untold.append((event, parcel)) }
        isTelling = true
        var next = Optional((event, parcel))
        while let (event, parcel) = next {
            for action in scheduler.handle(event, at: now) { perform(action, parcel) }
            next = untold.isEmpty ? nil : untold.removeFirst()
        }
        isTelling = false
    }

    private mutating func perform(_ action: Scheduler.Action, _ parcel: Parcel?) {
        switch action {
        case .grant(let worker, let number, let attempts):
            grant(attempts, to: worker, number)
        case .revoke(let worker, let attempts):
            revoke(attempts, at: worker, handBack: false)
        case .recall(let worker, let attempts):
            revoke(attempts, at: worker, handBack: true)
        case .keep(let attempt):
            if case .result(let worker, let report, let record) = parcel { keep(attempt, worker, report, record) }
        case .drop(let attempt):
            // At once: later the block may be with the worker again, as another attempt.
            guard case .result(let worker, _, _) = parcel, let peer = workers[worker]?.peer,
                let job = identities[attempt.job]
            else { return }
            send(.taken(job: job, blocks: [attempt.block]), to: peer)
        case .pass:
            break
        case .compare(let attempt):
            if case .result(let worker, let report, let record) = parcel { compare(attempt, worker, report, record) }
        case .keepCheckpoint(let attempt, let steps):
            guard case .checkpoint(let worker, let state) = parcel, let id = identities[attempt.job] else { return }
            if !state.isOnly { workers[worker]?.arriving = nil }
            let party = configuration.verification == nil ? "" : workers[worker]?.record.party ?? ""
            jobs[id]?.checkpointed[attempt.block] = .init(settled: state.settled, party: party)
            // Only whose state is kept: who is behind may have begun anew, because what is stored is damaged.
            if state.settled > state.start, let peer = workers[worker]?.peer {
                send(.settled(state.attempt, bytes: state.settled), to: peer)
            }
            // Whose arithmetic it is of must be known as well.
            note(state.attempt.job, worker)
            ask(
                .checkpoint(
                    attempt,
                    StoredCheckpoint(
                        attempt: attempt.number, stepsDone: steps, state: state.state, offset: state.offset,
                        start: state.start, settled: state.settled, party: party)))
        case .report(let attempt, let worker, let reason):
            if complaints.admits(.failure) {
                log(.warning, "block \(attempt.block) at worker \(worker): \(reason)")
            }
            ask(
                .note(
                    .report(
                        job: attempt.job, block: attempt.block,
                        FailureReport(attempt: attempt.number, worker: "\(worker)", reason: reason))))
        case .jobFinished(let number):
            finish(number)
        case .jobFailed(let number, let reason):
            if let id = identities[number] { end(id, as: .failed, failure: reason) }
        case .beginAnew(let number):
            if let id = identities[number] { beginAnew(id) }
        case .forget(let worker, let reason):
            if complaints.admits(.departure) { log(.info, "worker \(worker) is gone: \(reason)") }
            abandonState(of: worker)
            if let entry = workers.removeValue(forKey: worker) { workerByPeer[entry.peer] = nil }
        case .dismiss(let worker, let reason):
            log(.error, "worker \(worker) is set aside: \(reason)")
            guard let peer = workers[worker]?.peer else { return }
            send(.drain(reason: "this worker is set aside: \(reason)", exitStatus: 70), to: peer)
        case .registerAgain(let worker):
            guard let peer = workers[worker]?.peer else { return }
            send(.registerAgain(reason: "a message between us was lost"), to: peer)
        }
    }

    private mutating func keep(_ attempt: Attempt, _ worker: WorkerID, _ report: BlockReport, _ record: BlockRecord) {
        guard let id = identities[attempt.job], let origin = origin(worker, for: id) else { return }
        note(id, worker)
        jobs[id]?.count(report, from: origin)
        let isToBeVerified = configuration.verification?.chooses(attempt.block, of: id) == true
        ask(
            .result(
                attempt, worker, record,
                FinishedBlock(
                    attempt: attempt.number, worker: origin.name, seconds: report.seconds,
                    gradientEvaluations: report.gradientEvaluations, isToBeVerified: isToBeVerified)))
        if isToBeVerified { verify(attempt, of: id, by: origin) }
    }

    func origin(_ worker: WorkerID, for id: Digest) -> WorkerDescription? {
        workers[worker]?.record(usingServers: jobs[id]?.work?.job.servers ?? [])
    }

    /// Tells the journal who a worker is that has done something for a job, the first time.
    mutating func note(_ id: Digest, _ worker: WorkerID) {
        guard let record = origin(worker, for: id), let number = jobs[id]?.number, jobs[id]?.meet(record) == true else {
            return
        }
        ask(.note(.worker(job: number, record)))
    }

    private mutating func revoke(_ attempts: [Attempt], at worker: WorkerID, handBack: Bool) {
        guard let entry = workers[worker] else { return }
        // What it was not sent yet is nothing to it.
        let unsent = attempts.filter { entry.loading.contains($0) }
        workers[worker]?.loading.subtract(unsent)
        if handBack { for attempt in unsent { act(on: .returned(worker, attempt)) } }
        let sent = attempts.filter { !entry.loading.contains($0) }
        for (number, group) in Dictionary(grouping: sent, by: \.job).sorted(by: { $0.key < $1.key }) {
            guard let job = identities[number] else { continue }
            send(.revoke(job: job, blocks: group.map(\.block), handBack: handBack), to: entry.peer)
        }
    }

    /// Blocks could not be sent to a worker.
    mutating func unsent(_ blocks: [AttemptID], to worker: WorkerID, isGone: Bool) {
        // One that takes nothing in now: its blocks go elsewhere, and its next message makes it register.
        guard isGone else { return act(on: .left(worker)) }
        // What it has said before may not have been read yet: its goodbye for instance.
        let since = workers[worker]?.goneSince ?? now
        workers[worker]?.goneSince = since
        for attempt in blocks.compactMap(attempt) {
            workers[worker]?.loading.remove(attempt)
            act(on: .unable(worker, attempt, reason: "its connection is gone"))
        }
    }

    /// Workers whose connections are gone, and who have not said goodbye, have vanished.
    mutating func watchConnections() {
        let gone = workers.filter { $0.value.goneSince.map { now - $0 > Self.goodbyeDelay } ?? false }
        for worker in gone.keys.sorted() {
            act(on: .vanished(worker, reason: "the connection to worker \(worker) is gone"))
        }
    }

    /// What a peer has sent is read within this time after its connection is gone.
    private static let goodbyeDelay = Duration.seconds(1)

    private mutating func grant(_ attempts: [Attempt], to worker: WorkerID, _ number: UInt64) {
        workers[worker]?.lastGrant = number
        for (job, group) in Dictionary(grouping: attempts, by: \.job).sorted(by: { $0.key < $1.key }) {
            guard let isBegun = identities[job].flatMap({ jobs[$0]?.checkpointed.isEmpty == false }) else { continue }
            // What a block has come to is on the disk.
            let begun = isBegun ? group.filter { goesOn($0, at: worker) } : []
            for attempt in begun { deliver(Delivery([attempt], to: worker, .state(after: nil), since: now)) }
            let fresh = begun.isEmpty ? group : group.filter { !begun.contains($0) }
            if !fresh.isEmpty { lease(fresh, to: worker) }
        }
    }

    /// Sends blocks of one job to a worker, or has them wait until it has read what it was sent before.
    ///
    /// - Parameters:
    ///   - checkpoint: what they have come to, if it is one block that has begun.
    ///   - stateBytes: the bytes of that, if it went before in pieces.
    mutating func lease(
        _ attempts: [Attempt], to worker: WorkerID, checkpoint: [UInt8] = [], stateBytes: Int = 0
    ) {
        guard let entry = workers[worker], let first = attempts.first, let id = identities[first.job],
            let job = jobs[id], let work = job.work
        else { return }
        guard
            checkpoint.isEmpty && entry.knownJobs.contains(id)
                || admits(entry.line, below: configuration.memory.unreadOfWorker)
        else {
            // A state is read again then: it is not kept for who does not read.
            let content: Delivery.Content = checkpoint.isEmpty ? .lease(stateBytes: stateBytes) : .state(after: nil)
            return deliver(Delivery(attempts, to: worker, content, since: now))
        }
        let number = entry.lastLease + 1
        workers[worker]?.lastLease = number
        let isNew = workers[worker]?.knownJobs.insert(id).inserted == true
        let message = Lease(
            job: id, jobText: isNew ? Array(work.job.canonicalText.utf8) : [], textDigest: work.textDigest,
            blocks: attempts.map { AttemptID(job: id, block: $0.block, attempt: $0.number) },
            checkpoints: checkpoint.isEmpty ? [:] : [first.block: checkpoint],
            stateBytes: stateBytes == 0 ? [:] : [first.block: stateBytes], number: number,
            checkpointInterval: job.terms.checkpointInterval ?? configuration.checkpointInterval)
        send(.lease(message), to: entry.peer, over: entry.line)
    }
}
