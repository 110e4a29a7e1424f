/// The checksum of zip archives (ISO 3309, reflected polynomial EDB88320), eight bytes a step.
struct CRC32 {
    private var state: UInt32 = 0xFFFF_FFFF

    /// The checksum of all bytes so far.
    var value: UInt32 { ~state }

    /// Takes in more bytes.
    mutating func update(_ bytes: [UInt8]) {
        var crc = state
        var index = 0
        let tables = CRC32.tables
        while bytes.count - index >= 8 {
            // Four of the eight bytes meet the checksum so far; each looks up what it does to the end of the step.
            let mixed = crc ^ CRC32.word(bytes, at: index)
            let plain = CRC32.word(bytes, at: index + 4)
            let low = tables[7 << 8 | Int(mixed & 0xFF)] ^ tables[6 << 8 | Int(mixed >> 8 & 0xFF)]
            let high = tables[5 << 8 | Int(mixed >> 16 & 0xFF)] ^ tables[4 << 8 | Int(mixed >> 24)]
            let next = tables[3 << 8 | Int(plain & 0xFF)] ^ tables[2 << 8 | Int(plain >> 8 & 0xFF)]
            let last = tables[1 << 8 | Int(plain >> 16 & 0xFF)] ^ tables[Int(plain >> 24)]
            crc = low ^ high ^ next ^ last
            index += 8
        }
        while index < bytes.count {
            crc = tables[Int((crc ^ UInt32(bytes[index])) & 0xFF)] ^ crc >> 8
            index += 1
        }
        state = crc
    }

    private static func word(_ bytes: [UInt8], at index: Int) -> UInt32 {
        let low = UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8
        return low | UInt32(bytes[index + 2]) << 16 | UInt32(bytes[index + 3]) << 24
    }

    /// Eight tables of 256: table k holds what a byte does to the checksum k bytes later.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 << 8)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ crc >> 1 : crc >> 1 }
            tables[byte] = crc
        }
        for index in 256..<(8 << 8) {
            let before = tables[index - 256]
            tables[index] = tables[Int(before & 0xFF)] ^ before >> 8
        }
        return tables
    }()
}
