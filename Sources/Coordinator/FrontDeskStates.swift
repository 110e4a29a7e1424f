import Journal
import Messaging
import PoolCore

/// States of blocks on their way: from workers into the journal, and from there to those that go on. A long one travels
/// in pieces, so that nobody has to hold all of it for each worker.
extension FrontDesk {
    /// The most bytes of a state: what a job asks for is checked when it is read, and this is a little more.
    private static let longestState = 1 << 30

    /// Takes in a state, or a piece of one.
    mutating func take(_ state: BlockState, from worker: WorkerID) {
        guard let attempt = attempt(state.attempt), let limits = jobs[state.attempt.job]?.work?.form.limits,
            Double(state.stepsDone) <= limits.steps
        else { return act(on: .heard(worker)) }
        guard state.isWhole || follows(state, attempt, worker) else { return act(on: .heard(worker)) }
        guard !state.isLast else {
            return act(on: .checkpointed(worker, attempt, steps: state.stepsDone), holding: .checkpoint(worker, state))
        }
        archive.ask(
            .piece(attempt, StatePiece(stepsDone: state.stepsDone, offset: state.offset, data: state.state)))
        // A worker whose heartbeats wait behind pieces is to know that they get through.
        if let peer = workers[worker]?.peer { send(.heartbeat(), to: peer) }
        act(on: .heard(worker))
    }

    /// Whether a piece is the next one of a state that is wanted. What follows one that is not taken is not taken either:
    /// there will be another checkpoint.
    private mutating func follows(_ state: BlockState, _ attempt: Attempt, _ worker: WorkerID) -> Bool {
        let expected =
            state.offset == 0 ? Arrival(stepsDone: state.stepsDone, bytes: 0) : workers[worker]?.arriving[attempt]
        workers[worker]?.arriving[attempt] = nil
        guard expected == Arrival(stepsDone: state.stepsDone, bytes: state.offset), scheduler.holds(worker, attempt),
            !state.state.isEmpty, state.state.count <= Self.longestState - state.offset, storageNotice.isEmpty,
            archive.waitingBytes <= Self.mostWaitingBytes
        else { return false }
        if !state.isLast {
            let bytes = state.offset + state.state.count
            workers[worker]?.arriving[attempt] = Arrival(stepsDone: state.stepsDone, bytes: bytes)
        }
        return true
    }

    /// Brings a piece of what a block has come to to the worker that goes on with it; the block follows the last one.
    mutating func bring(_ piece: StatePiece, of attempt: Attempt, to worker: WorkerID) {
        guard let entry = workers[worker], entry.loading.contains(attempt) else { return }
        guard scheduler.holds(worker, attempt), let job = identities[attempt.job] else {
            workers[worker]?.loading.remove(attempt)
            return
        }
        let isWhole = piece.offset == 0 && piece.isLast
        if !isWhole {
            connectionAtHand = entry.connection
            defer { connectionAtHand = nil }
            let state = BlockState(
                attempt: AttemptID(job: job, block: attempt.block, attempt: attempt.number),
                stepsDone: piece.stepsDone, state: piece.data, offset: piece.offset, isLast: piece.isLast)
            guard send(.checkpoint(state), to: entry.peer) == .sent else {
                workers[worker]?.loading.remove(attempt)
                // Its blocks go elsewhere, and its next message makes it register.
                return act(on: .left(worker))
            }
        }
        guard piece.isLast else { return load(attempt, worker, after: piece) }
        workers[worker]?.loading.remove(attempt)
        lease([attempt], to: worker, checkpoint: isWhole ? piece.data : [])
    }

    /// Asks for the next piece once the worker has read most of those before.
    private mutating func load(_ attempt: Attempt, _ worker: WorkerID, after piece: StatePiece) {
        guard let entry = workers[worker] else { return }
        let load = Load(attempt: attempt, worker: worker, piece: piece)
        guard budget.admits(entry.connection, below: 2 * BlockState.longestPiece) else {
            return postponedLoads.append(load)
        }
        // Who reads nothing is not waited for.
        act(on: .supplied(worker))
        archive.ask(.load(attempt, worker, after: piece))
    }

    /// Goes on with what has waited for its worker.
    mutating func loadPostponed() {
        guard !postponedLoads.isEmpty else { return }
        let waiting = postponedLoads
        postponedLoads = []
        for wait in waiting where workers[wait.worker]?.loading.contains(wait.attempt) == true {
            load(wait.attempt, wait.worker, after: wait.piece)
        }
    }
}

/// A state whose next piece waits until its worker has read the ones before.
struct Load {
    let attempt: Attempt
    let worker: WorkerID
    /// The last piece that was sent.
    let piece: StatePiece
}
