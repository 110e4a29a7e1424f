import EnergyModels
import Foundation
import Testing
import VectorMath

@Suite("Gaussian mixture")
struct GaussianMixtureTests {
    private static let means = [[0.5, 0], [-0.5, 0.7], [1, -2]]
    private static let deviations = [[0.03, 0.1], [0.5, 0.4], [1.5, 0.2]]
    private static let weights = [1.0, 2, 5]
    private static let mixture = GaussianMixture(
        means: means, standardDeviations: deviations, weights: weights)

    /// Log density and score by the definition, without care for the tails.
    private static func direct(_ x: [Double], _ level: NoiseLevel) -> (logDensity: Double, score: [Double]) {
        var total = 0.0
        var slope = [0.0, 0.0]
        for component in 0..<3 {
            var density = weights[component] / 8
            var pull = [0.0, 0.0]
            for axis in 0..<2 {
                let variance =
                    level.signalVariance * deviations[component][axis] * deviations[component][axis]
                    + level.noiseVariance
                let offset = x[axis] - level.signal * means[component][axis]
                density *= exp(-offset * offset / (2 * variance)) / (2 * .pi * variance).squareRoot()
                pull[axis] = -offset / variance
            }
            total += density
            for axis in 0..<2 { slope[axis] += density * pull[axis] }
        }
        return (log(total), slope.map { $0 / total })
    }

    @Test("It follows its definition", arguments: [0, 5, 50, 99])
    func definition(index: Int) throws {
        let level = cosineLevels[index]
        let points = spread(200, dimension: 2, reach: 2.5)
        let evaluation = try evaluate(Self.mixture, at: points, level: level)
        for (lane, point) in points.enumerated() {
            let expected = Self.direct(point, level)
            let scale = max(1, expected.logDensity.magnitude)
            #expect((evaluation.logDensity[lane] - expected.logDensity).magnitude < 1e-12 * scale)
            for axis in 0..<2 {
                let difference = evaluation.score[axis, lane] - expected.score[axis]
                #expect(difference.magnitude < 1e-11 * max(1, expected.score[axis].magnitude))
            }
        }
    }

    @Test("It integrates to one", arguments: [10, 40, 99])
    func normalised(index: Int) throws {
        let total = try integral(of: Self.mixture, level: cosineLevels[index], reach: 9, cells: 300)
        #expect((total - 1).magnitude < 1e-6)
    }

    @Test("Its score is the gradient of its log density", arguments: [0, 10, 50, 99])
    func score(index: Int) throws {
        let level = cosineLevels[index]
        let points = spread(100, dimension: 2, reach: 3)
        #expect(try worstScoreError(of: Self.mixture, at: points, level: level, step: 2e-4 + level.noise * 1e-3) < 1e-6)
    }

    @Test("Far away it is the component that reaches farthest", arguments: [1.0, 1e2, 1e4, 1e6])
    func tails(distance: Double) throws {
        let level = cosineLevels[20]
        let wide = level.signalVariance * 1.5 * 1.5 + level.noiseVariance
        let sigma = wide.squareRoot()
        let x = level.signal + 8 * sigma * distance
        let y = level.signal * -2
        let evaluation = try evaluate(Self.mixture, at: [[x, y], [-x, y]], level: level)
        let narrow = level.signalVariance * 0.2 * 0.2 + level.noiseVariance
        let exponent = -0.5 * 64 * distance * distance
        let expected = exponent + log(5 / 8.0) - log(2 * .pi * (wide * narrow).squareRoot())
        #expect((evaluation.logDensity[0] / expected - 1).magnitude < 1e-10)
        #expect((evaluation.score[0, 0] / (-8 * distance / sigma) - 1).magnitude < 1e-10)
        #expect(evaluation.logDensity[1].isFinite)
        #expect(evaluation.score[0, 1].isFinite)
        #expect(evaluation.score[0, 1] > 0)
    }

    @Test("Only the ratios of weights count")
    func weightsAreNormalised() throws {
        let scaled = GaussianMixture(
            means: Self.means, standardDeviations: Self.deviations, weights: Self.weights.map { $0 * 64 })
        let points = spread(20, dimension: 2, reach: 2)
        #expect(
            try evaluate(scaled, at: points, level: cosineLevels[3])
                == evaluate(Self.mixture, at: points, level: cosineLevels[3]))
    }

    @Test("A point that is not a number gives a log density that is none either")
    func notANumber() throws {
        let evaluation = try evaluate(Self.mixture, at: [[.nan, 0], [0, 0]], level: cosineLevels[3])
        #expect(!evaluation.logDensity[0].isFinite || !evaluation.score[0, 0].isFinite)
        #expect(evaluation.logDensity[1].isFinite)
    }
}
