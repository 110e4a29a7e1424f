import Foundation
import RandomStreams
import Testing
import VectorMath

@testable import two_dimensional_study

/// The yardsticks, beside the figures that their definition was given with.
@Suite struct CleanTargetTests {
    private static let count = 100_000

    /// Independent samples of the two Gaussians that the clean product leaves.
    private static let cleanProduct: [Point] = {
        var normals = LaneMatrix(rows: 2, lanes: count)
        RandomStream(seed: 5, firstChain: 0).fillNormals(&normals, purpose: .dataPoint, level: 0)
        return (0..<count).map { index in
            Point(x: 0.03 * normals[0, index], y: (index % 2 == 0 ? 0.5 : -0.5) + 0.03 * normals[1, index])
        }
    }()

    private static func exact(_ task: CompositionTask) throws -> LevelZero {
        try StudyFolder.withJob(StudyJob(task: task, models: .exact, sampler: .reverse)) {
            try LevelZero(ofJob: $0)
        }
    }

    // LL has a standard deviation of 1 a sample, so 0.003 in the mean: a false alarm once in 16 000 seeds at 0.0127.
    @Test func `Samples of the clean product have the LL 3.48 and as many near a mode as the closed form says`() throws
    {
        let reference = CompositionTask.product.cleanReference
        #expect((reference.logLikelihood - 3.476).magnitude < 0.001)
        #expect((reference.onTarget - (1 - exp(-4.5))).magnitude < 1e-12)
        let scores = Scores(
            of: Self.cleanProduct, in: .product, exact: try Self.exact(.product), sampled: try Self.exact(.product))
        #expect((try #require(scores.logLikelihood) - reference.logLikelihood).magnitude < 0.0127)
        #expect((scores.onTarget - reference.onTarget).magnitude < 0.0014)
        #expect(scores.leftOut == 0)
    }

    @Test func `Exact samples of the product's level 0 have LL 2.76, 0.928 near a mode and TV 0.019`() throws {
        let exact = try Self.exact(.product)
        let likelihood = exact.mean(CompositionTask.product.cleanLogDensity(at:))
        let near = exact.mean { CompositionTask.product.isOnTarget($0) ? 1 : 0 }
        let ceiling = exact.ceiling(of: 2000, to: exact)
        #expect((likelihood - 2.76).magnitude < 0.01)
        #expect((near - 0.928).magnitude < 0.001)
        #expect((ceiling.mean - 0.019).magnitude < 0.001)
    }

    @Test(arguments: CompositionTask.allCases)
    func `The clean density is normalised over its square and has no value outside`(task: CompositionTask) throws {
        // Midpoints between which all edges run. The ring's bumps are wider than their distance of 0.01.
        let points = 220
        var sum = 0.0
        for row in 0..<points {
            for column in 0..<points {
                let point = Point(x: -1.1 + 0.01 * (Double(column) + 0.5), y: -1.1 + 0.01 * (Double(row) + 0.5))
                sum += exp(try #require(task.cleanLogDensity(at: point))) * 1e-4
            }
        }
        #expect((sum - 1).magnitude < 1e-4)
        for outside in [Point(x: 1.11, y: 0), Point(x: 0, y: -1.2), Point(x: .nan, y: 0)] {
            #expect(task.cleanLogDensity(at: outside) == nil)
            #expect(!task.isOnTarget(outside))
        }
    }

    @Test func `Samples outside the square are left out of LL and counted`() throws {
        let exact = try Self.exact(.mixture)
        let samples = [Point(x: 0.2, y: 0), Point(x: 3, y: 0), Point(x: .nan, y: 0)]
        let scores = Scores(of: samples, in: .mixture, exact: exact, sampled: exact)
        #expect(scores.leftOut == 2)
        #expect(scores.beyond == 2)
        #expect((try #require(scores.logLikelihood) - log(1.2375)).magnitude < 1e-12)
        #expect((scores.onTarget - 1.0 / 3).magnitude < 1e-12)
        #expect(Scores(of: [Point(x: 3, y: 0)], in: .mixture, exact: exact, sampled: exact).logLikelihood == nil)
    }

    @Test func `The exact negation peaks beyond the corners of the square`() throws {
        let exact = try Self.exact(.negation)
        let corners = exact.mean { min($0.x.magnitude, $0.y.magnitude) > 0.75 ? 1 : 0 }
        #expect(corners > 0.95)
    }
}
