/// The worker's side of the pool as a value: events in, actions out, time given.
public struct WorkerSession: Sendable {
    /// What happened. `Item` of a lease is whatever the worker needs to run a block.
    public enum Event: Sendable, Equatable {
        case welcomed(heartbeat: Duration, silence: Duration)
        case registrationWanted
        case heard
        case leased([BlockKey])
        /// The job's blocks must wait: its model files are on their way.
        case preparing(job: String)
        /// The job's blocks may run.
        case prepared(job: String)
        /// The job's blocks cannot be run here.
        case unprepared(job: String)
        /// Blocks to stop; the job's whole if empty.
        case revoked(job: String, blocks: [Int])
        case drained
        /// A slot is done with the block, for better or worse.
        case ended(BlockKey)
        /// Something was sent, which is a heartbeat.
        case sent
        /// The worker was asked to stop.
        case stopped
        case ticked
    }

    /// What to do about it.
    public enum Action: Sendable, Equatable {
        case register
        case sendHeartbeat
        /// Run the block in a free slot.
        case start(BlockKey)
        /// Stop a block that runs.
        case abandon(BlockKey)
        /// Report that the block cannot be run.
        case refuse(BlockKey)
        /// Say goodbye, returning these, and end.
        case leave(returning: [BlockKey])
    }

    /// One attempt at a block, by the job's identity.
    public struct BlockKey: Hashable, Sendable {
        /// The job's hash, in hexadecimal digits.
        public let job: String
        /// The block's number within the job.
        public let block: Int
        /// Counted from 1.
        public let attempt: Int

        public init(job: String, block: Int, attempt: Int) {
            self.job = job
            self.block = block
            self.attempt = attempt
        }
    }

    private let slots: Int
    private let once: Bool
    private var heartbeat: Duration = .seconds(1)
    private var silence: Duration = .seconds(6)
    private var registered = false
    private var leaving = false
    private var lastSent: Duration
    private var lastHeard: Duration
    /// When a heartbeat last went out, which the coordinator answers.
    private var lastAsked: Duration
    private var queue: [BlockKey] = []
    private var running: Set<BlockKey> = []
    /// Jobs whose blocks stay in the queue for now.
    private var preparing: Set<String> = []
    private var worked = false
    private var idleSince: Duration

    /// - Parameters:
    ///   - slots: blocks that run side by side.
    ///   - once: leave when there was work and no more has come for two seconds.
    public init(slots: Int, once: Bool = false, at now: Duration) {
        self.slots = slots
        self.once = once
        (lastSent, lastHeard, lastAsked, idleSince) = (now, now, now, now)
    }

    /// The jobs of which there are blocks here, waiting or running.
    public var jobs: Set<String> { Set(queue.map(\.job)).union(running.map(\.job)) }

    /// Takes in one event at time `now`.
    public mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .welcomed(let heartbeat, let silence):
            (registered, lastHeard) = (true, now)
            (self.heartbeat, self.silence) = (heartbeat, silence)
        case .registrationWanted where leaving:
            break
        case .registrationWanted:
            lastHeard = now
            forgetLeases(&actions)
            (registered, lastSent) = (false, now)
            actions.append(.register)
        case .heard:
            lastHeard = now
        case .leased(let keys):
            lastHeard = now
            queue += keys
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
            let revoked: (BlockKey) -> Bool = { $0.job == job && (blocks.isEmpty || blocks.contains($0.block)) }
            queue.removeAll(where: revoked)
            actions += running.filter(revoked).sorted { $0.block < $1.block }.map { .abandon($0) }
        case .ended(let key):
            running.remove(key)
            (worked, idleSince) = (true, now)
        case .sent:
            lastSent = now
        case .drained, .stopped:
            if !leaving {
                leaving = true
                let held = queue + running.sorted { $0.block < $1.block }
                queue = []
                actions.append(.leave(returning: held))
            }
        case .ticked:
            tick(now, &actions)
        }
        while !leaving, running.count < slots, let next = queue.firstIndex(where: { !preparing.contains($0.job) }) {
            let key = queue.remove(at: next)
            running.insert(key)
            actions.append(.start(key))
        }
        return actions
    }

    private mutating func tick(_ now: Duration, _ actions: inout [Action]) {
        guard !leaving else { return }
        if registered, now - lastHeard > silence {
            // The coordinator is gone or has been replaced: what it leased out it has leased out again.
            registered = false
            forgetLeases(&actions)
        }
        // Reports of progress are not answered: a worker that sends nothing else would take the coordinator for silent.
        if now - lastSent >= heartbeat || registered && now - max(lastHeard, lastAsked) >= heartbeat {
            (lastSent, lastAsked) = (now, now)
            actions.append(registered ? .sendHeartbeat : .register)
        }
        if once, worked, queue.isEmpty, running.isEmpty, now - idleSince > .seconds(2) {
            leaving = true
            actions.append(.leave(returning: []))
        }
    }

    private mutating func forgetLeases(_ actions: inout [Action]) {
        queue = []
        actions += running.sorted { $0.block < $1.block }.map { .abandon($0) }
    }
}
