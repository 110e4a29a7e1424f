import EnergyModels
import Foundation
import VectorMath

/// A density in the plane as it is at the last level of the cosine schedule, integrated numerically.
struct LevelIntegral {
    /// The logarithm of its integral.
    let logNormalizer: Double
    /// The part of it in each cell of a 16 x 16 grid over [-w, w]^2, and at the end what lies around them.
    let cells: [Double]
    private let width: Double

    /// Midpoints w / 320 apart, in a square that reaches w / 2 beyond the grid.
    ///
    /// - Parameter halfWidth: w; 1.6 gives points 0.005 apart, an eighth of the narrowest standard deviation.
    init(_ density: any Density, halfWidth: Double = 1.6) throws {
        let perCell = 40
        let points = perCell * (Self.cellsPerAxis + 8)
        width = 2 * halfWidth / Double(Self.cellsPerAxis)
        let spacing = width / Double(perCell)
        var evaluator = density.evaluator(lanes: points, at: cosineSchedule.levels[0])
        var evaluation = Evaluation(dimension: 2, lanes: points)
        var sums = [Double](repeating: 0, count: Self.cellsPerAxis * Self.cellsPerAxis + 1)
        var x = LaneMatrix(rows: 2, lanes: points)
        for row in 0..<points {
            for column in 0..<points {
                x[0, column] = (Double(column - points / 2) + 0.5) * spacing
                x[1, column] = (Double(row - points / 2) + 0.5) * spacing
            }
            try evaluator.evaluate(at: x, into: &evaluation)
            for column in 0..<points {
                let cell = Self.cell(column / perCell - 4, row / perCell - 4)
                sums[cell] += exp(evaluation.logDensity[column]) * spacing * spacing
            }
        }
        let total = sums.reduce(0, +)
        logNormalizer = log(total)
        cells = sums.map { $0 / total }
    }

    private static let cellsPerAxis = 16

    private static func cell(_ column: Int, _ row: Int) -> Int {
        let inside = (0..<cellsPerAxis).contains(column) && (0..<cellsPerAxis).contains(row)
        return inside ? row * cellsPerAxis + column : cellsPerAxis * cellsPerAxis
    }

    /// The distance in total variation of weighted points from it.
    func totalVariation(_ points: [WeightedPoint]) -> Double {
        var found = [Double](repeating: 0, count: cells.count)
        let total = points.reduce(0.0) { $0 + $1.weight }
        for point in points {
            let place = [point.x, point.y].map { Int(($0 / width).rounded(.down)) + Self.cellsPerAxis / 2 }
            found[Self.cell(place[0], place[1])] += point.weight / total
        }
        return 0.5 * zip(found, cells).reduce(0.0) { $0 + ($1.0 - $1.1).magnitude }
    }

    /// The mean total variation of so many independent exact samples: each cell's count is binomial, and its mean
    /// deviation is 2 v C(n, v) p^v (1 - p)^(n - v + 1) with v = floor(n p) + 1 (de Moivre).
    func noise(_ count: Int) -> Double {
        let n = Double(count)
        return 0.5
            * cells.reduce(0.0) { sum, p in
                guard p > 0 else { return sum }
                let v = (n * p).rounded(.down) + 1
                let choices = lgamma(n + 1) - lgamma(v + 1) - lgamma(n - v + 1)
                return sum + 2 * v * exp(choices + v * log(p) + (n - v + 1) * log1p(-p)) / n
            }
    }
}

/// A point of the plane that counts as much as its weight.
struct WeightedPoint {
    var x: Double
    var y: Double
    var weight: Double
}
