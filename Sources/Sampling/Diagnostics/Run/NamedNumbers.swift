import RandomStreams
import VectorMath

/// The numbers of a point that stand for it in diagnostics: its coordinates where they are few, and else its mean and its
/// product with eight fixed random directions; its norm in any case.
struct NamedNumbers {
    /// A point with more coordinates than this is told of by projections.
    static let mostCoordinates = 8
    /// How many directions there are.
    static let projections = 8

    /// In the order of ``fill(_:of:)``.
    let names: [String]
    private let dimension: Int
    /// Of unit length, [projections][dimension]; none for few coordinates.
    private let directions: [[Float]]

    /// - Parameter dimension: coordinates of a point, 1 or more.
    init(dimension: Int) {
        self.dimension = dimension
        guard dimension > Self.mostCoordinates else {
            names = (0..<dimension).map { "x[\($0)]" } + ["norm"]
            directions = []
            return
        }
        names = ["mean", "norm"] + (0..<Self.projections).map { "projection[\($0)]" }
        // The same for every job of the dimension, whatever its seed.
        directions = (0..<Self.projections).map { index in
            var normals = LaneMatrix(rows: dimension, lanes: 1)
            RandomStream(seed: 0, firstChain: index).fillNormals(&normals, purpose: .projection, level: 0)
            let length = normals.elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return normals.elements.map { Float($0 / length) }
        }
    }

    /// Puts those of a point, [dimension], into `values`, which has as many places as there are names.
    func fill(_ values: inout [Double], of point: ArraySlice<Float>) {
        var (sum, squares) = (0.0, 0.0)
        for coordinate in point {
            sum += Double(coordinate)
            squares += Double(coordinate) * Double(coordinate)
        }
        let norm = squares.squareRoot()
        guard !directions.isEmpty else {
            for (axis, coordinate) in point.enumerated() { values[axis] = Double(coordinate) }
            values[dimension] = norm
            return
        }
        (values[0], values[1]) = (sum / Double(dimension), norm)
        for (index, direction) in directions.enumerated() {
            var product = 0.0
            for (axis, coordinate) in point.enumerated() { product += Double(coordinate) * Double(direction[axis]) }
            values[2 + index] = product
        }
    }
}
