/// Of which kind an envelope is and how long its body, read from its first bytes.
///
/// What is longer than its kind can be is refused by this alone: nothing of it is unpacked, copied or hashed.
enum EnvelopeOutline {
    /// - Throws: ``MessagingError`` with code `tooLong`; what is no envelope is left to whoever unpacks it.
    static func check(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: DecodingLimits) throws(MessagingError) {
        var place = 0
        while let key = varint(bytes, &place) {
            switch key & 7 {
            case 0: guard varint(bytes, &place) != nil else { return }
            case 1: place += 8
            case 5: place += 4
            case 2:
                guard let length = varint(bytes, &place).flatMap({ Int(exactly: $0) }), length <= bytes.count - place
                else { return }
                let kind = UInt32(exactly: key >> 3).flatMap { MessageKind(rawValue: $0) }
                if let longest = kind?.longestBody(limits), length > longest {
                    throw MessagingError(
                        code: .tooLong,
                        message: kind == .submit
                            ? "a job has at most \(limits.jobTextBytes) bytes and this one \(length); give it fewer "
                                + "components"
                            : "\(length) bytes in a message of a kind that has at most \(longest)")
                }
                place += length
            default: return
            }
        }
    }

    private static func varint(_ bytes: UnsafeBufferPointer<UInt8>, _ place: inout Int) -> UInt64? {
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
