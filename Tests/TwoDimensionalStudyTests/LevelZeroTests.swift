import EnergyModels
import Foundation
import Testing
import VectorMath

@testable import two_dimensional_study

@Suite struct LevelZeroTests {
    private static let level = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100)).levels[0]

    /// The probability that a standard normal is below x.
    private static func phi(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

    /// The mass of an interval [a, b] under the uniform density on [low, high], noised to level 0.
    private static func noisedMass(_ a: Double, _ b: Double, low: Double, high: Double) -> Double {
        // The antiderivative of Phi is x Phi(x) + phi(x).
        func integral(_ x: Double) -> Double { x * phi(x) + exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
        let (signal, noise) = (level.signal, level.noise)
        func upTo(_ x: Double) -> Double {
            (integral((x - signal * low) / noise) - integral((x - signal * high) / noise)) * noise
                / (signal * (high - low))
        }
        return upTo(b) - upTo(a)
    }

    @Test(arguments: [32, 64])
    func `Cell masses of a noised box are those of its closed form`(pointsPerCell: Int) throws {
        let level = try LevelZero(
            UniformBox(low: [-0.2, -1], high: [0.2, 1]), at: Self.level, pointsPerCell: pointsPerCell)
        for row in 0..<LevelZero.cells {
            for column in 0..<LevelZero.cells {
                let (x, y) = (-1.6 + 0.2 * Double(column), -1.6 + 0.2 * Double(row))
                let exact =
                    Self.noisedMass(x, x + 0.2, low: -0.2, high: 0.2) * Self.noisedMass(y, y + 0.2, low: -1, high: 1)
                let mass = level.cellMasses[row * LevelZero.cells + column]
                #expect((mass - exact).magnitude < 2e-5, "cell \(column), \(row)")
            }
        }
        #expect(level.logNormalizer.magnitude < 1e-6)
        #expect((level.cellMasses.reduce(0, +) - 1).magnitude < 1e-9)
    }

    @Test func `The log normaliser of a product of Gaussians is that of its closed form`() throws {
        struct Product: Density {
            let factors: [any Density]
            var shape: PointShape { PointShape(dimension: 2) }
            func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
                Evaluator(parts: factors.map { $0.evaluator(lanes: lanes, at: level) }, lanes: lanes)
            }
            struct Evaluator: DensityEvaluator {
                var parts: [any DensityEvaluator]
                let lanes: Int
                mutating func move(to level: NoiseLevel) {
                    for index in parts.indices { parts[index].move(to: level) }
                }
                mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
                    evaluation = Evaluation(dimension: 2, lanes: lanes)
                    for index in parts.indices {
                        var part = Evaluation(dimension: 2, lanes: lanes)
                        try parts[index].evaluate(at: x, into: &part)
                        for lane in 0..<lanes { evaluation.logDensity[lane] += part.logDensity[lane] }
                    }
                }
            }
        }
        let factors = [-0.2, 0.2].map { Gaussian(mean: [$0, 0.1], covariance: [[0.04, 0], [0, 0.01]]) }
        let level = try LevelZero(Product(factors: factors), at: Self.level, pointsPerCell: 32)
        // The integral of two Gaussians' product is a Gaussian of the difference of their means.
        let (signal, noise) = (Self.level.signalVariance, Self.level.noiseVariance)
        let (x, y) = (2 * (signal * 0.04 + noise), 2 * (signal * 0.01 + noise))
        let exact = -signal * 0.16 / (2 * x) - log(2 * Double.pi) - log(x * y) / 2
        #expect((level.logNormalizer - exact).magnitude < 1e-9)
    }

    @Test func `Total variation counts what is beyond the grid, and what is no number`() throws {
        let level = try LevelZero(UniformBox(low: [-0.2, -1], high: [0.2, 1]), at: Self.level, pointsPerCell: 32)
        let inside = Point(x: 0.1, y: 0.1)
        let cell = level.cellMasses[8 * 16 + 8]
        let one = level.totalVariation(of: [inside])
        #expect((one.distance - (1 - cell)).magnitude < 1e-9)
        #expect(one.beyond == 0)
        for outside in [Point(x: 1.6, y: 0), Point(x: 0, y: -1.7), Point(x: .nan, y: 0), Point(x: 0, y: .infinity)] {
            let away = level.totalVariation(of: [outside])
            #expect((away.distance - 1).magnitude < 1e-9)
            #expect(away.beyond == 1)
        }
        #expect(level.totalVariation(of: [Point(x: -1.6, y: -1.6)]).beyond == 0)
        // Were samples beyond the grid forgotten, half of them there would go unnoticed.
        let exact = level.samples(1000, seed: 1)
        let half = exact + [Point](repeating: Point(x: 2, y: 2), count: 1000)
        #expect(level.totalVariation(of: half).distance > 0.49)
    }

    // Four standard deviations either way: a false alarm once in 16 000 seeds.
    @Test func `Exact samples come as close as exact samples do`() throws {
        let level = try LevelZero(UniformBox(low: [-0.2, -1], high: [0.2, 1]), at: Self.level, pointsPerCell: 32)
        let ceiling = level.ceiling(of: 2000, to: level, seeds: 50)
        let distance = level.totalVariation(of: level.samples(2000, seed: 77)).distance
        #expect((distance - ceiling.mean).magnitude < 4 * ceiling.deviation)
        // The mean distance of counts, each taken as normal.
        let expected = level.cellMasses.reduce(0) { $0 + ($1 * (1 - $1) / (2 * Double.pi * 2000)).squareRoot() }
        #expect((ceiling.mean - expected).magnitude < 0.1 * expected)
        #expect(level.samples(5, seed: 3) == level.samples(5, seed: 3))
        #expect(level.samples(5, seed: 3) != level.samples(5, seed: 4))
    }
}
