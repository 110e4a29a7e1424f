package import StrictJSON

/// The shape of a point: [2] for one of the plane, [3, 32, 32] for an image [channels, height, width].
///
/// There is at least one axis, every length is 1 or more, and there are at most ``mostCoordinates`` coordinates, so that
/// products of sizes stay far from overflowing. Where a point is a row of numbers they lie in C order, the last axis
/// fastest.
package struct PointShape: Hashable, Sendable, CustomStringConvertible {
    /// The most coordinates that a point has: an image of 3 x 1 024 x 1 024 and a little more.
    package static let mostCoordinates = 1 << 22
    /// The most axes that a shape has.
    package static let mostAxes = 8

    /// The lengths of the axes, the slowest first.
    package let lengths: [Int]
    /// The number of coordinates of a point: the product of the lengths.
    package let dimension: Int

    /// A shape with these lengths; nil where they are none, see ``problem(of:)``.
    package init?(_ lengths: [Int]) {
        guard Self.problem(of: lengths) == nil else { return nil }
        self.init(checked: lengths)
    }

    /// The shape of points with one axis, [dimension].
    /// - Parameter dimension: from 1 to ``mostCoordinates``.
    package init(dimension: Int) {
        precondition(1...Self.mostCoordinates ~= dimension, "a point of \(dimension) coordinates")
        self.init(checked: [dimension])
    }

    private init(checked lengths: [Int]) {
        self.lengths = lengths
        dimension = lengths.reduce(1, *)
    }

    /// Why these are not the lengths of a shape, such as "has no axis"; nil if they are.
    package static func problem(of lengths: [Int]) -> String? {
        guard !lengths.isEmpty else { return "has no axis" }
        guard lengths.count <= mostAxes else { return "has \(lengths.count) axes; at most \(mostAxes) are possible" }
        var dimension = 1
        for length in lengths {
            guard length >= 1 else { return "has an axis of length \(length); lengths are 1 or more" }
            let (product, overflows) = dimension.multipliedReportingOverflow(by: length)
            guard !overflows, product <= mostCoordinates else {
                return "has more than \(mostCoordinates) coordinates; make the points smaller"
            }
            dimension = product
        }
        return nil
    }

    /// Whether arrays of this shape are always given number by number. So they were before jobs knew of shapes, and the
    /// canonical text of those jobs has to stay as it is.
    package var isWrittenOut: Bool { lengths.count == 1 && dimension <= 4_096 }

    /// As a job writes it: `[3, 32, 32]`.
    package var description: String { "\(lengths)" }
}

extension PointShape {
    /// Reads `[3, 32, 32]`. - Throws: ``JSONProblem``.
    package static func decode(_ field: JSONField) throws(JSONProblem) -> PointShape {
        let wish = "the shape of a point, such as [3, 32, 32] for [channels, height, width]"
        var lengths: [Int] = []
        for entry in try field.array(wish) { lengths.append(try entry.integer(1...mostCoordinates)) }
        guard let shape = PointShape(lengths) else { throw field.problem(problem(of: lengths) ?? "must be \(wish)") }
        return shape
    }
}
