import CZeroMQ

/// The socket of a worker or a submitter: one peer, the coordinator.
package struct DealerSocket {
    let socket: Socket
    private let route: Route

    /// The address at hand of a host that may have several.
    private final class Route {
        var search: AddressSearch

        init(_ search: AddressSearch) { self.search = search }
    }

    /// Connects; that nobody is there shows only when nothing comes back. Of a host with several addresses each is tried,
    /// one after the other, as long as messages can't be sent.
    package init(_ context: MessagingContext, connectingTo endpoint: String) throws(MessagingError) {
        try self.init(context, connectingTo: endpoint, pings: true)
    }

    /// - Parameter pings: whether a dead link is noticed by ping, at the price of a timer; not for thousands of sockets.
    init(_ context: MessagingContext, connectingTo endpoint: String, pings: Bool) throws(MessagingError) {
        socket = try Socket(context, kind: ZMQ_DEALER)
        // Nothing is queued for a coordinator that is not there: what it missed would be stale.
        try socket.set(ZMQ_IMMEDIATE, 1)
        // From a tenth of a second up to five.
        try socket.set(ZMQ_RECONNECT_IVL, 100)
        try socket.set(ZMQ_RECONNECT_IVL_MAX, 5_000)
        // The first byte must not be zero: such identities are ZeroMQ's own.
        try socket.set(ZMQ_ROUTING_ID, bytes: [1] + (0..<16).map { _ in UInt8.random(in: 0...255) })
        if pings {
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
            if frames.count == 1 { return frames[0] }
        }
        return nil
    }

    /// Waits until a message is there, somebody calls, or the time is over.
    package func wait(for wakeup: borrowing Wakeup, atMost timeout: Duration) throws(MessagingError) {
        try socket.wait(for: wakeup, atMost: timeout)
    }
}
