/// One file of an archive: what its two headers say, and their bytes.
struct ZipEntry {
    let name: String
    let size: Int
    /// Where its local header starts in the archive.
    let offset: Int
    /// From this size or offset on, numbers go to 64-bit fields; 2^32 - 1, unless a test lowers it.
    let zip64Threshold: Int
    var checksum: UInt32 = 0

    /// The header before the entry's bytes. Its length does not depend on the checksum.
    var localHeader: [UInt8] {
        var bytes = LittleEndianBytes()
        bytes.append(0x0403_4b50 as UInt32)
        appendCommon(to: &bytes)
        bytes.append(UInt16(isLarge ? 20 : 0))
        bytes.values += name.utf8
        if isLarge {
            bytes.append([1, 16] as [UInt16])
            bytes.append([UInt64(size), UInt64(size)])
        }
        return bytes.values
    }

    /// The header in the directory at the archive's end.
    var centralHeader: [UInt8] {
        let isFar = offset >= zip64Threshold
        let wide = (isLarge ? [UInt64(size), UInt64(size)] : []) + (isFar ? [UInt64(offset)] : [])
        var bytes = LittleEndianBytes()
        bytes.append(0x0201_4b50 as UInt32)
        // Made by a Unix system, so that the permissions below count.
        bytes.append(3 << 8 | versionNeeded)
        appendCommon(to: &bytes)
        bytes.append(UInt16(wide.isEmpty ? 0 : 4 + 8 * wide.count))
        bytes.append([0, 0, 0] as [UInt16])
        bytes.append(0o100644 << 16 as UInt32)
        bytes.append(isFar ? UInt32.max : UInt32(truncatingIfNeeded: offset))
        bytes.values += name.utf8
        if !wide.isEmpty {
            bytes.append([1, UInt16(8 * wide.count)])
            bytes.append(wide)
        }
        return bytes.values
    }

    private var isLarge: Bool { size >= zip64Threshold }

    private var versionNeeded: UInt16 { isLarge || offset >= zip64Threshold ? 45 : 20 }

    /// The fields that both headers share, from the version to the length of the name.
    private func appendCommon(to bytes: inout LittleEndianBytes) {
        let stated = isLarge ? UInt32.max : UInt32(truncatingIfNeeded: size)
        // No flags and no compression; the first of January 1980, midnight: the same bytes on any day.
        bytes.append([versionNeeded, 0, 0, 0, 1 << 5 | 1])
        bytes.append([checksum, stated, stated])
        bytes.append(UInt16(truncatingIfNeeded: name.utf8.count))
    }
}

/// Numbers of several widths, one after the other, low byte first.
struct LittleEndianBytes {
    var values: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        for byte in 0..<(Number.bitWidth / 8) {
            values.append(UInt8(truncatingIfNeeded: number >> Number(8 * byte)))
        }
    }

    mutating func append<Number: FixedWidthInteger>(_ numbers: [Number]) {
        for number in numbers { append(number) }
    }
}
