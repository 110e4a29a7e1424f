import Composition
import EnergyModels
import Foundation
import Testing
import VectorMath

/// Compares log densities and scores with what a formula makes of those of the leaves.
private func expect(
    _ expression: TargetExpression, level: NoiseLevel,
    equals formula: (_ l: [String: Double], _ s: [String: Double]) -> (logDensity: Double, score: Double),
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let result = try evaluate(try Scene.density(expression), at: Scene.points, level: level)
    let leaves = try ["a", "b", "c", "d"].map { ($0, try Scene.leaf($0, level: level)) }
    for lane in Scene.points.indices {
        let l = Dictionary(uniqueKeysWithValues: leaves.map { ($0, $1.logDensity[lane]) })
        for axis in 0..<2 {
            let s = Dictionary(uniqueKeysWithValues: leaves.map { ($0, $1.score[axis, lane]) })
            let expected = formula(l, s)
            let (logDensity, score) = (result.logDensity[lane], result.score[axis, lane])
            let size = l.values.reduce(1) { max($0, $1.magnitude) }
            let scoreSize = s.values.reduce(1) { max($0, $1.magnitude) }
            #expect(
                (logDensity - expected.logDensity).magnitude < 1e-12 * size, sourceLocation: sourceLocation)
            #expect((score - expected.score).magnitude < 1e-11 * scoreSize, sourceLocation: sourceLocation)
        }
    }
}

private let (a, b, c, d) = (
    TargetExpression.leaf("a"), TargetExpression.leaf("b"), TargetExpression.leaf("c"), TargetExpression.leaf("d")
)

/// A dictionary's value for a key that is there.
extension [String: Double] {
    fileprivate func of(_ name: String) -> Double { self[name, default: .nan] }
}

@Suite("Operators")
struct OperatorTests {
    private static let indices = [0, 30, 99]

    @Test("A leaf is its model", arguments: indices)
    func leaf(index: Int) throws {
        let level = Scene.levels[index]
        try expect(a, level: level) { l, s in (l.of("a"), s.of("a")) }
    }

    @Test("A product is the weighted sum, negative weights included", arguments: indices)
    func product(index: Int) throws {
        try expect(.product([a, b, c], weights: [1.3, -0.3, 0.5]), level: Scene.levels[index]) { l, s in
            (
                1.3 * l.of("a") - 0.3 * l.of("b") + 0.5 * l.of("c"),
                1.3 * s.of("a") - 0.3 * s.of("b") + 0.5 * s.of("c")
            )
        }
    }

    @Test("A mixture adds densities, with normalised weights and log normalisers", arguments: indices)
    func mixture(index: Int) throws {
        let expression = TargetExpression.mixture([a, b], weights: [2, 6], logNormalizers: [0.5, -1])
        try expect(expression, level: Scene.levels[index]) { l, s in
            let terms = [log(0.25) + l.of("a") - 0.5, log(0.75) + l.of("b") + 1]
            let top = max(terms[0], terms[1])
            let parts = terms.map { exp($0 - top) }
            let total = parts[0] + parts[1]
            return (top + log(total), (parts[0] * s.of("a") + parts[1] * s.of("b")) / total)
        }
    }

    @Test("A sharpened mixture is logsumexp(tau sigma l) / sigma", arguments: indices)
    func sharpened(index: Int) throws {
        let level = Scene.levels[index]
        try expect(.sharpenedMixture([a, b, d], sharpness: 3.5, logNormalizers: [0, 0, 0]), level: level) { l, s in
            let terms = ["a", "b", "d"].map { 3.5 * level.noise * l.of($0) }
            let top = terms.reduce(-.infinity, max)
            let parts = terms.map { exp($0 - top) }
            let total = parts.reduce(0, +)
            let score = parts[0] * s.of("a") + parts[1] * s.of("b") + parts[2] * s.of("d")
            // Dividing by sigma enlarges the rounding of the leaves; the score has factor tau alone.
            return ((top + log(total)) / level.noise, 3.5 * score / total)
        }
    }

    @Test("A negation subtracts", arguments: indices)
    func negation(index: Int) throws {
        try expect(.negation(of: a, by: d, weight: 0.7), level: Scene.levels[index]) { l, s in
            (l.of("a") - 0.7 * l.of("d"), s.of("a") - 0.7 * s.of("d"))
        }
    }

    @Test("Guidance goes from the unconditional towards every condition", arguments: indices)
    func guidance(index: Int) throws {
        let one = TargetExpression.guidance(unconditional: d, conditional: [a], scale: 4)
        try expect(one, level: Scene.levels[index]) { l, s in
            (l.of("d") + 4 * (l.of("a") - l.of("d")), s.of("d") + 4 * (s.of("a") - s.of("d")))
        }
        let two = TargetExpression.guidance(unconditional: d, conditional: [a, b], scale: 2)
        try expect(two, level: Scene.levels[index]) { l, s in
            (
                l.of("d") + 2 * (l.of("a") - l.of("d") + l.of("b") - l.of("d")),
                s.of("d") + 2 * (s.of("a") - s.of("d") + s.of("b") - s.of("d"))
            )
        }
    }

    @Test("Tempering divides by the temperature", arguments: indices)
    func tempered(index: Int) throws {
        try expect(.tempered(of: b, temperature: 2.5), level: Scene.levels[index]) { l, s in
            (l.of("b") / 2.5, s.of("b") / 2.5)
        }
    }

    @Test("Trees nest: p(a) [p(b) or p(c)] / p(d)^0.3", arguments: indices)
    func nested(index: Int) throws {
        let tree = TargetExpression.negation(
            of: .product([a, .mixture([b, c], weights: [1, 1], logNormalizers: [0, 0])], weights: [1, 1]),
            by: d, weight: 0.3)
        try expect(tree, level: Scene.levels[index]) { l, s in
            let top = max(l.of("b"), l.of("c"))
            let parts = [exp(l.of("b") - top), exp(l.of("c") - top)]
            let either = top + log((parts[0] + parts[1]) / 2)
            let slope = (parts[0] * s.of("b") + parts[1] * s.of("c")) / (parts[0] + parts[1])
            return (l.of("a") + either - 0.3 * l.of("d"), s.of("a") + slope - 0.3 * s.of("d"))
        }
    }
}
