/// Writes a zip archive of stored entries, as numpy's `.npz` are, into an open file.
///
/// Equal entries give equal bytes. Entries pass through in pieces; the memory needed does not depend on their size.
/// Numbers from 2^32 - 1 on are written in the 64-bit form of the format (zip64).
struct ZipWriter {
    private let zip64Threshold: Int
    private var entries: [ZipEntry] = []
    private var end = 0

    init(zip64Threshold: Int = Int(UInt32.max)) {
        self.zip64Threshold = zip64Threshold
    }

    /// Appends an array's file to the archive as the entry `name`.
    mutating func add(
        _ name: String, _ array: borrowing ArrayStaging, to file: borrowing File
    ) throws(RunFolderError) {
        var entry = ZipEntry(name: name, size: array.fileSize, offset: end, zip64Threshold: zip64Threshold)
        let start = end + entry.localHeader.count
        var position = start
        var checksum = CRC32()
        try array.forEachPiece { (piece) throws(RunFolderError) in
            checksum.update(piece)
            try file.write(piece, at: position)
            position += piece.count
        }
        entry.checksum = checksum.value
        try file.write(entry.localHeader, at: end)
        end = position
        entries.append(entry)
    }

    /// Writes the directory; the archive is whole then, and takes no more entries.
    mutating func finish(to file: borrowing File) throws(RunFolderError) {
        var directory = entries.flatMap(\.centralHeader)
        let size = directory.count
        let count = entries.count
        var tail = LittleEndianBytes()
        let isLarge = end >= zip64Threshold || size >= zip64Threshold || count >= Int(UInt16.max)
        if isLarge {
            tail.append(0x0606_4b50 as UInt32)
            tail.append(44 as UInt64)
            tail.append([3 << 8 | 45, 45] as [UInt16])
            tail.append([0, 0] as [UInt32])
            tail.append([UInt64(count), UInt64(count), UInt64(size), UInt64(end)])
            tail.append([0x0706_4b50, 0] as [UInt32])
            tail.append(UInt64(end + size))
            tail.append(1 as UInt32)
        }
        let stated = isLarge ? UInt16.max : UInt16(truncatingIfNeeded: count)
        tail.append(0x0605_4b50 as UInt32)
        tail.append([0, 0, stated, stated])
        tail.append(isLarge ? UInt32.max : UInt32(truncatingIfNeeded: size))
        tail.append(isLarge ? UInt32.max : UInt32(truncatingIfNeeded: end))
        tail.append(0 as UInt16)
        directory += tail.values
        try file.write(directory, at: end)
    }
}
