import EnergyModels
import RandomStreams
import Sampling
import Testing
import VectorMath

private let lanes = 48

/// Segments of all lengths up to about 3, and what a target says at their ends.
private struct Segments {
    var (x, y) = (LaneMatrix(rows: 2, lanes: lanes), LaneMatrix(rows: 2, lanes: lanes))
    var (atX, atY) = (Evaluation(dimension: 2, lanes: lanes), Evaluation(dimension: 2, lanes: lanes))

    init(_ target: inout any DensityEvaluator) throws {
        let stream = RandomStream(seed: 9, firstChain: 0)
        stream.fillNormals(&x, purpose: .initialPosition, level: 0)
        stream.fillNormals(&y, purpose: .initialMomentum, level: 0)
        try target.evaluate(at: x, into: &atX)
        try target.evaluate(at: y, into: &atY)
    }

    var exact: [Double] { zip(atY.logDensity, atX.logDensity).map { $0 - $1 } }

    func integrals(points: Int, back: Bool = false, _ target: inout any DensityEvaluator) throws -> [Double] {
        var line = LineIntegral(points: points, dimension: 2, lanes: lanes)
        var change = [Double](repeating: .nan, count: lanes)
        if back {
            try line.integrate(from: y, atY.score, to: x, atX.score, target: &target, into: &change)
        } else {
            try line.integrate(from: x, atX.score, to: y, atY.score, target: &target, into: &change)
        }
        return change
    }
}

/// Counts the points that it is asked for.
private final class Counting: DensityEvaluator {
    private var inner: any DensityEvaluator
    private(set) var evaluations = 0

    init(_ inner: any DensityEvaluator) { self.inner = inner }

    func move(to level: NoiseLevel) { inner.move(to: level) }

    func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
        try inner.evaluate(at: x, into: &evaluation)
        evaluations += 1
    }
}

@Suite("Integrals of the score along lines")
struct LineIntegralTests {
    private static let points = [2, 3, 5, 10, 64]

    @Test("The way back gives minus what the way there gives", arguments: points)
    func antisymmetric(points: Int) throws {
        var target = ExactCases.bumpy.density.evaluator(lanes: lanes, at: ExactCases.bumpy.level)
        let segments = try Segments(&target)
        let there = try segments.integrals(points: points, &target)
        let back = try segments.integrals(points: points, back: true, &target)
        for lane in 0..<lanes {
            #expect(there[lane].magnitude > 1e-3)
            #expect((there[lane] + back[lane]).magnitude < 1e-12 * max(1, there[lane].magnitude))
        }
    }

    @Test("The score of a Gaussian is linear, so two points and many give its log density's change", arguments: points)
    func exactForGaussians(points: Int) throws {
        for exact in [ExactCases.standard, ExactCases.correlated, ExactCases.product] {
            var target = exact.density.evaluator(lanes: lanes, at: exact.level)
            let segments = try Segments(&target)
            for (integral, change) in try zip(segments.integrals(points: points, &target), segments.exact) {
                #expect((integral - change).magnitude < 1e-12 * max(1, change.magnitude), "\(exact.name)")
            }
        }
    }

    @Test("Elsewhere the error falls with the square of the distance of the points")
    func order() throws {
        var target = ExactCases.bumpy.density.evaluator(lanes: lanes, at: ExactCases.bumpy.level)
        let segments = try Segments(&target)
        let errors = try [17, 33, 64].map { points in
            let squares = try zip(segments.integrals(points: points, &target), segments.exact).map {
                ($0 - $1) * ($0 - $1)
            }
            return mean(squares).squareRoot()
        }
        #expect(errors[0] > 1e-3)
        #expect((3.5...4.5).contains(errors[0] / errors[1]))
        #expect((3.4...4.4).contains(errors[1] / errors[2]))
    }

    @Test("Only the points between the ends are evaluated", arguments: points)
    func cost(points: Int) throws {
        let counting = Counting(standardNormal(2).evaluator(lanes: lanes, at: singleLevel.levels[0]))
        var target: any DensityEvaluator = counting
        let segments = try Segments(&target)
        let before = counting.evaluations
        _ = try segments.integrals(points: points, &target)
        #expect(counting.evaluations - before == points - 2)
    }
}
