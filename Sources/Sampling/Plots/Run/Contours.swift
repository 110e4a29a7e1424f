/// A density at the points of a grid, and the lines within which most of its mass lies.
struct DensityGrid {
    /// Points along each axis.
    static let size = 160

    /// The square that the grid covers, from edge to edge.
    let horizontal: ClosedRange<Double>
    /// The square that the grid covers, from edge to edge.
    let vertical: ClosedRange<Double>
    /// At the midpoints of small squares, row by row from the lower left, the log density, up to a constant. What is no number has
    /// no mass.
    let logDensities: [Double]

    /// The coordinate of a column's points.
    func x(_ column: Double) -> Double {
        horizontal.lowerBound + (column + 0.5) * (horizontal.upperBound - horizontal.lowerBound) / Double(Self.size)
    }

    /// The coordinate of a row's points.
    func y(_ row: Double) -> Double {
        vertical.lowerBound + (row + 0.5) * (vertical.upperBound - vertical.lowerBound) / Double(Self.size)
    }

    /// The density above which a part of the grid's mass lies: the edge of the smallest region that holds so much (Hyndman 1996,
    /// "Computing and graphing highest density regions"), as a part of the largest; nil where there is no mass.
    func thresholds(ofMass parts: [Double]) -> [Double?] {
        let sorted = densities.sorted(by: >)
        let total = sorted.reduce(0, +)
        guard total > 0 else { return parts.map { _ in nil } }
        return parts.map { part in
            var sum = 0.0
            for density in sorted {
                sum += density
                if sum >= part * total { return density }
            }
            return sorted.last
        }
    }

    /// The densities as parts of the largest.
    var densities: [Double] { TargetDensity.parts(logDensities) }

    /// The line on which the density is `threshold`, as pieces in the density's coordinates: marching squares (Lorensen and Cline
    /// 1987, in the plane), with straight interpolation along the edges.
    func contour(at threshold: Double) -> [(from: (x: Double, y: Double), to: (x: Double, y: Double))] {
        let (size, values) = (Self.size, densities)
        var pieces: [(from: (x: Double, y: Double), to: (x: Double, y: Double))] = []
        for row in 0..<size - 1 {
            for column in 0..<size - 1 {
                // Counter-clockwise from the lower left.
                let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map { right, up in
                    (
                        x: Double(column + right), y: Double(row + up),
                        value: values[(row + up) * size + column + right] - threshold
                    )
                }
                guard corners.contains(where: { $0.value >= 0 }), corners.contains(where: { $0.value < 0 }) else {
                    continue
                }
                var crossings: [(x: Double, y: Double)] = []
                for index in corners.indices {
                    let (a, b) = (corners[index], corners[(index + 1) % 4])
                    guard (a.value >= 0) != (b.value >= 0) else { continue }
                    let part = a.value / (a.value - b.value)
                    crossings.append((x(a.x + part * (b.x - a.x)), y(a.y + part * (b.y - a.y))))
                }
                // A saddle has four crossings: two pieces, cut so that the corner that the walk began at stands alone.
                if crossings.count == 4 { crossings = [crossings[3], crossings[0], crossings[1], crossings[2]] }
                for index in stride(from: 0, to: crossings.count - 1, by: 2) {
                    pieces.append((crossings[index], crossings[index + 1]))
                }
            }
        }
        return pieces
    }
}
