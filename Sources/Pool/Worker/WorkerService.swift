import ContentHash
import Foundation
package import Logging
package import Messaging
import PoolCore

/// A worker: leases blocks from a coordinator, runs them, reports.
///
/// One thread, the caller of ``run()``, owns the connection and does no numerics, so that heartbeats
/// leave on time; the slots' threads compute.
package final class WorkerService: Sendable {
    /// How a worker is set up.
    package struct Configuration: Sendable {
        /// The coordinator's address, as ZeroMQ writes it.
        package var coordinator: String
        /// Blocks that run side by side, at least 1.
        package var slots: Int
        /// Whether to leave once there was work and no more comes.
        package var once: Bool
        /// End when this process is no longer the parent; nil for a worker that stands alone.
        package var parent: Int32?
        /// What it reports to the coordinator.
        package var version: String
        /// Where model files are kept.
        package var modelCache: ModelCache
        /// Bytes that the networks of a job may take, weights and all, in all slots together.
        package var memory: Int
        /// The model servers to run beside it.
        package var servers: [ServerOffer]
        /// How long these may take.
        package var serverLimits = ServerLimits()
        /// Its keys; nil for a coordinator that has none.
        package var keys: ClientKeys?

        /// Every field as given.
        package init(
            coordinator: String, slots: Int, once: Bool = false, parent: Int32? = nil, version: String,
            modelCache: ModelCache, memory: Int, servers: [ServerOffer] = [], keys: ClientKeys? = nil
        ) {
            self.coordinator = coordinator
            self.slots = slots
            self.once = once
            self.parent = parent
            self.version = version
            self.modelCache = modelCache
            self.memory = memory
            self.servers = servers
            self.keys = keys
        }
    }

    private enum Call: Sendable {
        case outcome(SlotThreads.Outcome)
        case reading(JobSupply.Order, JobSupply.Reading)
        case servers
        case stop
    }

    private let configuration: Configuration
    private let logger: Logger
    private let mailbox = Mailbox<Call>()

    /// A worker that does not run yet.
    package init(configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Makes ``run()`` hand back its blocks and return; from any thread.
    package func stop() { mailbox.post(.stop) }

    /// Works until stopped, drained or, with `once`, done.
    ///
    /// - Returns: the exit status that the coordinator wants, 0 unless it has set this worker aside.
    /// - Throws: ``UnusableAddress``; ``RejectedWorker``; ``MessagingError``; ``ModelTransferError`` if model files can be
    ///   kept nowhere; what Foundation says if there is no place for the sockets of model servers.
    package func run() throws -> Int32 {
        let mailbox = mailbox
        let cache = try OpenModelCache(configuration.modelCache, logger: logger)
        defer { cache.close() }
        let servers = try ModelServers(configuration.servers, limits: configuration.serverLimits, logger: logger) {
            mailbox.post(.servers)
        }
        defer { servers.end() }
        let address = configuration.coordinator
        logger.notice("connecting to \(address)")
        var link = CoordinatorLink(
            socket: try connect(to: address), address: address, hasKeys: configuration.keys != nil,
            slots: SlotThreads(count: configuration.slots) { mailbox.post(.outcome($0)) },
            supply: JobSupply(
                cache: cache, memory: NetworkMemory(bytes: configuration.memory, slots: configuration.slots),
                isAlone: configuration.parent != nil, servers: servers
            ) { mailbox.post(.reading($0, $1)) },
            session: WorkerSession(slots: configuration.slots, once: configuration.once, at: .zero),
            registration: Registration(
                session: (0..<16).map { _ in UInt8.random(in: 0...255) }, host: ProcessInfo.processInfo.hostName,
                process: Int(ProcessInfo.processInfo.processIdentifier), slots: configuration.slots,
                version: configuration.version, fingerprint: try Fingerprint.probe()),
            logger: logger)
        link.tick()
        try link.flush()
        while !link.hasLeft {
            try link.wait(for: mailbox.wakeup)
            try link.receive()
            for call in mailbox.drain() {
                switch call {
                case .outcome(let outcome): link.take(outcome)
                case .reading(let order, let reading): link.take(reading, of: order)
                case .servers: link.offer(servers.offered)
                case .stop: link.handle(.stopped)
                }
            }
            if let parent = configuration.parent, getppid() != parent { return 0 }
            link.tick()
            link.requestModels()
            try link.flush()
        }
        return link.exitStatus
    }

    private func connect(to address: String) throws -> DealerSocket {
        let context = MessagingContext()
        do {
            return try DealerSocket(context, connectingTo: address, keys: configuration.keys)
        } catch {
            guard case .socket(let number) = error.code, [EINVAL, EPROTONOSUPPORT, ENODEV].contains(number) else {
                throw error
            }
            throw UnusableAddress(address: address)
        }
    }
}

/// An address that no coordinator can have.
package struct UnusableAddress: Error, Sendable, Equatable, CustomStringConvertible {
    /// As it was given.
    package let address: String

    /// What is wrong and what to do, in one line.
    package var description: String {
        "the coordinator's address \"\(address)\" is none; write it like tcp://127.0.0.1:7757, or ipc:// and a path"
    }
}

/// The coordinator and this worker do not know each other's keys.
package struct RejectedWorker: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what to do, in one line.
    package let description: String
}
