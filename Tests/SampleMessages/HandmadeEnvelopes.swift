import Messaging

/// Envelopes written by hand, as somebody else might.
package enum Wire {
    package static func varint(_ value: UInt64) -> [UInt8] {
        var (bytes, rest): ([UInt8], UInt64) = ([], value)
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    package static func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { varint(field << 3) + varint(value) }

    package static func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(value.count)) + value
    }

    package static func envelope(version: UInt32 = Message.protocolVersion, _ field: UInt64, _ body: [UInt8]) -> [UInt8]
    {
        number(1, UInt64(version)) + bytes(field, body)
    }
}
