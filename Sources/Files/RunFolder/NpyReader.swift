/// A `.npy` file open for reading, by rows of its first axis; memory is needed for the rows asked for alone.
package struct NpyReader: ~Copyable {
    /// The kind of numbers and the shape.
    package let header: NpyHeader
    private let file: File
    private let dataOffset: Int

    /// Opens a file and checks all of it but its numbers.
    ///
    /// Throws `.missing` or `.inputOutput` when it cannot be read and `.malformed` when it is not a whole `.npy` file
    /// of format version 1.0, 2.0 or 3.0, of one of the types of `NpyElementType`.
    package init(path: String) throws(RunFolderError) {
        try self.init(try File(path, for: .reading))
    }

    /// - Parameter extent: the bytes of the file that are the array's own; nil for all.
    init(_ file: consuming File, within extent: Range<Int>? = nil) throws(RunFolderError) {
        let path = file.path
        let size = if let extent { extent.count } else { try file.size() }
        let first = extent?.lowerBound ?? 0
        func malformed(_ reason: String) -> RunFolderError {
            RunFolderError(.malformed, path: path, reason: reason)
        }

        guard size >= 10 else { throw malformed("\(size) bytes are too few for a npy file") }
        let start: [UInt8] = try file.read(count: 10, at: first)
        guard start.starts(with: NpyHeader.magic) else {
            throw malformed(
                start.starts(with: Array("PK".utf8))
                    ? "not a npy file but a zip archive, as numpy.savez writes; save one of its arrays with numpy.save"
                    : "not a npy file; save the array with numpy.save")
        }
        let (major, minor) = (start[6], start[7])
        guard (1...3).contains(major), minor == 0 else { throw malformed("npy version \(major).\(minor) is not known") }
        let lengthSize = major == 1 ? 2 : 4
        guard size >= 8 + lengthSize else { throw malformed("the file ends within the npy header") }
        let lengthBytes: [UInt8] = try file.read(count: lengthSize, at: first + 8)
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let dataOffset = 8 + lengthSize + length
        // Nothing is allocated from a number in the file before the file has proved as long as it says.
        guard dataOffset <= size else { throw malformed("the file ends within the npy header") }
        guard length <= NpyReader.largestHeader else { throw malformed("a npy header of \(length) bytes is not read") }
        let text: [UInt8] = try file.read(count: length, at: first + 8 + lengthSize)
        guard text.last == UInt8(ascii: "\n") else { throw malformed("the npy header does not end with a newline") }

        let header = try NpyHeaderParser.parse(text, path: path)
        guard size - dataOffset == header.dataSize else {
            throw malformed(
                "shape \(header.shape) of \(header.elementType.rawValue) takes \(header.dataSize) bytes, "
                    + "the file holds \(size - dataOffset)")
        }
        self.header = header
        self.file = file
        self.dataOffset = first + dataOffset
    }

    private static let largestHeader = 1 << 20

    /// The numbers of some rows, one row after the other: [range.count * header.rowSize].
    ///
    /// Throws `.invalidValue` when the rows are not all in the array, or it holds another kind of numbers or does not
    /// hold them as they lie in memory.
    package func rows<Element: NpyElement>(
        _ range: Range<Int>, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        try file.rows(range, of: header, dataOffset: dataOffset)
    }

    /// Some numbers, counted in C order over the whole array, which has them. Throws as ``rows(_:as:)`` does.
    func numbers<Element: NpyElement>(
        _ range: Range<Int>, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        try file.numbers(range, of: header, dataOffset: dataOffset)
    }

    /// All numbers of the array in C order.
    package func all<Element: NpyElement>(as type: Element.Type = Element.self) throws(RunFolderError) -> [Element] {
        try rows(0..<header.rows)
    }

    /// All numbers as the file's bit patterns, turned into the machine's byte order and C order.
    func words<Word: FixedWidthInteger & BitwiseCopyable>(as type: Word.Type) throws(RunFolderError) -> [Word] {
        var words = try file.read(count: header.count, at: dataOffset, as: Word.self)
        if header.isBigEndian { for index in words.indices { words[index] = words[index].byteSwapped } }
        return header.isPlain || !header.isFortranOrder ? words : Self.inCOrder(words, header.shape)
    }

    /// Numbers whose first axis is the fastest, rearranged so that the last one is.
    private static func inCOrder<Word>(_ words: [Word], _ shape: [Int]) -> [Word] {
        var strides: [Int] = []
        var stride = 1
        for length in shape {
            strides.append(stride)
            stride *= length
        }
        var ordered: [Word] = []
        ordered.reserveCapacity(words.count)
        var (place, offset) = ([Int](repeating: 0, count: shape.count), 0)
        for _ in words.indices {
            ordered.append(words[offset])
            for axis in shape.indices.reversed() {
                place[axis] += 1
                offset += strides[axis]
                guard place[axis] == shape[axis] else { break }
                place[axis] = 0
                offset -= strides[axis] * shape[axis]
            }
        }
        return ordered
    }

    /// An error about what the file holds.
    func malformed(_ reason: String) -> RunFolderError { RunFolderError(.malformed, path: file.path, reason: reason) }
}

extension File {
    /// The numbers of some rows of an array whose data start at `dataOffset`.
    func rows<Element: NpyElement>(
        _ range: Range<Int>, of header: NpyHeader, dataOffset: Int
    ) throws(RunFolderError) -> [Element] {
        guard range.lowerBound >= 0, range.upperBound <= header.rows else {
            throw RunFolderError(
                .invalidValue, path: path, reason: "rows \(range) are not all among its \(header.rows) rows")
        }
        let size = header.rowSize
        return try numbers(range.lowerBound * size..<range.upperBound * size, of: header, dataOffset: dataOffset)
    }

    /// Some numbers of such an array, counted in C order over all of it.
    func numbers<Element: NpyElement>(
        _ range: Range<Int>, of header: NpyHeader, dataOffset: Int
    ) throws(RunFolderError) -> [Element] {
        guard Element.npyElementType == header.elementType, header.isPlain else {
            let order = header.isPlain ? "" : " in another order"
            throw RunFolderError(
                .invalidValue, path: path,
                reason: "holds \(header.elementType.rawValue)\(order), not \(Element.npyElementType.rawValue)")
        }
        return try read(count: range.count, at: dataOffset + range.lowerBound * header.elementType.size)
    }
}
