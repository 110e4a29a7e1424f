extension NpyReader {
    /// All numbers of an array in C order and single precision: floating-point numbers rounded to nearest, whole
    /// numbers exactly.
    /// - Throws: `.malformed` when it holds truth values, or whole numbers that single precision can't hold.
    package func floats() throws(RunFolderError) -> [Float] {
        switch header.elementType {
        case .float16: return try words(as: UInt16.self).map { Float(Float16(bitPattern: $0)) }
        case .float32: return try words(as: UInt32.self).map { Float(bitPattern: $0) }
        case .float64: return try words(as: UInt64.self).map { Float(Double(bitPattern: $0)) }
        case .bool: throw malformed("holds truth values; give numbers, a.astype('float32')")
        case .uint64: return try exactly(try words(as: UInt64.self))
        default: return try exactly(try integers())
        }
    }

    /// All numbers of an array of whole numbers of any size, or of truth values, 0 and 1, in C order.
    /// - Throws: `.malformed` when it holds other numbers, or larger ones than `Int`.
    package func integers() throws(RunFolderError) -> [Int] {
        switch header.elementType {
        case .bool: return try words(as: UInt8.self).map { $0 == 0 ? 0 : 1 }
        case .int8: return try words(as: Int8.self).map { Int($0) }
        case .uint8: return try words(as: UInt8.self).map { Int($0) }
        case .int16: return try words(as: Int16.self).map { Int($0) }
        case .uint16: return try words(as: UInt16.self).map { Int($0) }
        case .int32: return try words(as: Int32.self).map { Int($0) }
        case .uint32: return try words(as: UInt32.self).map { Int($0) }
        case .int64: return try words(as: Int64.self).map { Int($0) }
        case .uint64:
            let words = try words(as: UInt64.self)
            if let index = words.firstIndex(where: { $0 > UInt64(Int.max) }) {
                throw malformed("number \(index) is \(words[index]), more than \(Int.max)")
            }
            return words.map { Int($0) }
        case .float16, .float32, .float64:
            throw malformed(
                "must hold whole numbers, holds \(header.elementType.rawValue); convert it with a.astype('int64')")
        }
    }

    private func exactly<Number: BinaryInteger>(_ values: [Number]) throws(RunFolderError) -> [Float] {
        if let index = values.firstIndex(where: { Float(exactly: $0) == nil }) {
            throw malformed(
                "number \(index) is \(values[index]), which single precision can't hold; round it with "
                    + "a.astype('float32') if that will do")
        }
        return values.map { Float($0) }
    }

    /// The points of an array [n, …shape], or [chains, draws, …shape] as a run's samples are, one behind the other:
    /// [n * dimension].
    ///
    /// - Parameter point: the shape of a point.
    /// - Throws: `.malformed` when it has another shape, or a coordinate that is not finite.
    package func points(shape point: [Int]) throws(RunFolderError) -> [Float] {
        try expectPoints(of: point)
        let dimension = point.reduce(1, *)
        let values = try floats()
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw malformed(
                "[\(index / dimension), \(index % dimension)] is \(values[index]) in single precision; "
                    + "every coordinate must be finite")
        }
        return values
    }

    /// The same of an array of bytes, as they are; nil for one of other numbers.
    /// - Throws: `.malformed` when it has another shape.
    package func bytes(shape point: [Int]) throws(RunFolderError) -> [UInt8]? {
        try expectPoints(of: point)
        return header.elementType == .uint8 ? try words(as: UInt8.self) : nil
    }

    private func expectPoints(of point: [Int]) throws(RunFolderError) {
        let shape = header.shape
        let dimension = point.reduce(1, *)
        guard 1...2 ~= shape.count - point.count, Array(shape.suffix(point.count)) == point else {
            let isTransposed = point.count == 1 && shape.count == 2 && shape[0] == dimension
            let axes = point.map(String.init).joined(separator: ", ")
            let rows = point.count == 1 ? "rows of \(dimension) coordinates" : "points of the shape \(point)"
            throw malformed(
                "has the shape \(shape); give \(rows), [n, \(axes)], or samples, [chains, draws, \(axes)]"
                    + (isTransposed ? "; is it transposed? save a.T" : ""))
        }
    }

    /// The labels of `count` points, whatever the array's shape: [count], from 0 to `classes` - 1.
    /// - Throws: `.malformed` when there are more or fewer, or one is no label.
    package func labels(count: Int, classes: Int) throws(RunFolderError) -> [Int32] {
        guard header.count == count else {
            let isOneHot = header.shape == [count, classes]
            throw malformed(
                "has the shape \(header.shape); give one label per point, [\(count)]"
                    + (isOneHot ? ", which for rows of zeros and a one is a.argmax(axis=1)" : ""))
        }
        let values = try integers()
        if let index = values.firstIndex(where: { !(0..<classes).contains($0) }) {
            throw malformed("[\(index)] is \(values[index]); labels go from 0 to \(classes - 1)")
        }
        return values.map { Int32($0) }
    }
}
