import Composition
import EnergyModels
import Testing
import VectorMath

/// A guided conjunction as released code had it: the energy counts the unconditional model once, the
/// gradient once per condition. For the tests alone: it must be found out.
private struct DisagreeingGuidance: Density {
    let unconditional: any Density
    let conditional: [any Density]
    let scale: Double

    var shape: PointShape { unconditional.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            terms: ([unconditional] + conditional).map { $0.evaluator(lanes: lanes, at: level) }, scale: scale)
    }

    struct Evaluator: DensityEvaluator {
        var terms: [any DensityEvaluator]
        let scale: Double

        mutating func move(to level: NoiseLevel) {
            for index in terms.indices { terms[index].move(to: level) }
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            var parts: [Evaluation] = []
            for index in terms.indices {
                var part = Evaluation(dimension: x.rows, lanes: x.lanes)
                try terms[index].evaluate(at: x, into: &part)
                parts.append(part)
            }
            let conditions = Double(parts.count - 1)
            evaluation.score.setScaled(1 - scale * conditions, parts[0].score)
            for part in parts.dropFirst() { evaluation.score.add(scale, part.score) }
            for lane in 0..<x.lanes {
                let sum = parts.dropFirst().reduce(0) { $0 + $1.logDensity[lane] }
                evaluation.logDensity[lane] = (1 - scale) * parts[0].logDensity[lane] + scale * sum
            }
        }
    }
}

@Suite("Scores are gradients")
struct ScoreConsistencyTests {
    private static let (a, b, c, d) = (
        TargetExpression.leaf("a"), TargetExpression.leaf("b"), TargetExpression.leaf("c"),
        TargetExpression.leaf("d")
    )

    private static let expressions: [String: TargetExpression] = [
        "leaf": c,
        "product": .product([a, b, c], weights: [1, 0.5, 2]),
        "product with a negative weight": .product([a, d], weights: [1.3, -0.3]),
        "mixture": .mixture([a, b, c], weights: [1, 2, 3], logNormalizers: [0.1, -2, 1]),
        "sharpened mixture": .sharpenedMixture([a, b], sharpness: 3.5, logNormalizers: [0, 0]),
        "negation": .negation(of: a, by: b, weight: 0.4),
        "guidance": .guidance(unconditional: d, conditional: [a, b], scale: 2),
        "tempered": .tempered(of: b, temperature: 0.5),
        "bounded, inside": .bounded(of: b, low: [-9, -9], high: [9, 9]),
        "and, or, not": .negation(
            of: .product([a, .mixture([b, c], weights: [1, 1], logNormalizers: [0, 0])], weights: [1, 1]),
            by: d, weight: 0.3),
        "or of ands under guidance": .guidance(
            unconditional: .tempered(of: d, temperature: 2),
            conditional: [
                .mixture(
                    [
                        .product([a, b], weights: [1, 1]),
                        .sharpenedMixture([b, c], sharpness: 2, logNormalizers: [0, 0]),
                    ],
                    weights: [0.2, 0.8], logNormalizers: [0, 3])
            ], scale: 1.5),
    ]

    @Test(
        "The score of every operator and of nested trees is the gradient of the log density",
        arguments: expressions.keys.sorted())
    func gradients(name: String) throws {
        let density = try Scene.density(try #require(Self.expressions[name]))
        for index in [2, 20, 60, 99] {
            let error = try worstScoreError(of: density, at: Scene.points, level: Scene.levels[index])
            #expect(error < 1e-6, "level \(index)")
        }
    }

    @Test("A guided conjunction whose energy and gradient disagree is found out")
    func disagreement() throws {
        let leaves = try [Self.d, Self.a, Self.b].map { try Scene.density($0) }
        for index in [2, 20, 60] {
            let level = Scene.levels[index]
            let two = DisagreeingGuidance(
                unconditional: leaves[0], conditional: [leaves[1], leaves[2]], scale: 2)
            #expect(try worstScoreError(of: two, at: Scene.points, level: level) > 1e-2)
            // With one condition the two formulas are the same, so it is the conjunction that is caught.
            let one = DisagreeingGuidance(unconditional: leaves[0], conditional: [leaves[1]], scale: 2)
            #expect(try worstScoreError(of: one, at: Scene.points, level: level) < 1e-6)
        }
    }
}
