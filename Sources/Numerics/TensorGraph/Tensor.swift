/// An array of single-precision numbers of any rank, row after row.
package struct Tensor: Sendable, Equatable {
    /// The lengths of the axes; empty for a single number.
    package let shape: [Int]
    /// Row-major.
    package let values: [Float]

    /// - Precondition: as many values as the shape holds.
    package init(shape: [Int], values: [Float]) {
        precondition(values.count == shape.elementCount, "\(values.count) values for shape \(shape)")
        self.shape = shape
        self.values = values
    }
}

/// Shapes are arrays of lengths, outermost axis first; arithmetic pads and stretches them as NumPy does.
extension [Int] {
    /// How many numbers a tensor of this shape holds.
    var elementCount: Int { reduce(1, *) }

    /// The shape that two operands of an elementwise operation have together.
    func broadcast(with other: [Int]) -> [Int] {
        let rank = Swift.max(count, other.count)
        return (0..<rank).map { axis in
            let a = padded(to: rank)[axis]
            let b = other.padded(to: rank)[axis]
            precondition(a == b || a == 1 || b == 1, "shapes \(self) and \(other) do not go together")
            return a == 1 ? b : a
        }
    }

    /// The same shape with leading axes of length 1.
    func padded(to rank: Int) -> [Int] { [Int](repeating: 1, count: rank - count) + self }

    /// Distances, in elements, between neighbours along each axis of a row-major tensor.
    var strides: [Int] {
        var strides = [Int](repeating: 1, count: count)
        for axis in indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * self[axis + 1] }
        return strides
    }

    /// The strides by which a tensor of this shape is read over a larger shape: 0 along stretched axes.
    func strides(over shape: [Int]) -> [Int] {
        let own = padded(to: shape.count)
        return zip(own, zip(own.strides, shape)).map { length, rest in length == 1 && rest.1 != 1 ? 0 : rest.0 }
    }
}
