import CZeroMQ
import Glibc

/// A peer's routing identity at a router.
package typealias PeerID = [UInt8]

/// The coordinator's socket: many peers, each addressed by its identity.
package struct RouterSocket {
    private let socket: Socket

    /// A peer that is gone is an answer, not silence (ROUTER_MANDATORY); identities are random and
    /// new for every session, so nobody ever takes over another's.
    package init(_ context: MessagingContext) throws(MessagingError) {
        socket = try Socket(context, kind: ZMQ_ROUTER)
        try socket.set(ZMQ_ROUTER_MANDATORY, 1)
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
                let became = try socket.bind(address)
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

    /// The next message and its sender, if one is there. What has not the form of a message is passed over.
    package func receive() throws(MessagingError) -> (peer: PeerID, bytes: [UInt8])? {
        while let frames = try socket.receive() {
            if frames.count == 2 { return (frames[0], frames[1]) }
        }
        return nil
    }

    /// A message, and where it came from.
    package struct Received {
        /// Who sent it.
        package let peer: PeerID
        /// What it came by; nil within a process.
        package let connection: Connection?
        /// Bytes of it.
        package let size: Int
        /// What it says.
        package let message: Result<Message, MessagingError>
    }

    /// The next message, if one is there, read where it lies: samples may be megabytes.
    package func receiveMessage() throws(MessagingError) -> Received? {
        let received = try socket.receive { frame -> (Connection?, Int, Result<Message, MessagingError>) in
            do throws(MessagingError) {
                return (frame.connection, frame.bytes.count, .success(try Message.decode(frame.bytes)))
            } catch {
                return (frame.connection, frame.bytes.count, .failure(error))
            }
        }
        return received.map {
            Received(peer: $0.first, connection: $0.body.0, size: $0.body.1, message: $0.body.2)
        }
    }

    /// Waits until a message is there, somebody calls, or the time is over.
    package func wait(for wakeup: borrowing Wakeup, atMost timeout: Duration) throws(MessagingError) {
        try socket.wait(for: wakeup, atMost: timeout)
    }
}
