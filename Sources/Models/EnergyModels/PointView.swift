package import VectorMath

/// Which coordinates of a larger point a density is asked about: a window on a canvas, say.
package struct PointView: Hashable, Sendable {
    /// By coordinate of the density's own point, the coordinate of the larger one. No two are the same.
    package let coordinates: [Int32]

    /// Those coordinates, each at most once.
    package init(coordinates: [Int32]) { self.coordinates = coordinates }

    /// The same coordinates where the larger point is itself what `outer` shows of one that is larger still.
    package func within(_ outer: PointView?) -> PointView {
        guard let outer else { return self }
        return PointView(coordinates: coordinates.map { outer.coordinates[Int($0)] })
    }

    /// Takes what the view shows of `x` [larger dimension][lanes].
    /// - Parameter part: where it goes, [dimension][lanes].
    package func take(from x: LaneMatrix, into part: inout LaneMatrix) {
        let lanes = x.lanes
        let source = x.elements.span
        var target = part.elements.mutableSpan
        for row in coordinates.indices {
            let (from, to) = (Int(coordinates[row]) * lanes, row * lanes)
            for lane in 0..<lanes { target[to + lane] = source[from + lane] }
        }
    }

    /// Adds a multiple of `part` [dimension][lanes] to where the view shows `x` [larger dimension][lanes].
    package func add(_ factor: Double, _ part: LaneMatrix, to x: inout LaneMatrix) {
        let lanes = x.lanes
        let source = part.elements.span
        var target = x.elements.mutableSpan
        for row in coordinates.indices {
            let (from, to) = (row * lanes, Int(coordinates[row]) * lanes)
            for lane in 0..<lanes { target[to + lane] += factor * source[from + lane] }
        }
    }
}
