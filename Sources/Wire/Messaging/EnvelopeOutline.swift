/// Of which kind an envelope is and how long its body, read from its first bytes.
///
/// What is longer than its kind can be is refused by this alone: nothing of it is unpacked, copied or hashed.
enum EnvelopeOutline {
    /// More than anything that has no list, text or state in it.
    private static let small = 64 << 10

    /// The longest body of a kind, by its field in the envelope; nil for those that a whole message may be.
    private static func longest(_ field: UInt64, _ limits: DecodingLimits) -> Int? {
        switch field {
        // A block that is held takes less than fifty bytes.
        case 10: small + 50 * limits.heldBlocks
        case 11, 12, 15, 16, 17, 30, 34, 35, 51, 52, 53, 54, 55, 70: small
        case 33: small + ModelChunk.longest
        case 50: small + limits.jobTextBytes
        default: nil
        }
    }

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
                if let longest = longest(key >> 3, limits), length > longest {
                    throw MessagingError(
                        code: .tooLong,
                        message: key >> 3 == 50
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
