/// A `.npy` file open for reading, by rows of its first axis; memory is needed for the rows asked for alone.
public struct NpyReader: ~Copyable {
    /// The kind of numbers and the shape.
    public let header: NpyHeader
    private let file: File
    private let dataOffset: Int

    /// Opens a file and checks all of it but its numbers.
    ///
    /// Throws `.missing` or `.inputOutput` when it cannot be read and `.malformed` when it is not a whole `.npy` file
    /// of format version 1.0, 2.0 or 3.0, in C order, of one of the types of `NpyElementType`.
    public init(path: String) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        let size = try file.size()
        func malformed(_ reason: String) -> RunFolderError {
            RunFolderError(.malformed, path: path, reason: reason)
        }

        guard size >= 10 else { throw malformed("\(size) bytes are too few for a npy file") }
        let start: [UInt8] = try file.read(count: 10, at: 0)
        guard start.starts(with: NpyHeader.magic) else { throw malformed("not a npy file") }
        let (major, minor) = (start[6], start[7])
        guard (1...3).contains(major), minor == 0 else { throw malformed("npy version \(major).\(minor) is not known") }
        let lengthSize = major == 1 ? 2 : 4
        guard size >= 8 + lengthSize else { throw malformed("the file ends within the npy header") }
        let lengthBytes: [UInt8] = try file.read(count: lengthSize, at: 8)
        let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        let dataOffset = 8 + lengthSize + length
        // Nothing is allocated from a number in the file before the file has proved as long as it says.
        guard dataOffset <= size else { throw malformed("the file ends within the npy header") }
        guard length <= NpyReader.largestHeader else { throw malformed("a npy header of \(length) bytes is not read") }
        let text: [UInt8] = try file.read(count: length, at: 8 + lengthSize)
        guard text.last == UInt8(ascii: "\n") else { throw malformed("the npy header does not end with a newline") }

        let header = try NpyHeaderParser.parse(text, path: path)
        guard size - dataOffset == header.dataSize else {
            throw malformed(
                "shape \(header.shape) of \(header.elementType.rawValue) takes \(header.dataSize) bytes, "
                    + "the file holds \(size - dataOffset)")
        }
        self.header = header
        self.file = file
        self.dataOffset = dataOffset
    }

    private static let largestHeader = 1 << 20

    /// The numbers of some rows, one row after the other: [range.count * header.rowSize].
    ///
    /// Throws `.invalidValue` when the rows are not all in the array or it holds another kind of numbers.
    public func rows<Element: NpyElement>(
        _ range: Range<Int>, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        try file.rows(range, of: header, dataOffset: dataOffset)
    }

    /// All numbers of the array in C order.
    public func all<Element: NpyElement>(as type: Element.Type = Element.self) throws(RunFolderError) -> [Element] {
        try rows(0..<header.rows)
    }

    /// All numbers of an array of either kind of floating-point numbers, in C order, rounded to nearest.
    /// - Throws: `.malformed` when it holds integers.
    public func floats() throws(RunFolderError) -> [Float] {
        switch header.elementType {
        case .float32: return try all()
        case .float64: return try all(as: Double.self).map { Float($0) }
        case .int32, .int64: throw wrongKind("float32 or float64")
        }
    }

    /// All numbers of an array of either kind of integers, in C order.
    /// - Throws: `.malformed` when it holds floating-point numbers.
    public func integers() throws(RunFolderError) -> [Int] {
        switch header.elementType {
        case .int32: return try all(as: Int32.self).map { Int($0) }
        case .int64: return try all(as: Int64.self).map { Int($0) }
        case .float32, .float64: throw wrongKind("int32 or int64")
        }
    }

    private func wrongKind(_ wish: String) -> RunFolderError {
        RunFolderError(
            .malformed, path: file.path, reason: "must hold \(wish), holds \(header.elementType.rawValue); convert it")
    }
}

extension File {
    /// The numbers of some rows of an array whose data start at `dataOffset`.
    func rows<Element: NpyElement>(
        _ range: Range<Int>, of header: NpyHeader, dataOffset: Int
    ) throws(RunFolderError) -> [Element] {
        guard Element.npyElementType == header.elementType else {
            throw RunFolderError(
                .invalidValue, path: path,
                reason: "holds \(header.elementType.rawValue), not \(Element.npyElementType.rawValue)")
        }
        guard range.lowerBound >= 0, range.upperBound <= header.rows else {
            throw RunFolderError(
                .invalidValue, path: path, reason: "rows \(range) are not all among its \(header.rows) rows")
        }
        let rowBytes = header.rowSize * header.elementType.size
        return try read(count: range.count * header.rowSize, at: dataOffset + range.lowerBound * rowBytes)
    }
}
