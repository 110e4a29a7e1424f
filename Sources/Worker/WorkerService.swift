import ContentHash
import Foundation
import JobFile
public import Logging
import Messaging
import PoolCore
import Sampling

/// A worker: leases blocks from a coordinator, runs them, reports.
///
/// One thread, the caller of ``run()``, owns the connection and does no numerics, so that heartbeats
/// leave on time; the slots' threads compute.
public final class WorkerService: Sendable {
    /// How a worker is set up.
    public struct Configuration: Sendable {
        /// The coordinator's address, as ZeroMQ writes it.
        public var coordinator: String
        /// Blocks that run side by side, at least 1.
        public var slots: Int
        /// Whether to leave once there was work and no more comes.
        public var once: Bool
        /// End when this process is no longer the parent; nil for a worker that stands alone.
        public var parent: Int32?
        /// What it reports to the coordinator.
        public var version: String
        /// Where model files are kept.
        public var modelCache: ModelCache

        public init(
            coordinator: String, slots: Int, once: Bool = false, parent: Int32? = nil, version: String,
            modelCache: ModelCache
        ) {
            self.coordinator = coordinator
            self.slots = slots
            self.once = once
            self.parent = parent
            self.version = version
            self.modelCache = modelCache
        }
    }

    private enum Call: Sendable {
        case outcome(SlotThreads.Outcome)
        case reading(Digest, JobSupply.Reading)
        case stop
    }

    private let configuration: Configuration
    private let logger: Logger
    private let mailbox = Mailbox<Call>()

    public init(configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Makes ``run()`` hand back its blocks and return; from any thread.
    public func stop() { mailbox.post(.stop) }

    /// Works until stopped, drained or, with `once`, done.
    ///
    /// - Throws: ``MessagingError``; ``ModelTransferError`` if model files can be kept nowhere.
    public func run() throws {
        let mailbox = mailbox
        let cache = try OpenModelCache(configuration.modelCache, logger: logger)
        defer { cache.close() }
        var link = Link(
            socket: try DealerSocket(MessagingContext(), connectingTo: configuration.coordinator),
            slots: SlotThreads(count: configuration.slots) { mailbox.post(.outcome($0)) },
            supply: JobSupply(store: cache.store) { mailbox.post(.reading($0, $1)) },
            session: WorkerSession(slots: configuration.slots, once: configuration.once, at: .zero),
            registration: Registration(
                session: (0..<16).map { _ in UInt8.random(in: 0...255) }, host: ProcessInfo.processInfo.hostName,
                process: Int(ProcessInfo.processInfo.processIdentifier), slots: configuration.slots,
                version: configuration.version, fingerprint: Fingerprint.probe()),
            logger: logger)
        link.register()
        while !link.hasLeft {
            try link.socket.wait(
                for: mailbox.wakeup, atMost: link.outbox.isEmpty ? .milliseconds(100) : .milliseconds(5))
            while let bytes = try link.socket.receive() { link.take(bytes) }
            for call in mailbox.drain() {
                switch call {
                case .outcome(let outcome): link.take(outcome)
                case .reading(let job, let reading): link.take(reading, of: job)
                case .stop: link.handle(.stopped)
                }
            }
            if let parent = configuration.parent, getppid() != parent { return }
            link.handle(.ticked)
            link.requestModels()
            try link.flush()
        }
    }
}

/// The thread's own side of a worker: the connection, the session, and what waits to be sent.
private struct Link {
    let socket: DealerSocket
    let slots: SlotThreads
    var supply: JobSupply
    var session: WorkerSession
    let registration: Registration
    let logger: Logger
    /// In the order in which it has to leave; kept while there is no connection.
    var outbox: [[UInt8]] = []
    var hasLeft = false

    private let clock = ContinuousClock()
    private let start = ContinuousClock().now
    /// Why the blocks that are being refused cannot run.
    private var refusalReason = ""

    init(
        socket: DealerSocket, slots: SlotThreads, supply: JobSupply, session: WorkerSession,
        registration: Registration, logger: Logger
    ) {
        self.socket = socket
        self.slots = slots
        self.supply = supply
        self.session = session
        self.registration = registration
        self.logger = logger
    }

    mutating func register() { send(.registration(registration)) }

    private mutating func send(_ message: Message) { outbox.append(message.encoded()) }

    mutating func flush() throws {
        while let first = outbox.first, try socket.send(first) {
            outbox.removeFirst()
            _ = session.handle(.sent, at: now)
        }
    }

    /// Asks for the next pieces of model files, once what was to be sent before is gone.
    mutating func requestModels() {
        if outbox.isEmpty { outbox = supply.requests(at: now).map { $0.encoded() } }
    }

    private var now: Duration { clock.now - start }

    mutating func handle(_ event: WorkerSession.Event) {
        for action in session.handle(event, at: now) {
            switch action {
            case .register:
                // One waiting registration is enough.
                if outbox.isEmpty { register() }
            case .sendHeartbeat:
                if outbox.isEmpty { send(.heartbeat) }
            case .start(let key):
                begin(key)
            case .abandon(let key):
                if let attempt = attempt(key) { slots.abandon(attempt) }
            case .refuse(let key):
                if let attempt = attempt(key) { send(.failure(attempt, text: refusalReason)) }
            case .leave(let returned):
                if !returned.isEmpty { logger.info("handing back \(returned.count) blocks") }
                send(.goodbye(reason: "stopped"))
                hasLeft = true
            }
        }
    }

    private func attempt(_ key: WorkerSession.BlockKey) -> AttemptID? {
        Digest(hex: key.job).map { AttemptID(job: $0, block: key.block, attempt: key.attempt) }
    }

    private func key(_ attempt: AttemptID) -> WorkerSession.BlockKey {
        WorkerSession.BlockKey(job: attempt.job.hex, block: attempt.block, attempt: attempt.attempt)
    }

    private mutating func begin(_ key: WorkerSession.BlockKey) {
        guard let attempt = attempt(key) else { return }
        guard let prepared = supply.ready(attempt.job), key.block < prepared.job.blocks else {
            send(.failure(attempt, text: "the block's job is not known here"))
            handle(.ended(key))
            return
        }
        slots.start(
            SlotThreads.Work(
                attempt: attempt, plan: prepared.plan, chains: prepared.job.chains(inBlock: key.block)))
    }

    mutating func take(_ outcome: SlotThreads.Outcome) {
        switch outcome {
        case .progress(let progress):
            send(.progress(progress))
        case .finished(let report):
            send(.result(report))
            handle(.ended(key(report.attempt)))
        case .abandoned(let attempt):
            handle(.ended(key(attempt)))
        }
    }

    mutating func take(_ bytes: [UInt8]) {
        do {
            switch try Message.decode(bytes) {
            case .welcome(let worker, let heartbeat, let silence):
                logger.info("registered as worker \(worker)")
                supply.startAnew()
                handle(.welcomed(heartbeat: heartbeat, silence: silence))
            case .heartbeat:
                handle(.heard)
            case .lease(let lease):
                if supply.isPreparing(lease.job, text: lease.jobText, inUse: session.jobs) {
                    handle(.preparing(job: lease.job.hex))
                }
                handle(.leased(lease.blocks.map(key)))
            case .modelChunk(let chunk):
                handle(.heard)
                announce(supply.take(chunk, at: now))
            case .modelUnavailable(let model, let reason):
                handle(.heard)
                announce(supply.failed(model, reason: "the coordinator can't send the model \(model.hex): \(reason)"))
            case .revoke(let job, let blocks):
                handle(.revoked(job: job.hex, blocks: blocks))
            case .drain(let reason):
                logger.info("leaving: \(reason)")
                handle(.drained)
            case .registerAgain:
                handle(.registrationWanted)
            default:
                logger.warning("a message that is not for a worker was passed over")
            }
        } catch {
            logger.warning("a message was passed over: \(error)")
        }
    }

    mutating func take(_ reading: JobSupply.Reading, of job: Digest) {
        announce(supply.take(reading, of: job, at: now))
    }

    private mutating func announce(_ changes: [JobSupply.Change]) {
        for change in changes {
            switch change {
            case .ready(let job):
                handle(.prepared(job: job.hex))
            case .failed(let job, let reason):
                logger.error("job \(job.hex.prefix(8)): \(reason)")
                refusalReason = reason
                handle(.unprepared(job: job.hex))
            }
        }
    }
}
