/// A zip archive as its central directory tells it: just enough to check what was written, and strict about it.
struct ZipReader {
    struct Entry {
        let name: String
        let isZip64: Bool
        let checksum: UInt32
        let time: UInt32
        let content: ArraySlice<UInt8>
    }

    struct Malformed: Error {
        let reason: String
    }

    let entries: [Entry]
    let isZip64: Bool

    init(_ bytes: [UInt8]) throws {
        func number(_ offset: Int, _ size: Int) throws -> Int {
            guard offset >= 0, offset + size <= bytes.count else { throw Malformed(reason: "beyond the end") }
            return bytes[offset..<(offset + size)].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        func expect(_ condition: Bool, _ reason: String) throws {
            if !condition { throw Malformed(reason: reason) }
        }

        let end = bytes.count - 22
        try expect(try number(end, 4) == 0x0605_4b50, "no end record")
        try expect(try number(end + 20, 2) == 0, "a comment")
        var count = try number(end + 10, 2)
        var directory = try number(end + 16, 4)
        var size = try number(end + 12, 4)
        isZip64 = count == 0xFFFF
        var directoryEnd = end
        if isZip64 {
            try expect(try number(end - 20, 4) == 0x0706_4b50, "no zip64 locator")
            directoryEnd = try number(end - 12, 8)
            try expect(directoryEnd == end - 76, "the zip64 record is elsewhere")
            try expect(try number(directoryEnd, 4) == 0x0606_4b50, "no zip64 record")
            try expect(try number(directoryEnd + 4, 8) == 44, "a zip64 record of another size")
            count = try number(directoryEnd + 32, 8)
            size = try number(directoryEnd + 40, 8)
            directory = try number(directoryEnd + 48, 8)
        }
        try expect(directory + size == directoryEnd, "the directory does not end at its end record")

        var entries: [Entry] = []
        var position = directory
        var expectedOffset = 0
        for _ in 0..<count {
            try expect(try number(position, 4) == 0x0201_4b50, "no directory entry")
            let nameLength = try number(position + 28, 2)
            let extraLength = try number(position + 30, 2)
            var stored = try number(position + 24, 4)
            var offset = try number(position + 42, 4)
            let (isLarge, isFar) = (stored == 0xFFFF_FFFF, offset == 0xFFFF_FFFF)
            var wide = position + 46 + nameLength + 4
            if isLarge {
                stored = try number(wide, 8)
                try expect(try number(wide + 8, 8) == stored, "compressed size differs")
                wide += 16
            }
            if isFar {
                offset = try number(wide, 8)
                wide += 8
            }
            if isLarge || isFar { try expect(wide == position + 46 + nameLength + extraLength, "another extra field") }
            try expect(offset == expectedOffset, "a hole between entries")

            try expect(try number(offset, 4) == 0x0403_4b50, "no local header")
            try expect(
                bytes[(offset + 6)..<(offset + 28)] == bytes[(position + 8)..<(position + 30)],
                "the two headers differ")
            let localExtra = try number(offset + 28, 2)
            try expect(localExtra == (isLarge ? 20 : 0), "another local extra field")
            let start = offset + 30 + nameLength + localExtra
            expectedOffset = start + stored
            let name = bytes[(position + 46)..<(position + 46 + nameLength)]
            entries.append(
                Entry(
                    name: String(decoding: name, as: UTF8.self), isZip64: isLarge || isFar,
                    checksum: UInt32(try number(position + 16, 4)), time: UInt32(try number(position + 12, 4)),
                    content: bytes[start..<(start + stored)]))
            position += 46 + nameLength + extraLength
        }
        try expect(position == directoryEnd, "bytes after the last directory entry")
        self.entries = entries
    }
}
