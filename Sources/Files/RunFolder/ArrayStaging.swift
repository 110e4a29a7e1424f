/// An array of fixed shape that grows on the disk, rows in any order, and takes its name when it is whole.
///
/// The file `.NAME.partial` has its full size from the start, without taking room for rows that are not written yet;
/// memory does not depend on the array's size. Dropped without `finish` or `suspend`, it is removed.
package struct ArrayStaging: ~Copyable {
    /// The kind of numbers and the shape.
    package let header: NpyHeader
    let dataOffset: Int
    private var staged: StagedFile

    /// Creates the staging file of the array `name`, for instance `samples.npy`, in a folder that is there.
    ///
    /// Throws `.invalidValue` for an impossible shape, `.cannotCreate` or `.inputOutput`.
    package init(
        folder: String, name: String, elementType: NpyElementType, shape: [Int]
    ) throws(RunFolderError) {
        let (header, prefix, size) = try ArrayStaging.layout(folder, name, elementType, shape)
        let staged = try StagedFile(folder: folder, name: name)
        try staged.file.write(prefix, at: 0)
        try staged.file.resize(to: size)
        self.header = header
        self.staged = staged
        dataOffset = prefix.count
    }

    /// Takes up the staging file that an earlier process left, with the rows it holds.
    ///
    /// Call `own` once all that belongs to it is there too: before that, dropping it leaves the file as it is.
    /// Throws `.missing` when there is no such file and `.malformed` when it is not of this array.
    init(
        resuming name: String, folder: String, elementType: NpyElementType, shape: [Int]
    ) throws(RunFolderError) {
        let (header, prefix, size) = try ArrayStaging.layout(folder, name, elementType, shape)
        let staged = try StagedFile(resuming: name, folder: folder)
        let found = try staged.file.size()
        guard found == size else {
            throw RunFolderError(
                .malformed, path: staged.file.path, reason: "\(found) bytes, expected \(size) for the shape \(shape)")
        }
        guard try staged.file.read(count: prefix.count, at: 0) == prefix else {
            throw RunFolderError(
                .malformed, path: staged.file.path,
                reason: "its header is not that of \(elementType.rawValue) of the shape \(shape)")
        }
        self.header = header
        self.staged = staged
        dataOffset = prefix.count
    }

    /// What the file of an array starts with, and its size in bytes.
    private static func layout(
        _ folder: String, _ name: String, _ elementType: NpyElementType, _ shape: [Int]
    ) throws(RunFolderError) -> (header: NpyHeader, prefix: [UInt8], size: Int) {
        let header = try NpyHeader(elementType: elementType, shape: shape, path: Folder.path(folder, name))
        let prefix = header.bytes
        let (size, overflows) = prefix.count.addingReportingOverflow(header.dataSize)
        guard !overflows else {
            throw RunFolderError(
                .invalidValue, path: Folder.path(folder, name), reason: "an array cannot have the shape \(shape)")
        }
        return (header, prefix, size)
    }

    /// Writes whole rows, given as little-endian bytes, from the row `row` on.
    ///
    /// Throws `.invalidValue` when the bytes are not a whole number of rows or go beyond the last one,
    /// `.inputOutput` or `.full` when they cannot be written.
    package func write(bytes: [UInt8], atRow row: Int) throws(RunFolderError) {
        try write(bytes, itemSize: 1, atRow: row)
    }

    /// Writes whole rows, one after the other, from the row `row` on.
    ///
    /// Throws `.invalidValue` when the numbers are of another kind, not a whole number of rows or go beyond the last
    /// one, `.inputOutput` or `.full` when they cannot be written.
    package func write<Element: NpyElement>(_ values: [Element], atRow row: Int) throws(RunFolderError) {
        guard Element.npyElementType == header.elementType else {
            throw refusal("holds \(header.elementType.rawValue), not \(Element.npyElementType.rawValue)")
        }
        try write(values, itemSize: header.elementType.size, atRow: row)
    }

    /// The numbers of some rows as they are now: [range.count * header.rowSize], zero where none were written.
    ///
    /// Throws `.invalidValue` when the rows are not all in the array or it holds another kind of numbers.
    package func rows<Element: NpyElement>(
        _ range: Range<Int>, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        try staged.file.rows(range, of: header, dataOffset: dataOffset)
    }

    /// Some numbers, counted in C order over the whole array, which has them.
    func numbers<Element: NpyElement>(
        _ range: Range<Int>, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        try staged.file.numbers(range, of: header, dataOffset: dataOffset)
    }

    /// Brings the array to the disk and gives it its name, replacing a file of that name.
    package mutating func finish() throws(RunFolderError) {
        try sync()
        try publish()
        try Folder.sync(staged.folder)
    }

    /// Removes the staging file, unless the array has its name already.
    package mutating func discard() throws(RunFolderError) {
        try staged.discard()
    }

    /// The staging file goes with its owner from now on.
    mutating func own() {
        staged.own()
    }

    /// Leaves the staging file where it is.
    mutating func suspend() {
        staged.suspend()
    }

    /// Returns when the content has reached the disk.
    func sync() throws(RunFolderError) {
        try staged.file.syncContent()
    }

    /// Gives the array its name; the caller has synced it and syncs the folder.
    mutating func publish() throws(RunFolderError) {
        try staged.publish()
    }

    /// Hands the whole file, header and all, to `body` in pieces of bounded size.
    func forEachPiece(_ body: ([UInt8]) throws(RunFolderError) -> Void) throws(RunFolderError) {
        try staged.file.forEachPiece(body)
    }

    /// Throws `.missing` or `.malformed` when somebody has removed, replaced or cut the staging file.
    func expectInPlace() throws(RunFolderError) {
        try staged.file.expectInPlace(size: fileSize)
    }

    /// The bytes of some rows, which are all in the array.
    func bytes(ofRows rows: Range<Int>) throws(RunFolderError) -> [UInt8] {
        let rowBytes = header.rowSize * header.elementType.size
        return try staged.file.read(count: rows.count * rowBytes, at: dataOffset + rows.lowerBound * rowBytes)
    }

    /// Where the staging file is.
    var path: String { staged.file.path }

    /// Bytes of the file up to a row, header and all.
    func size(upToRow row: Int) -> Int { dataOffset + row * header.rowSize * header.elementType.size }

    /// Bytes of the whole file, header and all.
    var fileSize: Int { dataOffset + header.dataSize }

    /// Hands the array to `body` in the order of its rows, some whole rows at a time.
    func forEachRows<Element: NpyElement>(
        as type: Element.Type, _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError) {
        let rowBytes = max(1, header.rowSize * header.elementType.size)
        let step = max(1, File.pieceSize / rowBytes)
        var row = 0
        while row < header.rows {
            let next = min(row + step, header.rows)
            try body(try rows(row..<next))
            row = next
        }
    }

    private func write<Item: BitwiseCopyable>(
        _ items: [Item], itemSize: Int, atRow row: Int
    ) throws(RunFolderError) {
        let rowBytes = header.rowSize * header.elementType.size
        let bytes = items.count * itemSize
        guard rowBytes > 0 ? bytes.isMultiple(of: rowBytes) : bytes == 0 else {
            throw refusal("\(bytes) bytes are not a whole number of rows of \(rowBytes)")
        }
        let count = rowBytes > 0 ? bytes / rowBytes : 0
        guard row >= 0, row <= header.rows, count <= header.rows - row else {
            throw refusal("\(count) rows from row \(row) on do not fit into its \(header.rows) rows")
        }
        try staged.file.write(items, at: dataOffset + row * rowBytes)
    }

    private func refusal(_ reason: String) -> RunFolderError {
        RunFolderError(.invalidValue, path: Folder.path(staged.folder, staged.name), reason: reason)
    }
}
