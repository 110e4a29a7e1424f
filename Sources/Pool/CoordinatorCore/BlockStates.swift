import ContentHash
import Journal
import Logging
import Messaging
import PoolCore

/// States of blocks on their way: from workers into the journal, and from there to those that go on. A long one travels
/// in pieces, so that nobody has to hold all of it for each worker.
extension CoordinatorCore {
    /// A worker that has read nothing for this part of the time after which a block counts as hung is not waited for.
    private static let patience = 0.5

    // MARK: From a worker

    /// Takes in a state, or a piece of one.
    mutating func take(_ state: BlockState, from worker: WorkerID) {
        guard let attempt = attempt(state.attempt), let limits = jobs[state.attempt.job]?.work?.form.limits,
            Double(state.stepsDone) <= limits.steps, state.state.count <= limits.stateBytes - state.offset,
            isStored(state.start, of: state, worker), state.isOnly || follows(state, attempt, worker)
        else { return act(on: .heard(worker)) }
        guard !state.isLast else {
            act(on: .checkpointed(worker, attempt, steps: state.stepsDone), holding: .checkpoint(worker, state))
            // One that is not kept leaves no pieces behind.
            if !state.isOnly { abandonState(of: worker) }
            return
        }
        ask(
            .piece(
                attempt,
                StatePiece(
                    stepsDone: state.stepsDone, offset: state.offset, data: state.state, isFirst: state.isFirst)))
        // A worker whose heartbeats wait behind pieces is to know that they get through.
        if let peer = workers[worker]?.peer { send(.heartbeat(), to: peer) }
        act(on: .heard(worker))
    }

    /// Whether what a worker leaves out at the start of a state is stored; it is told if it is not.
    private mutating func isStored(_ start: Int, of state: BlockState, _ worker: WorkerID) -> Bool {
        let mark = jobs[state.attempt.job]?.checkpointed[state.attempt.block]
        // What another party has begun is nothing to go on with where results are verified.
        let isStrange = configuration.verification != nil && mark?.party != workers[worker]?.record.party
        let stored = isStrange ? 0 : mark?.settled ?? 0
        guard start > stored else { return true }
        if let peer = workers[worker]?.peer { send(.settled(state.attempt, bytes: stored), to: peer) }
        return false
    }

    /// Whether a piece is the next one of a state that is wanted. What follows one that is not taken is not taken either:
    /// there will be another checkpoint.
    private mutating func follows(_ state: BlockState, _ attempt: Attempt, _ worker: WorkerID) -> Bool {
        if state.isFirst {
            abandonState(of: worker)
            workers[worker]?.arriving = Arrival(
                attempt: attempt, stepsDone: state.stepsDone, start: state.start, end: state.start)
        }
        let arrived = workers.values.reduce(0) { $0 + ($1.arriving?.bytes ?? 0) }
        // A state that is longer than the limit is taken when no other is on its way: no later one would be shorter.
        let isAlone = arrived == workers[worker]?.arriving?.bytes
        guard
            workers[worker]?.arriving
                == Arrival(attempt: attempt, stepsDone: state.stepsDone, start: state.start, end: state.offset),
            scheduler.holds(worker, attempt), !state.state.isEmpty, isStorageReady,
            isAlone || arrived + state.state.count <= configuration.memory.unfinishedStates
        else {
            abandonState(of: worker)
            return false
        }
        workers[worker]?.arriving?.end += state.state.count
        return true
    }

    /// What has come of the state that is on its way from a worker goes: its end will not come.
    mutating func abandonState(of worker: WorkerID) {
        guard let arrival = workers[worker]?.arriving else { return }
        workers[worker]?.arriving = nil
        let (job, block) = (arrival.attempt.job, arrival.attempt.block)
        guard arrival.bytes > 0, identities[job] != nil else { return }
        ask(.note(.stateAbandoned(job: job, block: block, attempt: arrival.attempt.number)))
    }

    // MARK: To a worker

    /// Sends a worker something once it has read most of what it was sent before.
    mutating func deliver(_ delivery: Delivery) {
        workers[delivery.worker]?.loading.formUnion(delivery.attempts)
        deliveries.append(delivery)
    }

    /// Goes on with what waits for its worker.
    mutating func deliver() {
        guard !deliveries.isEmpty else { return }
        let waiting = deliveries
        deliveries = []
        for delivery in waiting { deliverIfRead(delivery) }
    }

    private mutating func deliverIfRead(_ delivery: Delivery) {
        let worker = delivery.worker
        let attempts = delivery.attempts.filter { workers[worker]?.loading.contains($0) == true }
        let held = attempts.filter { scheduler.holds(worker, $0) }
        workers[worker]?.loading.subtract(attempts.filter { !held.contains($0) })
        guard let entry = workers[worker], let first = held.first else { return }
        let most = delivery.isState ? configuration.memory.unreadOfStates : configuration.memory.unreadOfWorker
        guard admits(entry.line, below: most) else {
            guard now - delivery.since < configuration.pool.stall * Self.patience else { return act(on: .left(worker)) }
            return deliveries.append(delivery)
        }
        switch delivery.content {
        case .state(let after):
            guard !entry.isLoading else { return deliveries.append(delivery) }
            workers[worker]?.isLoading = true
            // Who reads nothing is not waited for.
            act(on: .supplied(worker))
            ask(.load(first, worker, after: after))
        case .lease(let stateBytes):
            // A late checkpoint of an earlier attempt may have come while the block waited.
            let begun = stateBytes > 0 ? [] : held.filter { goesOn($0, at: worker) }
            for attempt in begun { deliver(Delivery([attempt], to: worker, .state(after: nil), since: delivery.since)) }
            let fresh = held.filter { !begun.contains($0) }
            guard !fresh.isEmpty else { return }
            workers[worker]?.loading.subtract(fresh)
            act(on: .sent(worker))
            lease(fresh, to: worker, stateBytes: stateBytes)
        }
    }

    /// Brings a piece of what a block has come to to the worker that goes on with it; the block follows the last one.
    ///
    /// - Parameter piece: nil if there is none.
    mutating func bring(_ piece: StatePiece?, of attempt: Attempt, to worker: WorkerID) {
        workers[worker]?.isLoading = false
        guard let entry = workers[worker], entry.loading.contains(attempt) else { return }
        guard scheduler.holds(worker, attempt), let job = identities[attempt.job] else {
            workers[worker]?.loading.remove(attempt)
            return
        }
        if piece == nil {
            log(
                .error,
                "block \(attempt.block) of job \(job.hex.prefix(8)) begins from its start: what it has come to is lost")
            jobs[job]?.checkpointed[attempt.block] = nil
            act(on: .stateLost(attempt.job, block: attempt.block))
        }
        // An empty one takes the place of what has come before.
        let piece = piece ?? StatePiece(stepsDone: 0, offset: 0, data: [], isLast: true)
        let isWhole = piece.offset == 0 && piece.isLast && !piece.data.isEmpty
        if !isWhole {
            let state = BlockState(
                attempt: AttemptID(job: job, block: attempt.block, attempt: attempt.number),
                stepsDone: piece.stepsDone, state: piece.data, offset: piece.offset, isLast: piece.isLast)
            send(.checkpoint(state), to: entry.peer, over: entry.line)
        }
        guard piece.isLast else {
            let next = Delivery([attempt], to: worker, .state(after: piece), since: now)
            // The pieces of a state come one after the other.
            return deliveries.insert(next, at: 0)
        }
        workers[worker]?.loading.remove(attempt)
        act(on: .sent(worker))
        lease(
            [attempt], to: worker, checkpoint: isWhole ? piece.data : [],
            stateBytes: isWhole ? 0 : piece.offset + piece.data.count)
    }
}

/// What waits until its worker has read what it was sent.
struct Delivery {
    enum Content {
        /// What the block has come to, or what follows a piece of it, from the archive.
        case state(after: StatePiece?)
        /// The blocks, of which one has a state of so many bytes that went before.
        case lease(stateBytes: Int)
    }

    let attempts: [Attempt]
    let worker: WorkerID
    let content: Content
    /// When it began to wait.
    let since: Duration

    init(_ attempts: [Attempt], to worker: WorkerID, _ content: Content, since: Duration) {
        (self.attempts, self.worker, self.content, self.since) = (attempts, worker, content, since)
    }

    var isState: Bool { if case .state = content { true } else { false } }
}
