import Composition
import EnergyModels
import Foundation
import Testing
import VectorMath

@testable import Sampling

/// Two Gaussians of 2 x 2 pixels, with correlations, in windows that share the middle column of 2 x 3 pixels: a Gaussian
/// again, whose precision is the weighted sum of theirs, each at its pixels.
private struct TwoWindows {
    static let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 20))
    static let shape = PointShape([1, 2, 2]) ?? PointShape(dimension: 4)
    static let means = [[0.8, -0.4, 0.1, 0.6], [-0.5, 0.3, 0.9, 0.2]]
    static let covariances = [covariance(0.15), covariance(-0.12)]

    private static func covariance(_ tilt: Double) -> [[Double]] {
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: 4), count: 4)
        for row in 0..<4 {
            for column in 0..<4 {
                matrix[row][column] = row == column ? 0.4 + 0.1 * Double(row) : tilt / Double(1 + abs(row - column))
            }
        }
        return matrix
    }

    /// By window, the pixels of the canvas that it shows.
    static let pixels = [[0, 1, 3, 4], [1, 2, 4, 5]]

    /// Precision and mean at level 0 where both windows have this weight.
    static func law(weight: Double) -> (precision: [[Double]], mean: [Double]) {
        let level = schedule.levels[0]
        var precision = [[Double]](repeating: [Double](repeating: 0, count: 6), count: 6)
        var shift = [Double](repeating: 0, count: 6)
        for window in 0..<2 {
            var noised = covariances[window]
            for row in 0..<4 {
                for column in 0..<4 { noised[row][column] *= level.signalVariance }
                noised[row][row] += level.noiseVariance
            }
            for row in 0..<4 {
                let column = solved(noised, (0..<4).map { $0 == row ? 1 : 0 })
                for other in 0..<4 {
                    precision[pixels[window][other]][pixels[window][row]] += weight * column[other]
                    shift[pixels[window][other]] += weight * column[other] * level.signal * means[window][row]
                }
            }
        }
        return (precision, solved(precision, shift))
    }

    /// The solution of a linear system, by elimination; for positive definite matrices.
    private static func solved(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var (rows, x) = (matrix, right)
        for pivot in x.indices {
            for row in x.indices where row != pivot {
                let factor = rows[row][pivot] / rows[pivot][pivot]
                for column in x.indices { rows[row][column] -= factor * rows[pivot][column] }
                x[row] -= factor * x[pivot]
            }
        }
        return x.indices.map { x[$0] / rows[$0][$0] }
    }

    static func plan() throws -> SamplingPlan {
        let windows = (0..<2).map { index in
            (
                of: TargetExpression.leaf("\(index)"),
                place: Tapestry.Placement(shape: shape, row: 0, column: index, scale: 1), weight: Double?.none
            )
        }
        let canvas = try #require(PointShape([1, 2, 3]))
        let target = TargetExpression.tapestry(Tapestry(canvas: canvas, windows: windows, .product))
        let models: [String: any Density] = Dictionary(
            uniqueKeysWithValues: (0..<2).map {
                ("\($0)", Gaussian(mean: means[$0], covariance: covariances[$0], shape: shape))
            })
        let step = StepSizes.given(.constant(0.25))
        return SamplingPlan(
            density: try target.density(models: models), totalWeight: target.totalWeight, schedule: schedule,
            settings: SamplerSettings(
                kernel: .hmc(step: step, leapfrog: LeapfrogSettings(steps: 6), acceptance: .energy), transitions: 8,
                levels: 0...19), seed: 17, lanes: 64)
    }

    /// The largest of the 27 first and second moments of `points` in coordinates in which `law` is N(0, I), each in its
    /// standard deviations from what it is there.
    static func worst(_ points: [[Double]], _ law: (precision: [[Double]], mean: [Double])) -> Double {
        // With precision = L L^T, z = L^T (x - mean) is N(0, I).
        var lower = law.precision
        for column in 0..<6 {
            for row in column..<6 {
                var sum = law.precision[row][column]
                for before in 0..<column { sum -= lower[row][before] * lower[column][before] }
                lower[row][column] = row == column ? sum.squareRoot() : sum / lower[column][column]
            }
        }
        let factor = lower
        let whitened: [[Double]] = points.map { point in
            (0..<6).map { column in
                var sum = 0.0
                for row in column..<6 { sum += factor[row][column] * (point[row] - law.mean[row]) }
                return sum
            }
        }
        let root = Double(points.count).squareRoot()
        var worst = 0.0
        for one in 0..<6 {
            let mean: Double = whitened.reduce(0.0) { $0 + $1[one] }
            worst = max(worst, abs(mean) / root)
            for other in one..<6 {
                let expected = one == other ? 1.0 : 0.0
                let sum: Double = whitened.reduce(0.0) { $0 + $1[one] * $1[other] - expected }
                worst = max(worst, abs(sum) / root / (1 + expected).squareRoot())
            }
        }
        return worst
    }
}

@Suite("The law of a tapestry")
struct TapestryLawTests {
    /// 27 moments of 4 096 chains, each nearly normal: one is beyond 4.9 standard deviations in 3 of 100 000 seeds.
    @Test("HMC samples overlapping windows with each pixel counted once in all, not the overlap twice")
    func overlapping() throws {
        let plan = try TwoWindows.plan()
        var points: [[Double]] = []
        for index in 0..<64 {
            var block = ChainBlock(plan: plan, index: index)
            while try block.advance() {}
            points += (0..<64).map { lane in (0..<6).map { block.state.position[$0, lane] } }
        }
        // A column that two windows show between two that one shows: 3/4 each.
        #expect(TwoWindows.worst(points, TwoWindows.law(weight: 0.75)) < 4.9)
        #expect(TwoWindows.worst(points, TwoWindows.law(weight: 1)) > 10)
        #expect(TwoWindows.worst(points, TwoWindows.law(weight: 0.5)) > 10)
    }

    @Test("Where chains start a window's bounds hold, and beside it there are none")
    func start() {
        let density = StartDensity.folded(0.7, low: -.infinity, high: .infinity)
        #expect(abs(density - exp(-0.245) / (2 * Double.pi).squareRoot()) < 1e-15)
        let bounds = Bounds(low: [-.infinity, -0.5], high: [.infinity, 0.5])
        var (x, momentum) = (LaneMatrix(rows: 2, lanes: 1, repeating: 0.7), LaneMatrix(rows: 2, lanes: 1))
        bounds.fold(&x, momentum: &momentum)
        #expect(x[0, 0] == 0.7 && abs(x[1, 0] - 0.3) < 1e-15)
        #expect(StartDensity.logDensity(at: x, deviation: 1, within: bounds)[0].isFinite)
    }
}
