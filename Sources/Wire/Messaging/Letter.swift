/// A message as it has come in, unread: samples may be megabytes, and what strangers send may not be worth reading.
package final class Letter {
    /// Who sent it.
    package let peer: PeerID
    /// Whose key it came with; nil where there are no keys.
    package let credential: Credential?
    /// Whether its key is let in no more.
    package let isRevoked: Bool
    private let frame: Socket.Frame

    init(_ frame: Socket.Frame, from peer: PeerID, _ gate: Gate?) {
        (self.frame, self.peer) = (frame, peer)
        credential = gate?.credential(ofUser: frame.user)
        isRevoked = gate != nil && credential == nil
    }

    /// What it came by; nil within a process.
    package var connection: Connection? { frame.connection }

    /// The number of the host that it came from; empty within a host.
    package var address: String { frame.address }

    /// How long it is, in bytes.
    package var size: Int { frame.count }

    /// The whole, copied.
    package var bytes: [UInt8] { frame.bytes }

    /// Of which kind it is.
    ///
    /// - Throws: ``MessagingError`` with code `malformed`, `tooLong` or `version`.
    package func outline() throws(MessagingError) -> EnvelopeOutline {
        try frame.withBytes { bytes throws(MessagingError) in try EnvelopeOutline(bytes, DecodingLimits()) }
    }

    /// What it says. - Throws: as ``outline()`` does.
    package func message() throws(MessagingError) -> Message {
        try frame.withBytes { bytes throws(MessagingError) in try Message.decode(bytes) }
    }
}
