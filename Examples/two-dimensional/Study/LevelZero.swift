import EnergyModels
import Foundation
import RandomStreams
import VectorMath

/// A density as it is at the last noise level, integrated numerically over [-1.6, 1.6]^2: what a sampler that makes no
/// mistake samples. The densities of these tasks have nothing beyond.
struct LevelZero: Sendable {
    /// Half the side of the square.
    static let reach = 1.6
    /// Cells along each axis for total variation.
    static let cells = 16

    /// Points along each axis, at the midpoints of small squares.
    private let points: Int
    /// The mass of each small square, row by row from the lower left, as sums up to and with it.
    private let sums: [Double]
    /// The mass of each cell, row by row from the lower left; adds up to 1.
    let cellMasses: [Double]
    /// The logarithm of the integral of exp(l), with l as it is evaluated.
    let logNormalizer: Double

    /// - Parameters:
    ///   - level: the noise level.
    ///   - pointsPerCell: along each axis. 32 are 0.00625 apart, a quarter of the noise at level 0 of the cosine schedule
    ///     with 100 levels: the midpoint rule's error is far below that of any sampling then.
    init(_ density: any Density, at level: NoiseLevel, pointsPerCell: Int) throws(EvaluationError) {
        let points = Self.cells * pointsPerCell
        let spacing = 2 * Self.reach / Double(points)
        func coordinate(_ index: Int) -> Double { -Self.reach + (Double(index) + 0.5) * spacing }
        var evaluator = density.evaluator(lanes: points, at: level)
        var evaluation = Evaluation(dimension: 2, lanes: points)
        var logDensities: [Double] = []
        logDensities.reserveCapacity(points * points)
        var x = LaneMatrix(rows: 2, lanes: points)
        for row in 0..<points {
            for column in 0..<points {
                x[0, column] = coordinate(column)
                x[1, column] = coordinate(row)
            }
            try evaluator.evaluate(at: x, into: &evaluation)
            logDensities += evaluation.logDensity
        }
        let top = logDensities.reduce(-.infinity) { $1.isFinite ? max($0, $1) : $0 }
        let masses = logDensities.map { $0.isFinite ? exp($0 - top) : 0 }
        let total = masses.reduce(0, +)
        logNormalizer = top + log(total) + 2 * log(spacing)
        var sum = 0.0
        var cellMasses = [Double](repeating: 0, count: Self.cells * Self.cells)
        sums = masses.enumerated().map { index, mass in
            let (row, column) = (index / points / pointsPerCell, index % points / pointsPerCell)
            cellMasses[row * Self.cells + column] += mass / total
            sum += mass / total
            return sum
        }
        self.cellMasses = cellMasses
        self.points = points
    }

    /// The expectation of a quantity, over those points that have it.
    func mean(_ quantity: (Point) -> Double?) -> Double {
        var (total, mass, before) = (0.0, 0.0, 0.0)
        for (index, sum) in sums.enumerated() {
            if sum > before, let value = quantity(midpoint(index)) {
                total += (sum - before) * value
                mass += sum - before
            }
            before = sum
        }
        return total / mass
    }

    /// Independent samples, uniform within the small squares; the same for the same seed.
    func samples(_ count: Int, seed: UInt64) -> [Point] {
        let spacing = 2 * Self.reach / Double(points)
        func uniforms(_ purpose: RandomStream.Purpose, _ number: Int) -> [Double] {
            var uniforms = [Double](repeating: 0, count: count)
            RandomStream(seed: seed, firstChain: 0)
                .fillUniforms(&uniforms, purpose: purpose, level: 0, transition: number)
            return uniforms
        }
        let (places, along, across) = (uniforms(.dataRow, 0), uniforms(.dataPoint, 0), uniforms(.dataPoint, 1))
        return places.indices.map { index in
            let middle = midpoint(square(holding: places[index]))
            return Point(x: middle.x + (along[index] - 0.5) * spacing, y: middle.y + (across[index] - 0.5) * spacing)
        }
    }

    private func midpoint(_ index: Int) -> Point {
        let spacing = 2 * Self.reach / Double(points)
        return Point(
            x: -Self.reach + (Double(index % points) + 0.5) * spacing,
            y: -Self.reach + (Double(index / points) + 0.5) * spacing)
    }

    /// The first small square whose sum reaches a part of the mass.
    private func square(holding part: Double) -> Int {
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] < part { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
