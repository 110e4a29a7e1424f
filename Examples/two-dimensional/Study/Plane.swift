import StrictJSON

/// A place in the plane.
struct Point: Equatable, Sendable {
    var x: Double
    var y: Double

    /// The distance to another place.
    func distance(to other: Point) -> Double {
        let (dx, dy) = (x - other.x, y - other.y)
        return (dx * dx + dy * dy).squareRoot()
    }
}

/// A rectangle with its edges.
struct Rectangle: Equatable, Sendable {
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>

    var area: Double { (x.upperBound - x.lowerBound) * (y.upperBound - y.lowerBound) }

    func contains(_ point: Point) -> Bool { x.contains(point.x) && y.contains(point.y) }

    /// The uniform density on it, as a job describes a model.
    var model: JSONText {
        .object([
            ("kind", .string("uniform_box")),
            ("low", .array([.number(x.lowerBound), .number(y.lowerBound)])),
            ("high", .array([.number(x.upperBound), .number(y.upperBound)])),
        ])
    }
}
