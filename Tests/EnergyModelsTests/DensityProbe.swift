import EnergyModels
import VectorMath

/// What a density says at one point of one noise level.
func evaluate(_ density: any Density, at points: [[Double]], level: NoiseLevel) throws -> Evaluation {
    var x = LaneMatrix(rows: density.dimension, lanes: points.count)
    for (lane, point) in points.enumerated() {
        for row in 0..<density.dimension { x[row, lane] = point[row] }
    }
    var evaluator = density.evaluator(lanes: points.count, at: level)
    var evaluation = Evaluation(dimension: density.dimension, lanes: points.count)
    try evaluator.evaluate(at: x, into: &evaluation)
    return evaluation
}

/// The largest difference between the score and central differences of the log density (of fourth
/// order, with steps of `step`), relative to the larger of 1 and the score's size at the point.
func worstScoreError(
    of density: any Density, at points: [[Double]], level: NoiseLevel, step: Double
) throws -> Double {
    let score = try evaluate(density, at: points, level: level).score
    var worst = 0.0
    for axis in 0..<density.dimension {
        func shifted(_ steps: Double) throws -> [Double] {
            let moved = points.map { point in
                var moved = point
                moved[axis] += steps * step
                return moved
            }
            return try evaluate(density, at: moved, level: level).logDensity
        }
        let (far, near, back, backFar) = try (shifted(2), shifted(1), shifted(-1), shifted(-2))
        for lane in points.indices {
            let slope = (8 * (near[lane] - back[lane]) - (far[lane] - backFar[lane])) / (12 * step)
            let size = (0..<density.dimension).reduce(1.0) { max($0, score[$1, lane].magnitude) }
            let error = (slope - score[axis, lane]).magnitude / size
            worst = error.isNaN ? .infinity : max(worst, error)
        }
    }
    return worst
}

/// `count` points that fill the cube [-reach, reach]^dimension evenly.
func spread(_ count: Int, dimension: Int, reach: Double) -> [[Double]] {
    // Additive recurrences with the roots of primes: no two coordinates repeat each other.
    let primes = [2.0, 3, 5, 7, 11, 13, 17, 19]
    return (1...count).map { index in
        (0..<dimension).map { axis in
            let turn = (Double(index) * primes[axis].squareRoot()).truncatingRemainder(dividingBy: 1)
            return reach * (2 * turn - 1)
        }
    }
}

/// The integral of a density in the plane over [-reach, reach]^2 by the midpoint rule.
func integral(of density: any Density, level: NoiseLevel, reach: Double, cells: Int) throws -> Double {
    let width = 2 * reach / Double(cells)
    let axis = (0..<cells).map { -reach + (Double($0) + 0.5) * width }
    return try axis.reduce(0) { sum, x in
        let row = try evaluate(density, at: axis.map { [x, $0] }, level: level).logDensity
        return sum + row.reduce(0) { $0 + Elementary.exp($1) } * width * width
    }
}

/// The paper's schedule.
let cosineLevels = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100)).levels
