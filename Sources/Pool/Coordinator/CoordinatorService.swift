package import CoordinatorCore
import Journal
package import Logging
import Messaging
import ModelTransfer
package import PoolKeys
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
        /// How much is taken on, and from one peer.
        package var limits = PeerLimits()
        /// How long jobs are kept that are over; nil for ever.
        package var keptFor: Duration?
        /// Which results are computed twice, by workers of different keys, and compared; nil for none.
        package var verification: VerificationRule?
        /// Seconds after which a connection is ended that has said nothing; over TCP.
        package var silence = Duration.seconds(30)
        /// The coordinator's keys and whom it lets in; nil for anybody, unencrypted.
        package var keys: KeyFolder?
        /// Whether other hosts reach it although it has no keys.
        package var isInsecure = false

        /// How it tells who connects.
        var protection: PoolStatus.Protection { keys != nil ? .keys : isInsecure ? .insecure : .local }

        /// As shipped, in that folder.
        package init(stateFolder: String, pool: PoolConfiguration = PoolConfiguration()) {
            self.stateFolder = stateFolder
            self.pool = pool
        }
    }

    enum Call: Sendable {
        case stop
        /// The allow-list is to be read again.
        case readKeys
        /// A worker process of this host has died.
        case processDied(Int32, reason: String)
        /// There will be no workers any more.
        case failAll(reason: String)
        /// What comes from the threads of the host.
        case host(CoordinatorHost.Call)
    }

    /// How long a coordinator that was told to stop waits for its workers to hand back what they have.
    private static let farewell = Duration.seconds(3)

    /// How long messages are taken in before all else has its turn.
    private static let turn = Duration.milliseconds(10)

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

    /// Makes it read again whom it lets in; from any thread.
    package func readKeys() { mailbox.post(.readKeys) }

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
    ///   `JournalError` if it cannot keep its journal, or another coordinator does; `KeyError` if its keys can't be used.
    package func run(listeningAt endpoint: String, _ ready: (String) -> Void) throws {
        let guarded = try configuration.keys.map { try Entrance($0, logger: logger) }
        let router = try guarded.map { try RouterSocket(guardedBy: $0.gate) } ?? RouterSocket(MessagingContext())
        let mailbox = mailbox
        var host = try CoordinatorHost(configuration, logger: logger) { bytes, peer in
            do { return try router.offer(bytes, to: peer) } catch { return .unreachable }
        } post: {
            mailbox.post(.host($0))
        }
        defer { host.close(within: .seconds(5)) }
        let address = try router.bind(to: endpoint)
        var limits = ConnectionWatch.Limits()
        limits.silence = configuration.silence
        let watch = ConnectionWatch(of: address, isEncrypted: guarded != nil, limits: limits)
        ready(address)
        let clock = ContinuousClock()
        var deadline: ContinuousClock.Instant?
        // Once stopped it stays until the workers have said goodbye: what is sent just before a
        // connection closes may not arrive.
        while true {
            if let deadline, clock.now >= deadline || !host.core.hasWorkers { break }
            try router.wait(for: mailbox.wakeup, atMost: .milliseconds(watch == nil ? 50 : 20))
            for stranger in try router.attendToStrangers() { host.handle(.turnedAway(stranger)) }
            // Some messages at a time, so that timers, results and what watches the memory get their turn.
            let turn = clock.now + Self.turn
            while clock.now < turn, let letter = try router.receiveLetter() {
                guard !letter.isRevoked else {
                    letter.connection?.end()
                    continue
                }
                if let connection = letter.connection {
                    watch?.note(letter.size, from: connection)
                    guarded?.note(letter.credential, of: connection)
                }
                host.take(letter)
            }
            if let watch { host.look(at: watch) }
            for call in mailbox.drain() {
                switch call {
                case .stop:
                    if deadline == nil { host.handle(.dismissed) }
                    deadline = deadline ?? clock.now + Self.farewell
                case .processDied(let process, let reason): host.handle(.processDied(process, reason: reason))
                case .failAll(let reason): host.handle(.poolExhausted(reason: reason))
                case .readKeys: _ = guarded?.read(watch, &host)
                case .host(.readKeys(let peer)) where guarded != nil:
                    if let guarded { host.handle(.keysRead(guarded.read(watch, &host), for: peer)) }
                case .host(let call): host.take(call)
                }
            }
            host.tick()
        }
    }
}
