/// What an envelope tells of itself before anything in it is unpacked, copied or hashed.
///
/// Enough to say whether its sender may say it at all, so that what nobody will read costs nearly nothing.
package struct EnvelopeOutline: Sendable, Equatable {
    /// What the envelope holds.
    package let kind: MessageKind
    /// How long the envelope is, in bytes.
    package let bytes: Int

    /// Both as given.
    package init(kind: MessageKind, bytes: Int) { (self.kind, self.bytes) = (kind, bytes) }

    /// Reads an envelope that anybody may have written.
    ///
    /// - Throws: ``MessagingError`` with code `malformed`, `version`, or `tooLong` for what is longer than its kind can be.
    init(_ envelope: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits) throws(MessagingError) {
        guard envelope.count <= limits.messageBytes else {
            throw .malformed("\(envelope.count) bytes, more than a message may have")
        }
        var fields = Fields(bytes: envelope)
        var version: UInt64 = 0
        var body: (kind: UInt64, length: Int)?
        var count = 0
        while let field = try fields.next() {
            switch field.content {
            case .number(let number) where field.key == Self.versionField: version = number
            case .bytes(let length) where field.key >= Self.firstBody:
                // What is judged here is what is unpacked afterwards: there is no second body that could be either.
                guard body == nil else { throw .malformed("two messages in one envelope") }
                body = (field.key, length)
            default: break
            }
            count += 1
            // A later program may have added some. Each takes time to pass over, and memory to unpack.
            guard count <= Self.mostFields else { throw .malformed("an envelope of too many fields") }
        }
        guard version == UInt64(Message.protocolVersion) else {
            throw MessagingError(
                code: .version(UInt32(clamping: version)),
                message: "protocol version \(version); this side speaks \(Message.protocolVersion)")
        }
        guard let body, let kind = UInt32(exactly: body.kind).flatMap({ MessageKind(rawValue: $0) })
        else { throw .malformed("an envelope with no body that this version knows") }
        try Self.check(kind, body.length, envelope.count, limits)
        (self.kind, bytes) = (kind, envelope.count)
    }

    /// Of `protocol_version` in proto/rrr.proto.
    private static let versionField: UInt64 = 1
    /// Fields from this number on are bodies.
    private static let firstBody: UInt64 = 10
    /// Of one envelope; ours have two.
    private static let mostFields = 16

    private static func check(
        _ kind: MessageKind, _ length: Int, _ whole: Int, _ limits: DecodingLimits
    ) throws(MessagingError) {
        guard whole - length <= MessageKind.small else {
            throw MessagingError(code: .tooLong, message: "\(whole - length) bytes around a message of \(length)")
        }
        guard let longest = kind.longestBody(limits), length > longest else { return }
        throw MessagingError(
            code: .tooLong,
            message: kind == .submit
                ? "a job has at most \(limits.jobTextBytes) bytes and this one \(length); give it fewer components"
                : "\(length) bytes in a message of a kind that has at most \(longest)")
    }
}

/// The fields of an encoded message, one after another, as protobuf lays them out.
private struct Fields {
    enum Content {
        case number(UInt64)
        /// So many.
        case bytes(Int)
        case fixed
    }

    let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// The next field; nil at the end.
    mutating func next() throws(MessagingError) -> (key: UInt64, content: Content)? {
        guard place < bytes.count else { return nil }
        guard let tag = varint(), let content = content(wireType: tag & 7), place <= bytes.count else {
            throw .malformed("\(bytes.count) bytes that are not an envelope")
        }
        return (tag >> 3, content)
    }

    private mutating func content(wireType: UInt64) -> Content? {
        switch wireType {
        case 0: return varint().map { .number($0) }
        case 1: place += 8
        case 5: place += 4
        case 2:
            guard let length = varint().flatMap({ Int(exactly: $0) }), length <= bytes.count - place else { return nil }
            place += length
            return .bytes(length)
        default: return nil
        }
        return .fixed
    }

    private mutating func varint() -> UInt64? {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while place < bytes.count, shift < 64 {
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 127) << shift
            if byte < 128 { return value }
            shift += 7
        }
        return nil
    }
}
