import ContentHash
import CoordinatorCore
import Messaging
import PoolCore

/// Whom the coordinator speaks to, by their identity at its socket.
enum Address {
    case worker(Int)
    case user(Int)

    init?(_ peer: PeerID) {
        guard peer.count == 3 else { return nil }
        let number = Int(peer[1]) << 8 | Int(peer[2])
        self = peer[0] == 1 ? .worker(number) : .user(number)
    }

    var peer: PeerID {
        switch self {
        case .worker(let number): [1, UInt8(number >> 8), UInt8(number & 255)]
        case .user(let number): [2, UInt8(number >> 8), UInt8(number & 255)]
        }
    }
}

/// Messages as the core has them, and as the history has them.
extension History {
    /// In the place of its job in the history; nil for what no job has.
    func inPlace(_ attempt: Attempt) -> Attempt? {
        guard let place = places[attempt.job], 0..<jobs[place].blocks ~= attempt.block else { return nil }
        return Attempt(job: place, block: attempt.block, number: attempt.number)
    }

    private func inPlace(_ id: AttemptID) -> Attempt? { place(of: id.job, id.block, id.attempt) }

    private func place(of job: Digest, _ block: Int, _ number: Int) -> Attempt? {
        identities.firstIndex(of: job).map { Attempt(job: $0, block: block, number: number) }
    }

    func identity(_ attempt: Attempt) -> AttemptID {
        AttemptID(job: identities[attempt.job], block: attempt.block, attempt: attempt.number)
    }

    // MARK: From workers

    func onTheWire(_ message: Message, from peer: Int) -> Messaging.Message? {
        switch message {
        case .registration(let number, let holding):
            let worker = plan.workers[processes[peer].index]
            var registration = Registration(
                session: Address.worker(peer).peer + [UInt8](repeating: 0, count: 13), host: Self.host, process: peer,
                slots: worker.slots, version: "1", fingerprint: worker.group)
            registration.number = number
            registration.holding = holding.map(identity)
            return .registration(registration)
        case .count(let grant, let holding):
            return .heartbeat(lease: grant, holding: holding)
        case .progress(let attempt, let fraction):
            let steps = jobs[attempt.job].steps
            return .progress(
                BlockProgress(
                    attempt: identity(attempt), stepsDone: Int(fraction * Double(steps)),
                    stepsTotal: fraction > 0 ? steps : 0, acceptance: .nan))
        case .checkpoint(let piece): return .checkpoint(piece)
        case .returned(let attempt):
            return .returned(BlockState(attempt: identity(attempt), stepsDone: 0, state: []))
        case .result(let attempt):
            var report = SimulatedJobs.all.report(of: realJobs[attempt.job], identity(attempt))
            // No two lie alike. The same result is the same each time that it is sent.
            if isLie(attempt, of: peer) { report.samples[0] = UInt8(peer % 255 + 1) }
            return .result(report)
        case .failure(let attempt): return .failure(identity(attempt), text: "it failed")
        case .inability(let attempt): return .failure(identity(attempt), text: "it has no room", isInability: true)
        case .goodbye: return .goodbye(reason: "")
        default: return nil
        }
    }

    private func isLie(_ attempt: Attempt, of peer: Int) -> Bool {
        let lies = plan.workers[processes[peer].index].lies
        guard lies > 0 else { return false }
        let place = UInt64((peer * 64 + attempt.job) * 64 + attempt.block)
        var random = SplitMix(seed: plan.seed &+ place &* 0x9E37_79B9_7F4A_7C15)
        return random.happens(lies)
    }

    // MARK: To workers

    /// Sends what the core wants sent, or tells it that the peer is gone.
    mutating func sendToWorker(
        _ message: Messaging.Message, _ process: Int, _ peer: PeerID, _ events: inout [CoordinatorCore.Event]
    ) {
        // A connection ends a while after its process.
        if !processes[process].isAlive, time > processes[process].endedAt + 200_000 {
            return events.append(.undelivered(message, to: peer, isGone: true))
        }
        switch message {
        case .taken(let job, let blocks):
            // What somebody brings who is not trusted is nothing.
            let isTrusted = workerOf[process].map { book.isTrusted($0) } ?? true
            if isTrusted { checkTaken(job, blocks, plan.workers[processes[process].index].group) }
        case .lease(let lease): checkLease(lease)
        default: break
        }
        if let message = inHistory(message) { send(message, peer: process, toWorker: true) }
    }

    private func inHistory(_ message: Messaging.Message) -> Message? {
        switch message {
        case .welcome(_, let number, _, _): return .welcome(number)
        case .registerAgain: return .registerAgain
        case .heartbeat: return .heartbeat
        case .drain: return .dismissal
        case .checkpoint(let state):
            return inPlace(state.attempt).map { .state($0, offset: state.offset, state.state) }
        case .lease(let lease):
            guard let job = identities.firstIndex(of: lease.job) else { return nil }
            return .lease(
                SimulatedLease(
                    number: lease.number, job: job, hasText: !lease.jobText.isEmpty,
                    attempts: lease.blocks.compactMap(inPlace), states: lease.checkpoints,
                    stateBytes: lease.stateBytes))
        case .settled(let id, let bytes): return inPlace(id).map { .settled($0, bytes: bytes) }
        case .revoke(let id, let blocks, let handBack):
            guard let job = identities.firstIndex(of: id) else { return nil }
            return handBack ? .recall(job: job, blocks: blocks) : .revocation(job: job, blocks: blocks)
        case .taken(let id, let blocks):
            return identities.firstIndex(of: id).map { .taken(job: $0, blocks: blocks) }
        default: return nil
        }
    }

    /// A result may be let go that is on the disk, or that nobody wants.
    private mutating func checkTaken(_ id: Digest, _ blocks: [Int], _ group: String) {
        guard let job = identities.firstIndex(of: id), book.jobs[job].isOpen else { return }
        // A result that another is compared with is there, on the disk or on its way.
        for block in blocks where !book.jobs[job].stored[block] && book.jobs[job].checks[block] == nil {
            book.claim((book.jobs[job].group ?? group) != group, "a result is let go that is not stored")
        }
    }

    /// A block goes on from what it has come to.
    private mutating func checkLease(_ lease: Lease) {
        guard let number = places.first(where: { identities[$0.value] == lease.job })?.key else { return }
        // Where results are verified nobody goes on with what another has computed.
        guard plan.verified == 0 else { return }
        for block in lease.blocks.map(\.block) where archive.steps(number, block) > 0 {
            book.claim(
                lease.checkpoints[block] != nil || lease.stateBytes[block] ?? 0 > 0,
                "a block begins from its start that has a checkpoint")
        }
    }
}
