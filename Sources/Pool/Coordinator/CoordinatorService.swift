import CoordinatorCore
import Journal
package import Logging
import Messaging
import ModelTransfer
package import PoolCore

/// The coordinator: one thread that owns the socket and the scheduler, and one that owns what must outlast it.
package final class CoordinatorService: Sendable {
    /// How a coordinator is set up.
    package struct Configuration: Sendable {
        /// Where it keeps its journal and the folders of its jobs.
        package var stateFolder: String
        /// Timers and limits.
        package var pool: PoolConfiguration
        /// How often the state of a running block is brought here, where a job does not say.
        package var checkpointInterval: Duration = .seconds(10)
        /// Whether what was acknowledged survives a loss of power, or the death of the process alone.
        package var survivesPowerLoss = true

        /// As shipped, in that folder.
        package init(stateFolder: String, pool: PoolConfiguration = PoolConfiguration()) {
            self.stateFolder = stateFolder
            self.pool = pool
        }
    }

    enum Call: Sendable {
        case stop
        /// A worker process of this host has died.
        case processDied(Int32, reason: String)
        /// There will be no workers any more.
        case failAll(reason: String)
        /// What comes from the threads of the host.
        case host(CoordinatorHost.Call)
    }

    /// How long a coordinator that was told to stop waits for its workers to hand back what they have.
    private static let farewell = Duration.seconds(3)

    private let configuration: Configuration
    private let logger: Logger
    private let mailbox = Mailbox<Call>()

    /// A coordinator that does not serve yet.
    package init(configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Makes ``run(listeningAt:_:)`` send its workers home and return; from any thread.
    package func stop() { mailbox.post(.stop) }

    /// Tells at once what the link would show only after its time: a local worker is dead.
    func processDied(_ process: Int32, reason: String) { mailbox.post(.processDied(process, reason: reason)) }

    /// Ends every job, those to come too, as failed: there will be no workers any more.
    func failAll(reason: String) { mailbox.post(.failAll(reason: reason)) }

    /// Serves until stopped.
    ///
    /// - Parameters:
    ///   - endpoint: where to listen, as ZeroMQ writes it; port `*` is chosen by the system.
    ///   - ready: called with the address as it became.
    /// - Throws: ``MessagingError`` if it cannot listen there; ``ModelTransferError`` if it cannot keep models;
    ///   `JournalError` if it cannot keep its journal, or another coordinator does.
    package func run(listeningAt endpoint: String, _ ready: (String) -> Void) throws {
        let router = try RouterSocket(MessagingContext())
        let mailbox = mailbox
        var host = try CoordinatorHost(configuration, logger: logger) { bytes, peer in
            do { return try router.offer(bytes, to: peer) } catch { return .unreachable }
        } post: {
            mailbox.post(.host($0))
        }
        defer { host.close(within: .seconds(5)) }
        let address = try router.bind(to: endpoint)
        let watch = ConnectionWatch(of: address)
        ready(address)
        let clock = ContinuousClock()
        var deadline: ContinuousClock.Instant?
        // Once stopped it stays until the workers have said goodbye: what is sent just before a
        // connection closes may not arrive.
        while true {
            if let deadline, clock.now >= deadline || !host.core.hasWorkers { break }
            try router.wait(for: mailbox.wakeup, atMost: .milliseconds(watch == nil ? 50 : 20))
            // Some messages at a time, so that timers and results get their turn.
            var left = 1_000
            while left > 0, let received = try router.receiveMessage() {
                if let connection = received.connection { watch?.note(received.size, from: connection) }
                host.take(received.message, from: received.peer, over: received.connection)
                left -= 1
            }
            if let watch { host.look(at: watch) }
            for call in mailbox.drain() {
                switch call {
                case .stop:
                    if deadline == nil { host.handle(.dismissed) }
                    deadline = deadline ?? clock.now + Self.farewell
                case .processDied(let process, let reason): host.handle(.processDied(process, reason: reason))
                case .failAll(let reason): host.handle(.poolExhausted(reason: reason))
                case .host(let call): host.take(call)
                }
            }
            host.tick()
        }
    }
}
