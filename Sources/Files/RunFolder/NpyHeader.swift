/// What a `.npy` file says of its array: the kind of its numbers, its shape and in which order they lie.
package struct NpyHeader: Sendable, Equatable {
    /// The kind of numbers.
    package let elementType: NpyElementType
    /// Lengths of the axes, the slowest first; empty for a single number.
    package let shape: [Int]
    /// Numbers in the array.
    package let count: Int
    /// Whether the first axis is the fastest in the file, not the last.
    package let isFortranOrder: Bool
    /// Whether each number has its most significant byte first.
    package let isBigEndian: Bool

    /// A header for an array of that shape; what is written is in C order and little-endian.
    ///
    /// Throws `.invalidValue` when a length is negative or the array's bytes cannot be counted in an `Int`.
    /// `path` is the file named in that error.
    package init(
        elementType: NpyElementType, shape: [Int], isFortranOrder: Bool = false, isBigEndian: Bool = false,
        path: String = "npy"
    ) throws(RunFolderError) {
        guard let count = NpyHeader.count(of: shape, elementSize: elementType.size) else {
            throw RunFolderError(.invalidValue, path: path, reason: "an array cannot have the shape \(shape)")
        }
        self.elementType = elementType
        self.shape = shape
        self.count = count
        self.isFortranOrder = isFortranOrder
        self.isBigEndian = isBigEndian
    }

    /// Whether the numbers lie in the file as in memory: in C order, little-endian.
    package var isPlain: Bool {
        !(isBigEndian && elementType.size > 1) && !(isFortranOrder && shape.count { $0 > 1 } > 1)
    }

    /// Bytes of the array's numbers.
    package var dataSize: Int { count * elementType.size }

    /// Rows of the array: the length of its first axis, 1 for a single number.
    package var rows: Int { shape.first ?? 1 }

    /// Numbers in one row.
    package var rowSize: Int { shape.dropFirst().reduce(1, *) }

    /// The bytes before the data, the same as numpy writes.
    ///
    /// A Python dictionary in text, its keys sorted, padded with spaces to a multiple of 64 and ended by a newline;
    /// format version 1.0, or 2.0 when the text is too long for that.
    package var bytes: [UInt8] {
        let lengths = shape.map(String.init)
        let tuple = lengths.count == 1 ? "(\(lengths[0]),)" : "(\(lengths.joined(separator: ", ")))"
        var text = "{'descr': '\(elementType.rawValue)', 'fortran_order': False, 'shape': \(tuple), }"
        // numpy leaves room for the first length to grow to 21 digits in place.
        if let first = lengths.first { text += String(repeating: " ", count: max(0, 21 - first.utf8.count)) }
        let short = NpyHeader.padded(text, after: NpyHeader.magic.count + 4)
        if let length = UInt16(exactly: short.count) {
            return NpyHeader.magic + [1, 0] + NpyHeader.littleEndian(length) + short
        }
        let long = NpyHeader.padded(text, after: NpyHeader.magic.count + 6)
        return NpyHeader.magic + [2, 0] + NpyHeader.littleEndian(UInt32(truncatingIfNeeded: long.count)) + long
    }

    /// The text with as many spaces and a newline as bring the data, `before` bytes further, to a multiple of 64.
    private static func padded(_ text: String, after before: Int) -> [UInt8] {
        // Like numpy's, the padding is a whole 64 when none is needed.
        let padding = 64 - (before + text.utf8.count + 1) % 64
        return Array(text.utf8) + [UInt8](repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
    }

    private static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        var bytes = LittleEndianBytes()
        bytes.append(number)
        return bytes.values
    }

    /// The first bytes of every `.npy` file.
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// The number of elements; nil when it, or the number of bytes, overflows or a length is negative.
    static func count(of shape: [Int], elementSize: Int) -> Int? {
        guard shape.allSatisfy({ $0 >= 0 }) else { return nil }
        // Checked without the zeros, so that a row's size is a number even in an array without rows.
        var bytes = elementSize
        for length in shape where length > 0 {
            let (product, overflows) = bytes.multipliedReportingOverflow(by: length)
            guard !overflows else { return nil }
            bytes = product
        }
        return shape.contains(0) ? 0 : bytes / elementSize
    }
}
