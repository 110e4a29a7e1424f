import CProtobufC
import CWireMessages

extension Message {
    /// The message as an envelope.
    package func encoded() -> [UInt8] {
        var (message, envelope) = (self, Rrr__Wire__Envelope())
        rrr__wire__envelope__init(&envelope)
        envelope.protocol_version = Self.protocolVersion
        var wire = WirePass.writing()
        message.pass(&envelope, &wire)
        envelope.body_case = Rrr__Wire__Envelope__BodyCase(rawValue: kind.rawValue)
        // Samples may be megabytes: nothing is zeroed that is about to be written.
        return [UInt8](unsafeUninitializedCapacity: rrr__wire__envelope__get_packed_size(&envelope)) { buffer, count in
            count = rrr__wire__envelope__pack(&envelope, buffer.baseAddress)
        }
    }

    /// Reads an envelope that anybody may have written.
    ///
    /// Texts come without anything that a terminal obeys; what a worker says of itself and its troubles is one line.
    ///
    /// - Throws: ``MessagingError`` with code `malformed`, `tooLong` or `version`.
    package static func decode(
        _ bytes: [UInt8], limits: DecodingLimits = DecodingLimits()
    ) throws(MessagingError) -> Message {
        let result: Result<Message, MessagingError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(MessagingError) {
                return .success(try decode(buffer, limits: limits))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Reads an envelope where it lies.
    static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, limits: DecodingLimits = DecodingLimits()
    ) throws(MessagingError) -> Message {
        let kind = try EnvelopeOutline(bytes, limits).kind
        let message = try UnpackingBudget(bytes: limits.unpackedBytes).unpacking(
            bytes, with: rrr__wire__envelope__unpack, free: rrr__wire__envelope__free_unpacked
        ) { envelope throws(MessagingError) in try Message(reading: envelope, of: kind, within: limits) }
        guard let message else { throw .malformed("\(bytes.count) bytes that are not an envelope") }
        return message
    }

    private init(
        reading envelope: Rrr__Wire__Envelope, of kind: MessageKind, within limits: DecodingLimits
    ) throws(MessagingError) {
        guard envelope.body_case.rawValue == kind.rawValue else { throw .malformed("a message without its body") }
        self = kind.blank
        var envelope = envelope
        var wire = WirePass.reading(within: limits)
        pass(&envelope, &wire)
        if let problem = wire.problem { throw problem }
    }
}
