import Composition
import EnergyModels
import Foundation
import Testing
import VectorMath

@Suite("Mixtures of pictures")
struct TemplateMixtureTests {
    private static let shape = PointShape([3, 4, 8]) ?? PointShape(dimension: 96)

    /// Pictures whose pixels follow no pattern.
    private static func pictures(_ count: Int, turn: Double) -> [[Double]] {
        (0..<count).map { picture in
            (0..<shape.dimension).map { sin(turn * Double(1 + picture * shape.dimension + $0)) }
        }
    }

    private struct Pictures {
        let means: [[Double]]
        let weights: [Double]
        let deviation: Double

        var density: GaussianMixture {
            GaussianMixture(
                means: means,
                standardDeviations: means.map { $0.map { _ in deviation } }, weights: weights, shape: shape)
        }

        func variance(_ level: NoiseLevel) -> Double {
            level.signalVariance * deviation * deviation + level.noiseVariance
        }
    }

    private static let few = Pictures(means: pictures(3, turn: 1.7), weights: [0.5, 0.3, 0.2], deviation: 0.4)
    private static let more = Pictures(means: pictures(4, turn: 2.3), weights: [0.1, 0.2, 0.3, 0.4], deviation: 0.6)

    /// Logarithm and score of a sum of Gaussians with one variance each, from how far a point is from their means.
    private static func sum(
        _ terms: [(logWeight: Double, mean: [Double], variance: Double)], at point: [Double]
    ) -> (logDensity: Double, score: [Double]) {
        let logs = terms.map { term in
            let square = zip(point, term.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return term.logWeight - square / (2 * term.variance)
                - Double(point.count) / 2 * log(2 * .pi * term.variance)
        }
        let highest = logs.max() ?? 0
        let parts = logs.map { exp($0 - highest) }
        let total = parts.reduce(0, +)
        let score = point.indices.map { axis in
            zip(parts, terms).reduce(0) { $0 + $1.0 * ($1.1.mean[axis] - point[axis]) / $1.1.variance } / total
        }
        return (highest + log(total), score)
    }

    private static func compare(
        _ density: any Density, at level: NoiseLevel, _ points: [[Double]],
        with expected: ([Double]) -> (logDensity: Double, score: [Double])
    ) throws {
        var x = LaneMatrix(rows: shape.dimension, lanes: points.count)
        for (lane, point) in points.enumerated() { for axis in point.indices { x[axis, lane] = point[axis] } }
        var evaluator = density.evaluator(lanes: points.count, at: cosine.levels[0])
        evaluator.move(to: level)
        var evaluation = Evaluation(dimension: shape.dimension, lanes: points.count)
        try evaluator.evaluate(at: x, into: &evaluation)
        for (lane, point) in points.enumerated() {
            let (logDensity, score) = expected(point)
            #expect(abs(evaluation.logDensity[lane] - logDensity) < 1e-9 * max(1, abs(logDensity)))
            let size = score.map { abs($0) }.max() ?? 1
            #expect(score.indices.allSatisfy { abs(evaluation.score[$0, lane] - score[$0]) < 1e-9 * max(1, size) })
        }
    }

    private static let cosine = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100))

    /// Pictures of either mixture, less and less of them, so that the points lie near, between and far out.
    private static let points = (few.means + more.means).enumerated().map { index, mean in
        mean.map { $0 * (1 - Double(index) / 8) + 0.1 }
    }

    @Test("One is exact at every noise level", arguments: [0, 30, 60, 99])
    func one(index: Int) throws {
        let level = Self.cosine.levels[index]
        let few = Self.few
        #expect(few.density.shape == Self.shape)
        try Self.compare(few.density, at: level, Self.points) { point in
            let terms = zip(few.means, few.weights).map { mean, weight in
                (log(weight), mean.map { $0 * level.signal }, few.variance(level))
            }
            return Self.sum(terms, at: point)
        }
    }

    /// N(x; a, v) N(x; b, w) = N(a; b, v + w) N(x; (a w + b v) / (v + w), v w / (v + w)), for each pair of pictures.
    @Test("So is the product of two, a mixture of all pairs", arguments: [0, 30, 60, 99])
    func product(index: Int) throws {
        let level = Self.cosine.levels[index]
        let (few, more) = (Self.few, Self.more)
        let (v, w) = (few.variance(level), more.variance(level))
        var pairs: [(logWeight: Double, mean: [Double], variance: Double)] = []
        for (one, oneWeight) in zip(few.means, few.weights) {
            for (other, otherWeight) in zip(more.means, more.weights) {
                let (a, b) = (one.map { $0 * level.signal }, other.map { $0 * level.signal })
                let overlap = Self.sum([(0, b, v + w)], at: a).logDensity
                pairs.append(
                    (
                        log(oneWeight * otherWeight) + overlap,
                        zip(a, b).map { ($0 * w + $1 * v) / (v + w) }, v * w / (v + w)
                    ))
            }
        }
        let expression = TargetExpression.product([.leaf("few"), .leaf("more")], weights: [1, 1])
        let density = try expression.density(models: ["few": few.density, "more": more.density])
        #expect(density.shape == Self.shape)
        try Self.compare(density, at: level, Self.points) { Self.sum(pairs, at: $0) }
    }
}
