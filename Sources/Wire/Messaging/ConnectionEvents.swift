import CZeroMQ
import Glibc

/// What ZeroMQ tells of connections of a socket that have not come about.
final class ConnectionEvents {
    /// Why a connection has not come about.
    enum Failure: Equatable {
        /// The other side hung up or took too long.
        case hungUp
        /// One side wants keys and the other has none.
        case otherSecurity
        /// What the other side has encrypted can't be read: it takes this one for another, or is damaged.
        case unreadable
        /// The other side keeps to no protocol.
        case malformed
        /// The other side does not let this one in.
        case refused
    }

    private static let failures =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    private let socket: Socket
    /// Where connections come from that were accepted, by their descriptors.
    private var addresses: [Int32: String] = [:]
    private var failure: Failure?

    /// - Parameter monitored: of the same context.
    init(of monitored: Socket, _ context: MessagingContext) throws(MessagingError) {
        let place = "inproc://events-\(UInt64.random(in: 0...UInt64.max))"
        try monitored.tellEvents(
            at: place, Self.failures | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        socket = try Socket(context, kind: ZMQ_PAIR)
        // Without a bound: ZeroMQ's own threads would wait for room.
        try socket.set(ZMQ_RCVHWM, 0)
        try socket.connect(place)
    }

    /// What a poll looks at.
    var pollItem: zmq_pollitem_t { socket.pollItem }

    /// The next failure of a connection that ended, and where it came from if it was accepted here.
    func next() throws(MessagingError) -> (failure: Failure, address: String)? {
        while let frames = try socket.receive() {
            guard let first = frames.first?.bytes, first.count == 6 else { continue }
            let (event, value) = first.withUnsafeBytes {
                (Int32($0.loadUnaligned(as: UInt16.self)), $0.loadUnaligned(fromByteOffset: 2, as: Int32.self))
            }
            switch event {
            case ZMQ_EVENT_ACCEPTED: addresses[value] = Connection(descriptor: value).peerAddress
            case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: failure = nil
            case ZMQ_EVENT_DISCONNECTED:
                // It follows at once what tells why.
                let address = addresses.removeValue(forKey: value) ?? ""
                guard let failure else { continue }
                self.failure = nil
                return (failure, address)
            default: failure = Self.failure(event, value)
            }
        }
        return nil
    }

    private static func failure(_ event: Int32, _ value: Int32) -> Failure {
        switch (event, value) {
        case (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, _): .hungUp
        case (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, _): .refused
        case (_, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): .otherSecurity
        case (_, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC), (_, ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE): .unreadable
        default: .malformed
        }
    }
}

extension Connection {
    /// The number of the host at its other end; empty if it has none or is gone.
    var peerAddress: String {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let isKnown = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getpeername(descriptor, address, &size) == 0
                    && [AF_INET, AF_INET6].contains(Int32(address.pointee.sa_family))
                    && getnameinfo(address, size, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        guard isKnown else { return "" }
        return HostName.plain(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
