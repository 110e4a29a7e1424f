/// PNG files byte by byte, for kinds that the module reads and never writes.
struct HandmadePNG {
    var width: Int
    var height: Int
    var depth = 8
    /// 0 grey, 2 colour, 3 palette, 4 grey with opacity, 6 colour with opacity.
    var kind: Int
    /// Rows without their filter bytes.
    var rows: [[UInt8]]
    /// Chunks before the rows: name and content.
    var others: [(String, [UInt8])] = []

    var file: [UInt8] {
        let header = Self.number(width) + Self.number(height) + [UInt8(depth), UInt8(kind), 0, 0, 0]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Self.chunk("IHDR", header)
            + others.flatMap { Self.chunk($0.0, $0.1) }
            + Self.chunk("IDAT", Self.stored(rows.flatMap { [0] + $0 })) + Self.chunk("IEND", [])
    }

    static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let named = Array(name.utf8) + content
        return number(content.count) + named + number(Int(checksum(named)))
    }

    /// Deflate without compression, in a zlib stream.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let size = [UInt8(bytes.count & 255), UInt8(bytes.count >> 8)]
        var (a, b) = (1, 0)
        for byte in bytes { (a, b) = ((a + Int(byte)) % 65521, (b + (a + Int(byte)) % 65521) % 65521) }
        return [0x78, 0x01, 1] + size + size.map { ~$0 } + bytes + number(b << 16 | a)
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var value = UInt32.max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
        }
        return ~value
    }

    private static func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }
}
