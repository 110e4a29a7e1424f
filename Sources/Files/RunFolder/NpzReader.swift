/// An archive of stored arrays, as ``ZipWriter`` writes it, open for reading.
struct NpzReader {
    private let path: String
    /// Where each array's file lies in the archive.
    private let extents: [String: Range<Int>]

    /// The names of the arrays.
    var names: Set<String> { Set(extents.keys) }

    /// Reads the directory. Throws `.missing`, `.inputOutput`, and `.malformed` where it is not such an archive.
    init(path: String) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        self.path = path
        extents = try NpzReader.extents(in: file, size: try file.size())
    }

    /// The array of a name. Throws `.missing` when there is none, and as `NpyReader` does.
    func array(_ name: String) throws(RunFolderError) -> NpyReader {
        guard let extent = extents[name] else {
            throw RunFolderError(.missing, path: path, reason: "has no array \"\(name)\"")
        }
        return try NpyReader(try File(path, for: .reading), within: extent)
    }

    /// The ends of the archive: of the last record, and of the 64-bit one with its locator before it.
    private static let (endSize, wideEndSize) = (22, 56 + 20)
    private static let mostDirectoryBytes = 1 << 20

    private static func extents(in file: borrowing File, size: Int) throws(RunFolderError) -> [String: Range<Int>] {
        let path = file.path
        func malformed(_ reason: String) -> RunFolderError {
            RunFolderError(.malformed, path: path, reason: reason)
        }
        guard size >= endSize else { throw malformed("\(size) bytes are too few for an archive") }
        let ending = ZipBytes(
            try file.read(count: min(size, endSize + wideEndSize), at: max(0, size - endSize - wideEndSize)))
        let last = ending.count - endSize
        guard ending.number(last, 4) == 0x0605_4b50 else { throw malformed("the file is cut off, or is no archive") }
        var (length, start) = (ending.number(last + 12, 4), ending.number(last + 16, 4))
        if start == 0xFFFF_FFFF || length == 0xFFFF_FFFF || ending.number(last + 10, 2) == 0xFFFF {
            guard last == wideEndSize, ending.number(0, 4) == 0x0606_4b50 else {
                throw malformed("the directory is missing")
            }
            (length, start) = (ending.number(40, 8), ending.number(48, 8))
        }
        guard length >= 0, length <= mostDirectoryBytes, start >= 0, start <= size - length else {
            throw malformed("the directory is not within the file")
        }
        let directory = ZipBytes(try file.read(count: length, at: start))
        var extents: [String: Range<Int>] = [:]
        var position = 0
        while position < length {
            guard let entry = directory.entry(at: position), entry.isStored, entry.name.hasSuffix(".npy") else {
                throw malformed("entry \(extents.count) of the directory is not a stored array")
            }
            guard entry.offset <= start - 30 else { throw malformed("\(entry.name) is not within the file") }
            let local = ZipBytes(try file.read(count: 30, at: entry.offset))
            let data = entry.offset + 30 + local.number(26, 2) + local.number(28, 2)
            guard local.number(0, 4) == 0x0403_4b50, data <= start, entry.size <= start - data else {
                throw malformed("\(entry.name) is not within the file")
            }
            extents[String(entry.name.dropLast(".npy".count))] = data..<data + entry.size
            position = entry.end
        }
        return extents
    }
}

/// Numbers in an archive's records, low byte first.
private struct ZipBytes {
    struct Entry {
        let name: String
        let isStored: Bool
        let size: Int
        let offset: Int
        /// Where the next entry begins.
        let end: Int
    }

    private let bytes: [UInt8]
    var count: Int { bytes.count }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// 0 where it is not all within, and negative where it is beyond all numbers.
    func number(_ offset: Int, _ size: Int) -> Int {
        guard offset >= 0, offset <= bytes.count - size else { return 0 }
        return Int(
            truncatingIfNeeded: bytes[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    /// An entry of the directory; nil if there is none.
    func entry(at position: Int) -> Entry? {
        guard number(position, 4) == 0x0201_4b50 else { return nil }
        let nameEnd = position + 46 + number(position + 28, 2)
        let end = nameEnd + number(position + 30, 2) + number(position + 32, 2)
        guard end <= bytes.count else { return nil }
        var (size, offset) = (number(position + 24, 4), number(position + 42, 4))
        // The 64-bit numbers stand in this order, those that need it.
        var wide = nameEnd + 4
        if size == 0xFFFF_FFFF {
            size = number(wide, 8)
            wide += 16
        }
        if offset == 0xFFFF_FFFF { offset = number(wide, 8) }
        guard size >= 0, offset >= 0 else { return nil }
        return Entry(
            name: String(decoding: bytes[position + 46..<nameEnd], as: UTF8.self),
            isStored: number(position + 10, 2) == 0,
            size: size, offset: offset, end: end)
    }
}
