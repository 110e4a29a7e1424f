import EnergyModels
import Foundation
import Testing
import VectorMath

private func normalDensity(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }

/// Phi(upper) - Phi(lower), taken in the tail where both are small.
private func normalMass(_ lower: Double, _ upper: Double) -> Double {
    let root = 2.0.squareRoot()
    return lower > 0
        ? 0.5 * (erfc(lower / root) - erfc(upper / root)) : 0.5 * (erfc(-upper / root) - erfc(-lower / root))
}

@Suite("Uniform box")
struct UniformBoxTests {
    private static let bar = UniformBox(low: [-0.2, -1], high: [0.2, 1])

    @Test("It follows its definition where that can be computed directly", arguments: [0, 5, 50, 90, 99])
    func definition(index: Int) throws {
        let level = cosineLevels[index]
        let (c, s) = (level.signal, level.noise)
        let points = spread(300, dimension: 2, reach: 1.5).filter { $0[0].magnitude < c * 0.2 + 20 * s }
        let evaluation = try evaluate(Self.bar, at: points, level: level)
        for (lane, point) in points.enumerated() {
            var logDensity = 0.0
            for (axis, half) in [0.2, 1].enumerated() {
                let (upper, lower) = ((point[axis] + c * half) / s, (point[axis] - c * half) / s)
                let mass = normalMass(lower, upper)
                logDensity += log(mass / (2 * c * half))
                let score = (normalDensity(upper) - normalDensity(lower)) / (s * mass)
                // Subtraction costs the reference digits where the box is narrow against the noise.
                let tolerance = 1e-10 * max(1, score.magnitude) + 1e-14 / (s * mass)
                #expect((evaluation.score[axis, lane] - score).magnitude < tolerance)
            }
            #expect((evaluation.logDensity[lane] - logDensity).magnitude < 1e-10 * max(1, logDensity.magnitude))
        }
    }

    @Test("Without noise it is flat up to its walls, nothing beyond, and its score is zero")
    func withoutNoise() throws {
        let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100))
        let level = try #require(schedule.refinement(levels: 3).last)
        let points = [
            [0, 0.5], [-0.2, 1], [0.2, -1], [0.2000001, 0], [0, 1.5], [-3, 7], [.nan, 0], [0, .infinity],
        ]
        let evaluation = try evaluate(Self.bar, at: points, level: level)
        for lane in 0..<3 { #expect((evaluation.logDensity[lane] + log(0.4 * 2)).magnitude < 1e-15) }
        for lane in [3, 4, 5, 7] { #expect(evaluation.logDensity[lane] == -.infinity) }
        #expect(evaluation.logDensity[6].isNaN)
        #expect(evaluation.score.elements.allSatisfy { $0 == 0 })
        // What it comes from.
        let near = try evaluate(Self.bar, at: points, level: schedule.refinement(levels: 12)[10])
        #expect((near.logDensity[0] - evaluation.logDensity[0]).magnitude < 1e-9)
    }

    @Test("It integrates to one", arguments: [5, 40, 80, 99])
    func normalised(index: Int) throws {
        let total = try integral(of: Self.bar, level: cosineLevels[index], reach: 7, cells: 350)
        #expect((total - 1).magnitude < 1e-6)
    }

    @Test("Its score is the gradient of its log density", arguments: [0, 10, 50, 90, 99])
    func score(index: Int) throws {
        let level = cosineLevels[index]
        let points = spread(200, dimension: 2, reach: 3)
        #expect(try worstScoreError(of: Self.bar, at: points, level: level, step: level.noise * 3e-3) < 1e-6)
    }

    @Test("In the tails it follows Mills' ratio", arguments: [1e2, 1e3, 1e4, 1e6])
    func tails(distance m: Double) throws {
        for index in [0, 30] {
            let level = cosineLevels[index]
            let (c, s) = (level.signal, level.noise)
            let box = UniformBox(low: [-1], high: [1])
            let evaluation = try evaluate(box, at: [[c + m * s], [-c - m * s]], level: level)
            // 1 - Phi(m) = phi(m) / m (1 - 1/m^2 + 3/m^4 ...); the far edge adds nothing.
            let expected = -m * m / 2 - log(m * (2 * Double.pi).squareRoot() * 2 * c) + log1p(-1 / (m * m))
            #expect((evaluation.logDensity[0] / expected - 1).magnitude < 1e-8)
            #expect((evaluation.logDensity[1] / expected - 1).magnitude < 1e-8)
            let slope = -(m + 1 / m) / s
            #expect((evaluation.score[0, 0] / slope - 1).magnitude < 1e-7)
            #expect((evaluation.score[0, 1] / -slope - 1).magnitude < 1e-7)
        }
    }

    @Test("Narrow boxes continue wide ones without a step, in the middle and in the tails")
    func narrowBoxes() throws {
        let level = cosineLevels[50]
        let width = 1e-4 * level.noise / level.signal
        let points = [0, 1e-3, 0.3, -1, 2, 5, -10, 40, 300, 1e4, -1e6].map { [$0 * level.noise] }
        func box(_ factor: Double) throws -> Evaluation {
            try evaluate(UniformBox(low: [0], high: [factor * width]), at: points, level: level)
        }
        let (below, above) = try (box(1 - 1e-9), box(1 + 1e-9))
        #expect(below != above)
        for lane in points.indices {
            let (a, b) = (below.logDensity[lane], above.logDensity[lane])
            // The narrow form leaves out half^2 / 6 = 4.2e-10, with half the half width over sigma.
            #expect((a - b).magnitude < 5e-10 * max(1, a.magnitude))
            let (s, t) = (below.score[0, lane], above.score[0, lane])
            #expect((s - t).magnitude < 1e-9 * max(1, s.magnitude) + 3e-11 / level.noise)
        }
    }

    @Test("A box of no width to speak of is a Gaussian")
    func pointMass() throws {
        let level = cosineLevels[50]
        let gaussian = GaussianMixture(means: [[0.5]], standardDeviations: [[1e-12]], weights: [1])
        let box = UniformBox(low: [0.5 - 1e-9], high: [0.5 + 1e-9])
        let points = [-30.0, -2, 0, 0.3, 0.5, 1, 100].map { [$0] }
        let (one, other) = try (evaluate(box, at: points, level: level), evaluate(gaussian, at: points, level: level))
        for lane in points.indices {
            let scale = max(1, other.logDensity[lane].magnitude)
            #expect((one.logDensity[lane] - other.logDensity[lane]).magnitude < 1e-12 * scale)
            let difference = one.score[0, lane] - other.score[0, lane]
            #expect(difference.magnitude < 1e-12 * max(1, other.score[0, lane].magnitude))
        }
    }

    @Test("The score of a narrow box is the gradient of its log density")
    func narrowScore() throws {
        let level = cosineLevels[50]
        let box = UniformBox(low: [0], high: [5e-5 * level.noise / level.signal])
        // k = |x| half crosses 0.02, where the series gives way to the closed form, at x = 800 sigma.
        let points = [0.1, 1, -3, 20, 790, 810, -2000, 5e4].map { [$0 * level.noise] }
        for point in points {
            let step = max(1e-3, point[0].magnitude * 1e-4)
            #expect(try worstScoreError(of: box, at: [point], level: level, step: step) < 1e-6)
        }
    }
}
