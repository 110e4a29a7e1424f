/// Where the arrays of a `.npz` archive lie: a zip archive of entries that are not compressed, as ``ZipWriter`` writes it.
struct NpzReader {
    private let path: String
    /// By name, without `.npy`; bytes of the file.
    private let entries: [String: Range<Int>]

    /// Reads the directory of an archive. Throws `.malformed` for another kind of file, `.missing` and `.inputOutput`.
    init(path: String) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        let size = try file.size()
        let tail = LittleEndianReader(try file.read(count: min(size, 98), at: max(0, size - 98)), path: path)
        let end = tail.bytes.count - 22
        guard end >= 0, try tail.number(end, 4) == 0x0605_4b50 else {
            throw RunFolderError(.malformed, path: path, reason: "no archive that numpy.savez writes")
        }
        var (length, offset) = (try tail.number(end + 12, 4), try tail.number(end + 16, 4))
        // 76 bytes further ahead is the record with the same numbers, and wider ones.
        if offset == UInt32.max, end >= 76, try tail.number(end - 76, 4) == 0x0606_4b50 {
            (length, offset) = (try tail.number(end - 36, 8), try tail.number(end - 28, 8))
        }
        guard offset >= 0, length >= 0, offset <= size, length <= size - offset else {
            throw RunFolderError(.malformed, path: path, reason: "its directory lies beyond its end")
        }
        let directory = LittleEndianReader(try file.read(count: length, at: offset), path: path)
        var entries: [String: Range<Int>] = [:]
        var position = 0
        while position < length {
            let entry = try Entry(directory, at: position)
            let local = LittleEndianReader(try file.read(count: 30, at: entry.offset), path: path)
            let start = entry.offset + 30 + (try local.number(26, 2)) + (try local.number(28, 2))
            guard entry.isStored, start <= size, entry.size <= size - start else {
                throw RunFolderError(
                    .malformed, path: path, reason: "the entry \(entry.name) is compressed, or lies beyond the end")
            }
            entries[entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name] =
                start..<start + entry.size
            position = entry.end
        }
        self.path = path
        self.entries = entries
    }

    /// An array; nil if there is none of that name.
    func array(_ name: String) throws(RunFolderError) -> NpyReader? {
        guard let entry = entries[name] else { return nil }
        return try NpyReader(try File(path, for: .reading), entry: entry)
    }

    private struct Entry {
        let name: String
        let isStored: Bool
        let size: Int
        let offset: Int
        /// Of the entry in the directory.
        let end: Int

        init(_ directory: borrowing LittleEndianReader, at position: Int) throws(RunFolderError) {
            guard try directory.number(position, 4) == 0x0201_4b50 else {
                throw directory.malformed("its directory has no entry at byte \(position)")
            }
            isStored = try directory.number(position + 10, 2) == 0
            var (size, offset) = (try directory.number(position + 24, 4), try directory.number(position + 42, 4))
            let nameEnd = position + 46 + (try directory.number(position + 28, 2))
            end = nameEnd + (try directory.number(position + 30, 2)) + (try directory.number(position + 32, 2))
            guard end <= directory.bytes.count else { throw directory.malformed("its directory is cut off") }
            name = String(decoding: directory.bytes[position + 46..<nameEnd], as: UTF8.self)
            // Numbers that need more than 32 bits: the size, twice, and the offset, each where it is needed.
            var wide = nameEnd + 4
            if size == UInt32.max {
                size = try directory.number(wide, 8)
                wide += 16
            }
            if offset == UInt32.max { offset = try directory.number(wide, 8) }
            guard size >= 0, offset >= 0 else { throw directory.malformed("an entry of no possible size") }
            (self.size, self.offset) = (size, offset)
        }
    }
}

/// Numbers in bytes, low byte first.
private struct LittleEndianReader {
    let bytes: [UInt8]
    private let path: String

    init(_ bytes: [UInt8], path: String) { (self.bytes, self.path) = (bytes, path) }

    func number(_ offset: Int, _ size: Int) throws(RunFolderError) -> Int {
        guard offset >= 0, offset + size <= bytes.count else { throw malformed("its directory is cut off") }
        return bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func malformed(_ reason: String) -> RunFolderError { RunFolderError(.malformed, path: path, reason: reason) }
}
