import CZeroMQ
import Glibc

/// A peer's routing identity at a router.
package typealias PeerID = [UInt8]

/// The coordinator's socket: many peers, each addressed by its identity.
package struct RouterSocket {
    private let socket: Socket
    /// Who decides whom it lets in; nil if it lets in anybody, unencrypted.
    private let gate: Gate?
    /// Of a guarded one.
    private let events: ConnectionEvents?

    /// A peer that is gone is an answer, not silence (ROUTER_MANDATORY).
    ///
    /// Who comes again over a new connection is heard at once, though the old one may stand for long after a cut
    /// (ROUTER_HANDOVER). Identities are random and told to nobody, so that nobody takes over another's.
    package init(_ context: MessagingContext) throws(MessagingError) { try self.init(context, gate: nil) }

    /// One that encrypts and lets in nobody but those whom the gate knows.
    package init(guardedBy gate: Gate) throws(MessagingError) { try self.init(gate.context, gate: gate) }

    private init(_ context: MessagingContext, gate: Gate?) throws(MessagingError) {
        socket = try Socket(context, kind: ZMQ_ROUTER)
        self.gate = gate
        if let gate { try socket.serve(with: gate.pair, domain: Gate.domain) }
        events = if gate != nil { try ConnectionEvents(of: socket, context) } else { nil }
        try socket.set(ZMQ_ROUTER_MANDATORY, 1)
        try socket.set(ZMQ_ROUTER_HANDOVER, 1)
        // A thousand workers may come at once; whom the queue has no place for tries again a second later.
        try socket.set(ZMQ_BACKLOG, 4_096)
    }

    /// Listens at all numbers that a host's name stands for; a port `*` is chosen by the system.
    ///
    /// - Returns: the address as it became, the first of several.
    package func bind(to endpoint: String) throws(MessagingError) -> String {
        var bound: String?
        var failure: MessagingError?
        for address in Endpoint.numbers(of: endpoint, for: .listening) {
            do throws(MessagingError) {
                let became = try bindPrivately(address)
                bound = bound ?? became
            } catch {
                // A port that is taken is taken, but a host may know a family of addresses that it doesn't have.
                if error.code == .socket(EADDRINUSE) { throw error }
                failure = error
            }
            // A port that the system has chosen is known at this address alone.
            if bound != nil, endpoint.hasSuffix(":*") { break }
        }
        guard let bound else { throw failure ?? .malformed("\(endpoint) has no address") }
        return bound
    }

    /// Listens; the file of a local socket is its owner's alone, wherever it lies.
    private func bindPrivately(_ address: String) throws(MessagingError) -> String {
        let bound = try socket.bind(address)
        guard address.hasPrefix("ipc://") else { return bound }
        // Not by the process's mask, which other threads make their files by. Until here those may connect whom that lets
        // write: as a rule the owner alone.
        let path = String(address.dropFirst("ipc://".count))
        guard chmod(path, 0o600) == 0 || path.hasPrefix("@") else {
            throw MessagingError(code: .socket(errno), message: "making \(path) its owner's alone failed")
        }
        return bound
    }

    /// Lets in, or turns away, those who have connected since the last time.
    ///
    /// - Returns: those who did not get in.
    package func attendToStrangers() throws(MessagingError) -> [Stranger] {
        guard let gate, let events else { return [] }
        var strangers = try gate.answer()
        // The gate itself has told of those whom it has refused.
        while let (failure, address) = try events.next() {
            guard let problem = failure.problem else { continue }
            strangers.append(Stranger(address: address, problem: problem, reason: .handshake))
        }
        return strangers
    }

    /// Sends without waiting. - Returns: false if the peer is gone or takes nothing more.
    package func send(_ bytes: [UInt8], to peer: PeerID) throws(MessagingError) -> Bool {
        try offer(bytes, to: peer) == .sent
    }

    /// Sends without waiting, and tells a peer that is gone from one that takes nothing more for now.
    package func offer(_ bytes: [UInt8], to peer: PeerID) throws(MessagingError) -> SendOutcome {
        // The address decides: once it is taken, so is what follows it.
        let outcome = try socket.send(peer, more: true)
        return outcome == .sent ? try socket.send(bytes, more: false) : outcome
    }

    /// The longest identity of a peer, in bytes; ZeroMQ's own have up to 255, but it checks nobody's.
    private static let longestIdentity = 255

    /// The next message, if one is there, unread. What has not the form of a message is passed over, and who calls himself by
    /// more than a name can have is hung up on.
    package func receiveLetter() throws(MessagingError) -> Letter? {
        while let frames = try socket.receive() {
            guard frames[0].count <= Self.longestIdentity else {
                frames[frames.count - 1].connection?.end()
                continue
            }
            if frames.count == 2 { return Letter(frames[1], from: frames[0].bytes, gate) }
        }
        return nil
    }

    /// The next message and its sender, if one is there.
    package func receive() throws(MessagingError) -> (peer: PeerID, bytes: [UInt8])? {
        try receiveLetter().map { ($0.peer, $0.bytes) }
    }

    /// Waits until a message or a stranger is there, somebody calls, or the time is over.
    package func wait(for wakeup: borrowing Wakeup, atMost timeout: Duration) throws(MessagingError) {
        let others = [gate?.pollItem, events?.pollItem].compactMap(\.self)
        try socket.wait(for: wakeup, atMost: timeout, beside: others)
    }
}

extension ConnectionEvents.Failure {
    /// What is said of somebody who did not get in; nil for one of whom the gate tells.
    fileprivate var problem: String? {
        switch self {
        case .hungUp: "it hung up, or took too long, before it had shown a key"
        case .otherSecurity: "it shows no key"
        case .unreadable: "it has another coordinator's key, or what it sends is damaged"
        case .malformed: "it keeps to no protocol"
        case .refused: nil
        }
    }
}
