/// The worker's side of the pool as a value: events in, actions out, time given.
///
/// A worker that loses its coordinator goes on with what it holds, keeps the results, and tells whoever answers next
/// what it has; results are let go only when the coordinator has stored them. Jobs have numbers of the worker's own.
package struct WorkerSession: Sendable {
    /// What happened.
    package enum Event: Sendable, Equatable {
        /// The coordinator answers the registration of this number.
        case welcomed(registration: UInt32, heartbeat: Duration, silence: Duration)
        case registrationWanted
        case heard
        /// Blocks to run, as the coordinator's grant of this number; they count from 1 after a welcome.
        case leased(grant: UInt64, [Attempt])
        /// The job's blocks must wait: its model files are on their way.
        case preparing(job: JobNumber)
        /// The job's blocks may run.
        case prepared(job: JobNumber)
        /// The job's blocks cannot be run here.
        case unprepared(job: JobNumber)
        /// Blocks to stop; the job's whole if empty.
        case revoked(job: JobNumber, blocks: [Int])
        /// Blocks to hand back with what they have come to.
        case recalled(job: JobNumber, blocks: [Int])
        /// The results of these blocks are stored, or not needed.
        case taken(job: JobNumber, blocks: [Int])
        case drained
        /// A slot is done with the block; `hasResult` if there is one to deliver.
        case ended(Attempt, hasResult: Bool)
        /// The worker was asked to stop.
        case stopped
        case ticked
    }

    /// What to do about it.
    package enum Action: Sendable, Equatable {
        /// Introduce the worker, with this number and these blocks.
        case register(UInt32, holding: [Attempt])
        /// Tell the last grant that came and how many blocks are here.
        case sendHeartbeat(grant: UInt64, holding: Int)
        /// Tell that the block begins. Somebody who is never heard of again may have begun nothing, and what becomes of a
        /// worker counts against blocks only once it has told of one.
        case announce(Attempt)
        /// Run the block in a free slot.
        case start(Attempt)
        /// Stop a block that runs.
        case abandon(Attempt)
        /// Stop a block that runs and report its state; the slot then tells that it has ended.
        case handBack(Attempt)
        /// Report a block as returned that has not run.
        case giveBack(Attempt)
        /// Report that the block cannot be run.
        case refuse(Attempt)
        /// Send the block's result, which is kept until it is taken.
        case deliver(Attempt)
        /// Let go of the block's result.
        case release(Attempt)
        /// Say goodbye and end.
        case leave
    }

    /// A block, whatever the attempt.
    private struct BlockID: Hashable {
        let job: JobNumber
        let block: Int
    }

    /// A result that nobody has confirmed for so many times the silence is offered again: the confirmation may be lost.
    private static let confirmation = 5
    /// How long a worker that leaves waits for its blocks to be handed back.
    private static let farewell = Duration.milliseconds(1_200)

    private let slots: Int
    private let once: Bool
    private var heartbeat: Duration = .seconds(1)
    private var silence: Duration = .seconds(6)
    /// The number of the last registration that was sent.
    private var registration: UInt32 = 0
    private var isRegistered = false
    /// Whether this coordinator was told of a block that runs here.
    private var hasAnnounced = false
    private var lastGrant: UInt64 = 0
    /// When it was asked to stop; nil before.
    private var stoppedAt: Duration?
    private var hasLeft = false
    private var lastHeard: Duration
    /// When a heartbeat or a registration last went out, which the coordinator answers.
    private var lastAsked: Duration
    /// When a result was last offered or confirmed.
    private var lastConfirmed: Duration
    /// How long the answer to a registration is waited for.
    private var patience: Duration = .zero
    private var queue: [Attempt] = []
    private var running: Set<Attempt> = []
    /// Those of them that are being stopped and come to nothing.
    private var abandoned: Set<Attempt> = []
    /// Blocks whose results the coordinator has not confirmed.
    private var untaken: Set<Attempt> = []
    /// Jobs whose blocks stay in the queue for now.
    private var preparing: Set<JobNumber> = []
    private var worked = false
    private var idleSince: Duration

    /// - Parameters:
    ///   - slots: blocks that run side by side.
    ///   - once: leave when there was work and no more has come for two seconds.
    package init(slots: Int, once: Bool = false, at now: Duration) {
        self.slots = slots
        self.once = once
        (lastHeard, lastAsked, lastConfirmed, idleSince) = (now, now, now, now)
    }

    /// The jobs of which there are blocks here, waiting or running.
    package var jobs: Set<JobNumber> { Set(queue.map(\.job)).union(running.map(\.job)) }

    /// Blocks that run, that wait, or whose results are not confirmed, in this order.
    package var holding: [Attempt] { sorted(running.subtracting(abandoned)) + queue + sorted(untaken) }

    /// Takes in one event at time `now`.
    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .welcomed(let number, let heartbeat, let silence):
            welcome(number, heartbeat, silence, now, &actions)
        case .registrationWanted:
            lastHeard = now
            if stoppedAt == nil, isRegistered { register(now, &actions) }
        case .heard:
            lastHeard = now
        case .leased(let grant, let attempts):
            lastHeard = now
            // Grants that answer an earlier registration are void: the coordinator has counted them back.
            guard isRegistered, stoppedAt == nil, grant > lastGrant else { break }
            guard grant == lastGrant + 1 else {
                register(now, &actions)
                break
            }
            lastGrant = grant
            // A grant that was overtaken may bring a block that is here under another number.
            let held = queue + running.subtracting(abandoned) + untaken
            let known = Set(held.map { BlockID(job: $0.job, block: $0.block) })
            queue += attempts.filter { !known.contains(BlockID(job: $0.job, block: $0.block)) }
        case .preparing(let job):
            preparing.insert(job)
        case .prepared(let job):
            preparing.remove(job)
        case .unprepared(let job):
            preparing.remove(job)
            let refused = queue.filter { $0.job == job }
            queue.removeAll { $0.job == job }
            actions += refused.map { .refuse($0) }
            if !refused.isEmpty { (worked, idleSince) = (true, now) }
        case .revoked(let job, let blocks):
            lastHeard = now
            let chosen = choose(job, blocks)
            queue.removeAll(where: chosen)
            let stopped = running.filter(chosen)
            abandoned.formUnion(stopped)
            actions += sorted(stopped).map { .abandon($0) }
        case .recalled(let job, let blocks):
            lastHeard = now
            let chosen = choose(job, blocks)
            actions += queue.filter(chosen).map { .giveBack($0) }
            queue.removeAll(where: chosen)
            actions += sorted(running.filter(chosen)).map { .handBack($0) }
        case .taken(let job, let blocks):
            lastHeard = now
            let taken = untaken.filter { $0.job == job && blocks.contains($0.block) }
            untaken.subtract(taken)
            lastConfirmed = now
            actions += sorted(taken).map { .release($0) }
        case .ended(let attempt, let hasResult):
            running.remove(attempt)
            abandoned.remove(attempt)
            (worked, idleSince) = (true, now)
            if hasResult {
                // A job that was begun anew may have had it leased again while it was being stopped.
                queue.removeAll { $0 == attempt }
                untaken.insert(attempt)
                lastConfirmed = now
                actions.append(.deliver(attempt))
            }
        case .drained, .stopped:
            guard stoppedAt == nil else { break }
            stoppedAt = now
            queue = []
            actions += sorted(running).map { .handBack($0) }
        case .ticked:
            tick(now, &actions)
        }
        while stoppedAt == nil, running.count < slots,
            // The same attempt, of a job that was begun anew, may still be stopping.
            let next = queue.firstIndex(where: { !preparing.contains($0.job) && !running.contains($0) })
        {
            let attempt = queue.remove(at: next)
            running.insert(attempt)
            announce(attempt, &actions)
            actions.append(.start(attempt))
        }
        leaveIfDone(now, &actions)
        return actions
    }

    private func choose(_ job: JobNumber, _ blocks: [Int]) -> (Attempt) -> Bool {
        let blocks = Set(blocks)
        return { $0.job == job && (blocks.isEmpty || blocks.contains($0.block)) }
    }

    private func sorted(_ attempts: Set<Attempt>) -> [Attempt] {
        attempts.sorted { ($0.job, $0.block) < ($1.job, $1.block) }
    }

    private mutating func register(_ now: Duration, _ actions: inout [Action]) {
        registration &+= 1
        // With every try more time for the answer: one that comes after the next try is void.
        patience = patience == .zero ? heartbeat : min(patience * 2, max(heartbeat, silence))
        isRegistered = false
        lastAsked = now
        actions.append(.register(registration, holding: holding))
    }

    private mutating func welcome(
        _ number: UInt32, _ heartbeat: Duration, _ silence: Duration, _ now: Duration, _ actions: inout [Action]
    ) {
        lastHeard = now
        guard number == registration, !isRegistered else { return }
        isRegistered = true
        patience = .zero
        lastGrant = 0
        (self.heartbeat, self.silence) = (heartbeat, silence)
        hasAnnounced = false
        if let attempt = sorted(running.subtracting(abandoned)).first { announce(attempt, &actions) }
        // Whoever welcomes may never have got them.
        deliverAgain(now, &actions)
    }

    private mutating func announce(_ attempt: Attempt, _ actions: inout [Action]) {
        guard !hasAnnounced else { return }
        hasAnnounced = true
        actions.append(.announce(attempt))
    }

    private mutating func deliverAgain(_ now: Duration, _ actions: inout [Action]) {
        lastConfirmed = now
        actions += sorted(untaken).map { .deliver($0) }
    }

    private mutating func tick(_ now: Duration, _ actions: inout [Action]) {
        guard stoppedAt == nil else { return }
        // The coordinator is gone, or has been replaced and does not know this worker.
        if isRegistered, now - lastHeard > silence { isRegistered = false }
        guard isRegistered else {
            if now - lastAsked >= patience { register(now, &actions) }
            return
        }
        // Whatever else is sent: the counts show what was lost on the way, and a heartbeat alone is answered.
        if now - lastAsked >= heartbeat {
            lastAsked = now
            let holding = queue.count + running.count - abandoned.count
            actions.append(.sendHeartbeat(grant: lastGrant, holding: holding))
        }
        if !untaken.isEmpty, now - lastConfirmed > silence * Self.confirmation { deliverAgain(now, &actions) }
        if once, worked, queue.isEmpty, running.isEmpty, untaken.isEmpty, now - idleSince > .seconds(2) {
            stoppedAt = now
        }
    }

    private mutating func leaveIfDone(_ now: Duration, _ actions: inout [Action]) {
        guard let stoppedAt, !hasLeft, running.isEmpty || now - stoppedAt > Self.farewell else { return }
        hasLeft = true
        actions.append(.leave)
    }
}
