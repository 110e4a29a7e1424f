import ContentHash
import EnergyModels
import JobFile
import Logging
import Messaging
import ModelTransfer
import PoolCore

/// The thread's own side of a worker: the connection, the session, what waits to be sent and results that the
/// coordinator has not taken yet.
struct CoordinatorLink {
    private let socket: DealerSocket
    /// The coordinator's address.
    private let address: String
    private let hasKeys: Bool
    /// Why connecting failed last, since something was heard.
    private var rejection: Rejection?
    private let slots: SlotThreads
    private var supply: JobSupply
    private var session: WorkerSession
    private var registration: Registration
    /// The model servers that are ready.
    private var offered: [OfferedServer] = []
    private let logger: Logger
    private var report = ConnectionReport(at: .zero)
    private var outbox = Outbox()
    private(set) var hasLeft = false
    /// What the process should end with.
    private(set) var exitStatus: Int32 = 0
    private var blocksRun = 0

    /// Jobs by the number that the session knows them by.
    private var jobs: [JobNumber: Digest] = [:]
    private var numbers: [Digest: JobNumber] = [:]
    private var checkpointIntervals: [JobNumber: Duration] = [:]
    /// What blocks that wait have come to elsewhere.
    private var checkpoints: [Attempt: [UInt8]] = [:]
    /// Long states that come before their blocks.
    private var arriving: [AttemptID: [UInt8]] = [:]
    /// Bytes at the start of the states of blocks that run which the coordinator has stored.
    private var settled: [AttemptID: Int] = [:]
    /// What was last told of blocks that run.
    private var progress: [AttemptID: BlockProgress] = [:]
    /// When those were last told of again that are within a long step.
    private var lastSigns = Duration.zero
    private static let betweenSigns = Duration.seconds(10)
    /// Messages with results that are not taken yet.
    private var results: [Attempt: [UInt8]] = [:]
    /// Why the blocks that are being refused cannot run.
    private var trouble = JobSupply.Trouble(reason: "", isInability: false)
    private let clock = ContinuousClock()
    private let start = ContinuousClock().now

    init(
        socket: DealerSocket, address: String, hasKeys: Bool, slots: SlotThreads, supply: JobSupply,
        session: WorkerSession,
        registration: Registration, logger: Logger
    ) {
        self.socket = socket
        (self.address, self.hasKeys) = (address, hasKeys)
        self.slots = slots
        self.supply = supply
        self.session = session
        self.registration = registration
        self.logger = logger
    }

    private var now: Duration { clock.now - start }

    // MARK: The connection

    /// Waits until a message is there, somebody calls, or a timer may be due.
    func wait(for wakeup: borrowing Wakeup) throws {
        try socket.wait(for: wakeup, atMost: outbox.isEmpty ? .milliseconds(100) : .milliseconds(5))
    }

    /// Takes in the messages that are there. - Throws: ``RejectedWorker`` once connecting is in vain.
    mutating func receive() throws {
        if let rejection = try socket.rejection() {
            self.rejection = rejection
            if rejection.isFinal { throw RejectedWorker(description: rejection.text(at: address, hasKeys: hasKeys)) }
        }
        while let bytes = try socket.receive() { take(bytes) }
    }

    /// Looks at every timer.
    mutating func tick() {
        handle(.ticked)
        if now - lastSigns >= Self.betweenSigns {
            lastSigns = now
            for id in slots.signsOfLife() { send(.progress(progress[id] ?? .beginning(id)), as: .progress(id)) }
        }
        tell(report.ticked(at: now))
    }

    private func tell(_ line: ConnectionReport.Line?) {
        switch line {
        case .registered(let worker):
            logger.notice("registered as worker \(worker) at \(address)")
        case .unanswered(let time):
            logger.warning("no coordinator has answered at \(address) for \(time.components.seconds) s; trying on")
            if let rejection { logger.warning("\(rejection.text(at: address, hasKeys: hasKeys))") }
        case nil:
            break
        }
    }

    mutating func flush() throws {
        let socket = socket
        try outbox.flush { try socket.send($0) }
    }

    /// Asks for the next pieces of model files, once what was to be sent before is gone.
    mutating func requestModels() {
        guard outbox.isEmpty else { return }
        for request in supply.requests(at: now) { send(request) }
    }

    private mutating func send(_ message: Message, as kind: Outbox.Kind = .statement) {
        outbox.add(message.encoded(), as: kind)
    }

    // MARK: The session's wishes

    mutating func handle(_ event: WorkerSession.Event) {
        for action in session.handle(event, at: now) { perform(action) }
    }

    private mutating func perform(_ action: WorkerSession.Action) {
        switch action {
        case .register(let number, let holding):
            registration.servers = offered
            registration.number = number
            registration.holding = holding.compactMap(identity)
            send(.registration(registration), as: .registration)
        case .sendHeartbeat(let grant, let holding):
            send(.heartbeat(lease: grant, holding: holding), as: .heartbeat)
        case .announce(let attempt):
            guard let id = identity(attempt) else { return }
            send(.progress(.beginning(id)), as: .progress(id))
        case .start(let attempt):
            begin(attempt)
        case .abandon(let attempt):
            if let id = identity(attempt) { slots.abandon(id) }
        case .handBack(let attempt):
            if let id = identity(attempt) { slots.handBack(id) }
        case .giveBack(let attempt):
            checkpoints[attempt] = nil
            if let id = identity(attempt) { send(.returned(BlockState(attempt: id, stepsDone: 0, state: []))) }
        case .refuse(let attempt):
            checkpoints[attempt] = nil
            if let id = identity(attempt) { refuse(id, trouble) }
        case .deliver(let attempt):
            guard let id = identity(attempt), let result = results[attempt] else { return }
            outbox.add(result, as: .result(id))
        case .release(let attempt):
            results[attempt] = nil
        case .leave:
            logger.info("leaving after \(blocksRun) blocks")
            send(.goodbye(reason: "stopped"))
            hasLeft = true
        }
    }

    private mutating func refuse(_ id: AttemptID, _ trouble: JobSupply.Trouble) {
        send(.failure(id, text: trouble.reason, isInability: trouble.isInability))
    }

    private func identity(_ attempt: Attempt) -> AttemptID? {
        jobs[attempt.job].map { AttemptID(job: $0, block: attempt.block, attempt: attempt.number) }
    }

    private mutating func attempt(_ id: AttemptID) -> Attempt {
        Attempt(job: number(id.job), block: id.block, number: id.attempt)
    }

    private mutating func number(_ job: Digest) -> JobNumber {
        if let number = numbers[job] { return number }
        let number = numbers.count + 1
        (numbers[job], jobs[number]) = (number, job)
        return number
    }

    private mutating func begin(_ attempt: Attempt) {
        let checkpoint = checkpoints.removeValue(forKey: attempt) ?? []
        guard let id = identity(attempt) else { return }
        let prepared = supply.ready(id.job)
        guard let prepared, attempt.block < prepared.job.blocks else {
            let reason = prepared == nil ? "the block's job is not known here" : "its job has no such block"
            refuse(id, JobSupply.Trouble(reason: reason, isInability: prepared == nil))
            handle(.ended(attempt, hasResult: false))
            return
        }
        slots.start(
            SlotThreads.Work(
                attempt: id, plan: prepared.plan, chains: prepared.job.chains(inBlock: attempt.block),
                checkpoint: checkpoint, checkpointInterval: checkpointIntervals[attempt.job] ?? .seconds(10)))
    }

    /// Takes in which model servers are ready now, and tells the coordinator.
    mutating func offer(_ servers: [OfferedServer]) {
        guard servers != offered else { return }
        offered = servers
        handle(.registrationWanted)
    }

    // MARK: What the slots tell

    mutating func take(_ outcome: SlotThreads.Outcome) {
        switch outcome {
        case .progress(let progress):
            self.progress[progress.attempt] = progress
            send(.progress(progress), as: .progress(progress.attempt))
        case .checkpoint(let state):
            outbox.add(pieces(of: state).map { Message.checkpoint($0).encoded() }, as: .checkpoint(state.attempt))
        case .finished(let id, let result):
            results[attempt(id)] = result
            blocksRun += 1
            end(id, hasResult: true)
        case .handedBack(let state):
            let pieces = pieces(of: state)
            outbox.add(
                pieces.dropLast().map { Message.checkpoint($0).encoded() }, as: .checkpoint(state.attempt))
            if let last = pieces.last { send(.returned(last)) }
            end(state.attempt)
        case .abandoned(let id):
            end(id)
        case .failed(let id, let error):
            // Another host may have more memory, or the server that is gone here; what else fails is the block's own.
            let isInability =
                switch error {
                case .outOfMemory, .sourceAbsent: true
                case .cancelled, .sourceFailed: false
                }
            refuse(id, JobSupply.Trouble(reason: "\(error)", isInability: isInability))
            end(id)
        case .resumed(let id, let done, let steps, let settled):
            self.settled[id] = settled
            logger.info("block \(id.block) of job \(id.job.hex.prefix(8)) goes on from step \(done) of \(steps)")
        case .startedAnew(let id, let reason):
            logger.warning("block \(id.block) of job \(id.job.hex.prefix(8)) begins from its start: \(reason)")
        }
    }

    private mutating func end(_ id: AttemptID, hasResult: Bool = false) {
        (settled[id], progress[id]) = (nil, nil)
        handle(.ended(attempt(id), hasResult: hasResult))
    }

    /// What the coordinator has not stored of a state.
    private func pieces(of state: BlockState) -> [BlockState] { state.pieces(from: settled[state.attempt] ?? 0) }

    // MARK: What the coordinator tells

    private mutating func take(_ bytes: [UInt8]) {
        do {
            report.heard(at: now)
            rejection = nil
            answer(try Message.decode(bytes))
        } catch {
            logger.warning("a message was passed over: \(error)")
        }
    }

    private mutating func answer(_ message: Message) {
        switch message {
        case .welcome(let worker, let number, let heartbeat, let silence):
            tell(report.welcomed(as: worker))
            // It may be another coordinator, which has stored less.
            (arriving, settled) = ([:], [:])
            supply.startAnew(inUse: Set(session.jobs.compactMap { jobs[$0] }))
            handle(.welcomed(registration: number, heartbeat: heartbeat, silence: silence))
            // They may have changed while the registration was on its way.
            if registration.servers != offered { handle(.registrationWanted) }
        case .heartbeat:
            handle(.heard)
        case .lease(let lease):
            take(lease)
        case .checkpoint(let state):
            handle(.heard)
            take(state)
        case .settled(let id, let bytes):
            handle(.heard)
            if session.holding.contains(attempt(id)) { settled[id] = bytes }
        case .taken(let job, let blocks):
            handle(.taken(job: number(job), blocks: blocks))
        case .modelChunk(let chunk):
            handle(.heard)
            announce(supply.take(chunk, at: now))
        case .modelUnavailable(let model, let reason):
            handle(.heard)
            // Whoever asks for it does not get it.
            let reason = "the coordinator can't send the model \(model.hex): \(reason)"
            announce(supply.failed(model, JobSupply.Trouble(reason: reason, isInability: false)))
        case .revoke(let id, let blocks, let handBack):
            let job = number(id)
            // All of a job: it is over.
            if blocks.isEmpty, !handBack {
                supply.forget(id)
                arriving = arriving.filter { $0.key.job != id }
            }
            handle(handBack ? .recalled(job: job, blocks: blocks) : .revoked(job: job, blocks: blocks))
        case .drain(let reason, let exitStatus):
            logger.log(level: exitStatus == 0 ? .info : .error, "leaving: \(reason)")
            self.exitStatus = exitStatus
            handle(.drained)
        case .registerAgain:
            handle(.registrationWanted)
        default:
            logger.warning("a message that is not for a worker was passed over")
        }
    }

    private mutating func take(_ lease: Lease) {
        let job = number(lease.job)
        checkpointIntervals[job] = lease.checkpointInterval
        let inUse = Set(session.jobs.compactMap { jobs[$0] })
        switch supply.take(lease.job, text: lease.jobText, digest: lease.textDigest, inUse: inUse) {
        case .ready:
            break
        case .preparing:
            handle(.preparing(job: job))
        case .unknown:
            // Whoever registers is sent the texts again.
            logger.info("the text of job \(lease.job.hex.prefix(8)) is not here")
            return handle(.registrationWanted)
        case .garbled:
            handle(.leased(grant: lease.number, []))
            let trouble = JobSupply.Trouble(
                reason: "the text of the job is not the one that its digest names", isInability: true)
            for block in lease.blocks { refuse(block, trouble) }
            return
        }
        let states = lease.blocks.map { arriving.removeValue(forKey: $0) ?? [] }
        guard zip(lease.blocks, states).allSatisfy({ $1.count == lease.stateBytes[$0.block] ?? $1.count }) else {
            // A block doesn't begin from its start because a message was lost: whoever registers is sent all of it again.
            logger.warning("a state of job \(lease.job.hex.prefix(8)) has not come as a whole; it is asked for again")
            return handle(.registrationWanted)
        }
        let attempts = lease.blocks.map { Attempt(job: job, block: $0.block, number: $0.attempt) }
        if !checkpoints.isEmpty {
            // Of blocks that were called back before they began, nothing is kept.
            let held = Set(session.holding)
            checkpoints = checkpoints.filter { held.contains($0.key) }
        }
        for (attempt, state) in zip(attempts, states) {
            checkpoints[attempt] = lease.checkpoints[attempt.block] ?? state
        }
        handle(.leased(grant: lease.number, attempts))
    }

    /// Takes in a piece of what a block has come to that is about to be leased.
    private mutating func take(_ piece: BlockState) {
        let bytes = piece.offset == 0 ? [] : arriving.removeValue(forKey: piece.attempt)
        // Without the pieces before, it is no state: the lease tells how long it has to be.
        guard var bytes, bytes.count == piece.offset else { return }
        bytes += piece.state
        arriving[piece.attempt] = bytes
    }

    mutating func take(_ reading: JobSupply.Reading, of order: JobSupply.Order) {
        announce(supply.take(reading, of: order, at: now))
    }

    private mutating func announce(_ changes: [JobSupply.Change]) {
        for change in changes {
            switch change {
            case .ready(let job):
                handle(.prepared(job: number(job)))
            case .failed(let job, let trouble):
                logger.error("job \(job.hex.prefix(8)): \(trouble.reason)")
                self.trouble = trouble
                handle(.unprepared(job: number(job)))
            }
        }
    }
}

extension BlockProgress {
    /// Of a block that runs, of which no step is known to be done.
    fileprivate static func beginning(_ attempt: AttemptID) -> BlockProgress {
        BlockProgress(attempt: attempt, stepsDone: 0, stepsTotal: 0, acceptance: .nan)
    }
}
