import CZeroMQ

/// The socket of a worker or a submitter: one peer, the coordinator.
package struct DealerSocket {
    let socket: Socket
    private let route: Route
    /// Nil where nobody asks.
    private let events: ConnectionEvents?

    /// The address at hand of a host that may have several.
    private final class Route {
        var search: AddressSearch

        init(_ search: AddressSearch) { self.search = search }
    }

    /// Connects; that nobody is there shows only when nothing comes back. Of a host with several addresses each is tried,
    /// one after the other, as long as messages can't be sent.
    ///
    /// - Parameter keys: encrypts, and talks to nobody but the coordinator whose key it has; nil for plain text.
    package init(
        _ context: MessagingContext, connectingTo endpoint: String, keys: ClientKeys? = nil
    ) throws(MessagingError) {
        try self.init(context, connectingTo: endpoint, keys: keys, isOneOfMany: false)
    }

    /// - Parameter isOneOfMany: whether it does without pings, by which a dead link is noticed, and without word of
    ///   connections that fail: thousands of sockets can't afford them.
    init(
        _ context: MessagingContext, connectingTo endpoint: String, keys: ClientKeys?, isOneOfMany: Bool
    ) throws(MessagingError) {
        socket = try Socket(context, kind: ZMQ_DEALER)
        if let keys { try socket.prove(keys) }
        events = isOneOfMany ? nil : try ConnectionEvents(of: socket, context)
        // Nothing is queued for a coordinator that is not there: what it missed would be stale.
        try socket.set(ZMQ_IMMEDIATE, 1)
        // From a tenth of a second up to five.
        try socket.set(ZMQ_RECONNECT_IVL, 100)
        try socket.set(ZMQ_RECONNECT_IVL_MAX, 5_000)
        // The first byte must not be zero: such identities are ZeroMQ's own.
        try socket.set(ZMQ_ROUTING_ID, bytes: [1] + (0..<16).map { _ in UInt8.random(in: 0...255) })
        if !isOneOfMany {
            // A coordinator that hangs or is cut off is noticed: asked every 2 s, given up after 6 s.
            try socket.set(ZMQ_HEARTBEAT_IVL, 2_000)
            try socket.set(ZMQ_HEARTBEAT_TIMEOUT, 6_000)
        }
        route = Route(AddressSearch(Endpoint.numbers(of: endpoint, for: .connecting), at: ContinuousClock().now))
        try socket.connect(route.search.current)
    }

    /// Sends without waiting. - Returns: false if there is no connection or no room.
    package func send(_ bytes: [UInt8]) throws(MessagingError) -> Bool {
        let isSent = try socket.send(bytes, more: false) == .sent
        if !route.search.isSettled { try follow(isSent) }
        return isSent
    }

    private func follow(_ isSent: Bool) throws(MessagingError) {
        let now = ContinuousClock().now
        let old = route.search.current
        if isSent {
            route.search.answered(at: now)
        } else if route.search.silent(at: now) {
            try socket.disconnect(old)
            try socket.connect(route.search.current)
        }
    }

    /// The next message, if one is there.
    package func receive() throws(MessagingError) -> [UInt8]? {
        while let frames = try socket.receive() {
            if frames.count == 1 { return frames[0].bytes }
        }
        return nil
    }

    /// Why connecting has failed since the last time, if it has: of several reasons the last.
    package func rejection() throws(MessagingError) -> Rejection? {
        var last: ConnectionEvents.Failure?
        while let (failure, _) = try events?.next() { last = failure }
        return switch last {
        case .refused: .keyRefused
        case .otherSecurity: .otherSecurity
        case .hungUp, .unreadable: .hungUp
        case .malformed: .noProtocol
        case nil: nil
        }
    }

    /// Waits until a message is there, somebody calls, or the time is over.
    package func wait(for wakeup: borrowing Wakeup, atMost timeout: Duration) throws(MessagingError) {
        try socket.wait(for: wakeup, atMost: timeout)
    }
}

/// Why a coordinator could not be connected to.
package enum Rejection: Sendable, Equatable {
    /// It does not know the key.
    case keyRefused
    /// It wants keys and none are given here, or the other way round.
    case otherSecurity
    /// It hung up: the key that is taken for its own may be another's.
    case hungUp
    /// It does not speak ZeroMQ's protocol.
    case noProtocol

    /// Whether trying on is in vain: keys have to be changed first.
    package var isFinal: Bool { self == .keyRefused || self == .otherSecurity }

    /// What is wrong and what to do, in one line.
    ///
    /// - Parameters:
    ///   - address: of the coordinator.
    ///   - hasKeys: whether this side has keys.
    package func text(at address: String, hasKeys: Bool) -> String {
        switch self {
        case .keyRefused:
            "the coordinator at \(address) does not let in the key that --keys names; it has to be in its allow-list "
                + "(rrr-coordinator keygen --add, keys reload)"
        case .otherSecurity:
            hasKeys
                ? "the coordinator at \(address) has no keys, and this side has; leave --keys and RRR_KEYS out"
                : "the coordinator at \(address) lets in keys alone; name a file of this pool with --keys, or RRR_KEYS"
        case .hungUp:
            "what answers at \(address) hangs up"
                + (hasKeys
                    ? ": the file that --keys names may be of another coordinator, or of its old keys; or it has no keys"
                    : ": it may let in keys alone; name a file of this pool with --keys, or RRR_KEYS")
        case .noProtocol: "what answers at \(address) is no coordinator"
        }
    }
}
