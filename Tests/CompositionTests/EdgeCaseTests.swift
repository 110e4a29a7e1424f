import Composition
import EnergyModels
import Foundation
import Synchronization
import Testing
import VectorMath

private let (a, b) = (TargetExpression.leaf("a"), TargetExpression.leaf("b"))
private let level = Scene.levels[30]

@Suite("Edges of operators")
struct EdgeCaseTests {
    @Test("An unknown model is named, however deep it hides")
    func unknownModel() {
        let tree = TargetExpression.tempered(
            of: .negation(of: a, by: .bounded(of: .leaf("nobody"), low: [0, 0], high: [1, 1]), weight: 1),
            temperature: 2)
        let error = #expect(throws: UnknownModel.self) { try tree.density(models: Scene.models) }
        #expect(error?.name == "nobody")
        #expect(error?.description == "no model is named \"nobody\"")
    }

    @Test("A term of weight zero has no part, not even where it has no density")
    func zeroWeight() throws {
        let nowhere = TargetExpression.bounded(of: b, low: [50, 50], high: [51, 51])
        let sum = try Scene.density(.product([nowhere, a, nowhere], weights: [0, 1, 0]))
        let expected = try Scene.leaf("a", level: level)
        #expect(try evaluate(sum, at: Scene.points, level: level) == expected)
        let negation = try Scene.density(.negation(of: a, by: nowhere, weight: 0))
        #expect(try evaluate(negation, at: Scene.points, level: level) == expected)
    }

    @Test("A product whose weights are all zero is flat, at every evaluation")
    func flat() throws {
        let density = try Scene.density(.product([a, b], weights: [0, 0]))
        var evaluator = density.evaluator(lanes: 3, at: level)
        var evaluation = Evaluation(dimension: 2, lanes: 3)
        evaluation.score.elements = [1, 2, 3, .nan, 5, 6]
        evaluation.logDensity = [1, 2, .nan]
        try evaluator.evaluate(at: LaneMatrix(rows: 2, lanes: 3), into: &evaluation)
        #expect(evaluation == Evaluation(dimension: 2, lanes: 3))
    }

    @Test("Where no component of a mixture has density there is none, and the score is finite")
    func mixtureOfNothing() throws {
        let boxes = [(-3.0, -2.0), (2.0, 3.0)].map { low, high in
            TargetExpression.bounded(of: a, low: [low, low], high: [high, high])
        }
        for mixture in [
            TargetExpression.mixture(boxes, weights: [1, 1], logNormalizers: [0, 0]),
            .sharpenedMixture(boxes, sharpness: 1 / level.noise, logNormalizers: [0, 0]),
        ] {
            let evaluation = try evaluate(try Scene.density(mixture), at: Scene.points, level: level)
            let leaf = try Scene.leaf("a", level: level)
            #expect(evaluation.logDensity.allSatisfy { $0 == -.infinity })
            let factor = evaluation.score[0, 0] / leaf.score[0, 0]
            for (value, expected) in zip(evaluation.score.elements, leaf.score.elements) {
                #expect((value - factor * expected).magnitude < 1e-12)
            }
            #expect(factor > 0.99)
        }
    }

    @Test("Where one component of a mixture has no density the other has the point to itself")
    func mixtureOfOne() throws {
        let nowhere = TargetExpression.bounded(of: b, low: [50, 50], high: [51, 51])
        for components in [[a, nowhere], [nowhere, a]] {
            let mixture = TargetExpression.mixture(components, weights: [1, 1], logNormalizers: [0, 0])
            let evaluation = try evaluate(try Scene.density(mixture), at: Scene.points, level: level)
            let leaf = try Scene.leaf("a", level: level)
            for lane in Scene.points.indices {
                #expect((evaluation.logDensity[lane] - leaf.logDensity[lane] + log(2)).magnitude < 1e-13)
                #expect(evaluation.score[0, lane] == leaf.score[0, lane])
            }
        }
    }

    @Test("A component that is not a number makes the mixture none, wherever it stands")
    func notANumber() throws {
        struct Nothing: Density, DensityEvaluator {
            var shape: PointShape { PointShape(dimension: 2) }
            func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator { self }
            mutating func move(to level: NoiseLevel) {}
            mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
                for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] = .nan }
            }
        }
        let models = Scene.models.merging(["nothing": Nothing()]) { $1 }
        for components in [[a, .leaf("nothing")], [.leaf("nothing"), a], [a, .leaf("nothing"), b]] {
            let ones = components.map { _ in 1.0 }
            let mixture = TargetExpression.mixture(components, weights: ones, logNormalizers: components.map { _ in 1 })
            let evaluation = try evaluate(try mixture.density(models: models), at: Scene.points, level: level)
            #expect(evaluation.logDensity.allSatisfy { $0.isNaN })
        }
    }

    @Test("A mixture far from all its components keeps its digits")
    func farAway() throws {
        let mixture = TargetExpression.mixture([a, a], weights: [1, 3], logNormalizers: [0, 0])
        let points = [[1e5, -1e5], [-1e6, 0]]
        let mixed = try evaluate(try Scene.density(mixture), at: points, level: level)
        let leaf = try evaluate(try Scene.density(a), at: points, level: level)
        for lane in points.indices {
            #expect((mixed.logDensity[lane] / leaf.logDensity[lane] - 1).magnitude < 1e-12)
            #expect((mixed.score[0, lane] / leaf.score[0, lane] - 1).magnitude < 1e-12)
        }
    }

    @Test("A leaf that occurs more than once is evaluated once, one of weight zero not at all")
    func once() throws {
        let (used, idle) = (CountingDensity(), CountingDensity())
        var models = Scene.models
        (models["used"], models["idle"]) = (used, idle)
        let leaf = TargetExpression.leaf("used")
        let tree = TargetExpression.product(
            [
                .guidance(unconditional: leaf, conditional: [a, leaf], scale: 3),
                .mixture(
                    [leaf, .bounded(of: leaf, low: [-9, -9], high: [9, 9])], weights: [1, 1], logNormalizers: [0, 0]),
                .negation(of: leaf, by: .leaf("idle"), weight: 0), .leaf("idle"),
            ], weights: [1, 1, 1, 0])
        let evaluation = try evaluate(try tree.density(models: models), at: Scene.points, level: level)
        #expect(used.evaluations.load(ordering: .relaxed) == 1)
        #expect(idle.evaluations.load(ordering: .relaxed) == 0)
        // Of the guidance (1 - 6) + 3 beside 3 of a; of the mixture 1, and of the negation 1.
        let (one, other) = (CountingDensity.logDensity, try Scene.leaf("a", level: level))
        for lane in Scene.points.indices {
            let expected = (-5 + 3) * one + 3 * other.logDensity[lane] + one + one
            #expect((evaluation.logDensity[lane] - expected).magnitude < 1e-12)
        }
    }
}

/// The same everywhere; it counts how often it is asked.
private final class CountingDensity: Density {
    static let logDensity = -0.5
    let evaluations = Atomic(0)

    var shape: PointShape { PointShape(dimension: 2) }
    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator { Evaluator(density: self) }

    private struct Evaluator: DensityEvaluator {
        let density: CountingDensity

        mutating func move(to level: NoiseLevel) {}

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            density.evaluations.add(1, ordering: .relaxed)
            for lane in 0..<x.lanes { evaluation.logDensity[lane] = CountingDensity.logDensity }
            evaluation.score.scale(by: 0)
        }
    }
}
