import EnergyModels
import Foundation
import Testing
import VectorMath

/// The inverse and the logarithm of the determinant by elimination with pivots.
private func inverse(of matrix: [[Double]]) -> (inverse: [[Double]], logDeterminant: Double) {
    let count = matrix.count
    var rows = matrix.enumerated().map { index, row in row + (0..<count).map { $0 == index ? 1.0 : 0.0 } }
    var logDeterminant = 0.0
    for column in 0..<count {
        let pivot = (column..<count).reduce(column) {
            rows[$1][column].magnitude > rows[$0][column].magnitude ? $1 : $0
        }
        rows.swapAt(column, pivot)
        logDeterminant += log(rows[column][column].magnitude)
        let scale = rows[column][column]
        rows[column] = rows[column].map { $0 / scale }
        for row in 0..<count where row != column {
            let factor = rows[row][column]
            rows[row] = zip(rows[row], rows[column]).map { $0 - factor * $1 }
        }
    }
    return (rows.map { Array($0.suffix(count)) }, logDeterminant)
}

@Suite("Gaussian")
struct GaussianTests {
    private static let mean = [0.3, -0.8]
    private static let covariance = [[0.5, 0.3], [0.3, 0.4]]
    private static let correlated = Gaussian(mean: mean, covariance: covariance)

    /// A covariance in eight dimensions with eigenvalues from 0.1 to about 6: B B' + 0.1.
    private static let covariance8: [[Double]] = {
        let factor = spread(8, dimension: 8, reach: 1)
        return (0..<8).map { i in
            (0..<8).map { j in
                (0..<8).reduce(i == j ? 0.1 : 0) { $0 + factor[i][$1] * factor[j][$1] }
            }
        }
    }()

    @Test("In eight dimensions it agrees with an explicit inverse", arguments: [0, 20, 60, 99])
    func eightDimensions(index: Int) throws {
        let level = cosineLevels[index]
        let mean = (0..<8).map { 0.2 * Double($0) - 0.7 }
        let noised = (0..<8).map { i in
            (0..<8).map { level.signalVariance * Self.covariance8[i][$0] + (i == $0 ? level.noiseVariance : 0) }
        }
        let (precision, logDeterminant) = inverse(of: noised)
        let points = spread(50, dimension: 8, reach: 3)
        let density = Gaussian(mean: mean, covariance: Self.covariance8)
        let evaluation = try evaluate(density, at: points, level: level)
        for (lane, point) in points.enumerated() {
            let centred = zip(point, mean).map { $0 - level.signal * $1 }
            let score = precision.map { row in -zip(row, centred).reduce(0) { $0 + $1.0 * $1.1 } }
            let logDensity =
                0.5 * zip(score, centred).reduce(0) { $0 + $1.0 * $1.1 } - 0.5 * logDeterminant
                - 4 * log(2 * Double.pi)
            #expect((evaluation.logDensity[lane] - logDensity).magnitude < 1e-10 * max(1, logDensity.magnitude))
            for row in 0..<8 {
                #expect((evaluation.score[row, lane] - score[row]).magnitude < 1e-10 * max(1, score[row].magnitude))
            }
        }
    }

    @Test("With a diagonal covariance it is a mixture of one component", arguments: [0, 30, 99])
    func mixtureOfOne(index: Int) throws {
        let level = cosineLevels[index]
        let gaussian = Gaussian(mean: [0.4, -1, 2], covariance: [[0.09, 0, 0], [0, 1.44, 0], [0, 0, 4]])
        let mixture = GaussianMixture(
            means: [[0.4, -1, 2]], standardDeviations: [[0.3, 1.2, 2]], weights: [3])
        let points = spread(40, dimension: 3, reach: 4)
        let (one, other) = try (
            evaluate(gaussian, at: points, level: level), evaluate(mixture, at: points, level: level)
        )
        for lane in points.indices {
            let scale = max(1, one.logDensity[lane].magnitude)
            #expect((one.logDensity[lane] - other.logDensity[lane]).magnitude < 1e-13 * scale)
            for row in 0..<3 {
                let difference = one.score[row, lane] - other.score[row, lane]
                #expect(difference.magnitude < 1e-13 * max(1, one.score[row, lane].magnitude))
            }
        }
    }

    @Test("It integrates to one", arguments: [0, 40, 80, 99])
    func normalised(index: Int) throws {
        let total = try integral(of: Self.correlated, level: cosineLevels[index], reach: 7, cells: 200)
        #expect((total - 1).magnitude < 1e-9)
    }

    @Test("Its score is the gradient of its log density", arguments: [0, 10, 50, 99])
    func score(index: Int) throws {
        let points = spread(100, dimension: 2, reach: 3)
        #expect(try worstScoreError(of: Self.correlated, at: points, level: cosineLevels[index], step: 1e-3) < 1e-8)
    }

    @Test("Moving an evaluator to a level is the same as making one there")
    func moving() throws {
        let box = UniformBox(low: [-1, 0], high: [1, 2])
        let mixture = GaussianMixture(
            means: [[0, 1], [1, 0]], standardDeviations: [[1, 1], [0.5, 2]], weights: [1, 2])
        var x = LaneMatrix(rows: 2, lanes: 3)
        x.elements = [0.1, 0.2, 0.3, -1, 0, 1]
        for density in [Self.correlated, box, mixture] as [any Density] {
            var moved = density.evaluator(lanes: 3, at: cosineLevels[99])
            var result = Evaluation(dimension: 2, lanes: 3)
            try moved.evaluate(at: x, into: &result)
            moved.move(to: cosineLevels[7])
            try moved.evaluate(at: x, into: &result)
            var made = density.evaluator(lanes: 3, at: cosineLevels[7])
            var expected = Evaluation(dimension: 2, lanes: 3)
            try made.evaluate(at: x, into: &expected)
            #expect(result == expected)
        }
    }

    @Test("A description names its density and knows its dimension")
    func descriptions() throws {
        let descriptions: [(ModelDescription, any Density)] = [
            (.gaussian(mean: PointArray(Self.mean), covariance: Self.covariance), Self.correlated),
            (
                .gaussianMixture(means: [[1, 2]], standardDeviations: [[1, 3]], weights: [1]),
                GaussianMixture(means: [[1, 2]], standardDeviations: [[1, 3]], weights: [1])
            ),
            (.uniformBox(low: [-1, 0], high: [1, 2]), UniformBox(low: [-1, 0], high: [1, 2])),
        ]
        let points = spread(10, dimension: 2, reach: 2)
        for (description, density) in descriptions {
            #expect(description.shape == PointShape(dimension: 2))
            #expect(description.density().dimension == 2)
            let level = cosineLevels[30]
            let described = try evaluate(description.density(), at: points, level: level)
            #expect(try described == evaluate(density, at: points, level: level))
        }
    }

    @Test("Its score has the bits of the plain sums", arguments: [1, 2, 3, 8, 11, 37])
    func sameBits(dimension: Int) throws {
        let factor = (0..<dimension).map { i in (0..<dimension).map { sin(Double(7 * i + 3 * $0 + 1)) } }
        let covariance = (0..<dimension).map { i in
            (0..<dimension).map { j in
                (0..<dimension).reduce(i == j ? 0.1 : 0) { $0 + factor[i][$1] * factor[j][$1] }
            }
        }
        let density = Gaussian(mean: [Double](repeating: 0, count: dimension), covariance: covariance)
        for level in [cosineLevels[0], cosineLevels[50]] {
            let plain = PlainGaussian.negativePrecision(
                of: covariance, signalVariance: level.signalVariance, noiseVariance: level.noiseVariance)
            // At the unit vectors the score is the matrix, column by column.
            let units = (0..<dimension).map { axis in (0..<dimension).map { $0 == axis ? 1.0 : 0.0 } }
            let evaluation = try evaluate(density, at: units, level: level)
            for row in 0..<dimension {
                for column in 0..<dimension {
                    #expect(evaluation.score[row, column].bitPattern == plain[row][column].bitPattern)
                }
            }
        }
    }
}
