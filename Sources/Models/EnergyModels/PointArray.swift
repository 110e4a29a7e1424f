package import ContentHash

/// A number for each coordinate of a point, as a job gives it: a mean, standard deviations, the corner of a box.
package struct PointArray: Sendable, Equatable {
    /// Where the numbers come from.
    package enum Source: Sendable, Equatable {
        /// One number, stretched over all coordinates.
        case number(Double)
        /// Each of them, in C order.
        case numbers([Double])
        /// A file that holds this array alone or, with a row, several of them along its first axis.
        case stored(StoredArray, row: Int?)
    }

    /// Of the points.
    package let shape: PointShape
    /// Where the numbers come from.
    package let source: Source

    /// An array of that shape; `source` has as many numbers as there are coordinates.
    init(_ source: Source, shape: PointShape) {
        self.source = source
        self.shape = shape
    }

    /// The numbers of points of one axis: at least one.
    package init(_ numbers: [Double]) {
        self.init(.numbers(numbers), shape: PointShape(dimension: numbers.count))
    }

    /// The numbers in C order, [dimension].
    package var values: [Double] {
        switch source {
        case .number(let value): [Double](repeating: value, count: shape.dimension)
        case .numbers(let values): values
        case .stored(let array, let row): array.numbers(ofRow: row ?? 0, count: shape.dimension)
        }
    }
}

extension PointArray: ExpressibleByArrayLiteral {
    /// The numbers of points of one axis.
    package init(arrayLiteral numbers: Double...) { self.init(numbers) }
}

/// An array of numbers that a job takes from a file, which it names by its content.
package struct StoredArray: Sendable, Equatable {
    /// The SHA-256 of the file.
    package let digest: Digest
    /// The lengths of the array's axes.
    package let shape: [Int]
    /// All numbers in C order, in single precision; finite.
    let values: [Float]

    /// An array with as many numbers as the shape says, all of them finite.
    package init(digest: Digest, shape: [Int], values: [Float]) {
        precondition(shape.reduce(1, *) == values.count)
        self.digest = digest
        self.shape = shape
        self.values = values
    }

    /// Bytes that it takes in memory.
    package var byteCount: Int { values.count * MemoryLayout<Float>.size }

    /// The numbers of one of its rows of `count` numbers.
    func numbers(ofRow row: Int, count: Int) -> [Double] { values[row * count..<(row + 1) * count].map { Double($0) } }

    /// Arrays are equal that come from equal files.
    package static func == (a: StoredArray, b: StoredArray) -> Bool { a.digest == b.digest }
}
