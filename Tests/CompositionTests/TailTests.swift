import Composition
import EnergyModels
import Foundation
import Testing

private let (tilted, turned, wide, narrow, box) = (
    TargetExpression.leaf("tilted"), TargetExpression.leaf("turned"), TargetExpression.leaf("wide"),
    TargetExpression.leaf("narrow"), TargetExpression.leaf("box")
)

private let models: [String: ModelDescription] = [
    "tilted": .gaussian(mean: [0.3, -0.2], covariance: [[1, 0.9], [0.9, 1]]),
    "turned": .gaussian(mean: [0, 0.1], covariance: [[1, -0.9], [-0.9, 1]]),
    "wide": .gaussian(mean: [-1, 1], covariance: [[2, 0], [0, 3]]),
    "narrow": .gaussianMixture(
        means: [[0.5, 0], [0, 0.5]], standardDeviations: [[0.2, 0.3], [0.3, 0.1]], weights: [1, 1]),
    "box": .uniformBox(low: [-0.2, -1], high: [0.2, 1]),
]

private func bounded(_ of: TargetExpression) -> TargetExpression { .bounded(of: of, low: [-1, -1], high: [1, 1]) }

/// A composition, and whether it falls far out at levels 0, 50 and 99.
private struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let expression: TargetExpression
    let falls: [Bool]
    var testDescription: String { name }

    init(_ name: String, _ expression: TargetExpression, _ falls: [Bool]) {
        (self.name, self.expression, self.falls) = (name, expression, falls)
    }

    static let all = [
        Case("a leaf", narrow, [true, true, true]),
        Case("weights 1.3 and -0.3", .product([box, box], weights: [1.3, -0.3]), [true, true, true]),
        Case("weights 1 and -1", .product([box, box], weights: [1, -1]), [false, false, false]),
        Case(
            "tenths that add up to nothing", .product([box, box, box], weights: [0.1, 0.2, -0.3]),
            [false, false, false]),
        Case("weights of nothing", .product([box, wide], weights: [0, 0]), [false, false, false]),
        Case("more taken than given", .negation(of: box, by: box, weight: 1.5), [false, false, false]),
        Case("wide but not narrow", .negation(of: wide, by: narrow, weight: 0.3), [false, false, true]),
        Case("narrow but not wide", .negation(of: narrow, by: wide, weight: 0.9), [true, true, true]),
        Case("falling along the axes alone", .negation(of: tilted, by: turned, weight: 0.3), [false, true, true]),
        Case("correlations that agree", .negation(of: tilted, by: tilted, weight: 0.9), [true, true, true]),
        Case(
            "towards the narrow", .guidance(unconditional: wide, conditional: [narrow], scale: 4), [true, true, true]),
        Case(
            "towards the wide", .guidance(unconditional: narrow, conditional: [wide], scale: 4), [false, false, true]),
        Case(
            "one rising component",
            .mixture(
                [box, .product([box, box], weights: [0.5, -0.7])], weights: [1, 1], logNormalizers: [0, 0]),
            [false, false, false]),
        Case(
            "a floor under what is taken",
            .negation(
                of: wide, by: .mixture([narrow, wide], weights: [0.99, 0.01], logNormalizers: [0, 0]), weight: 0.9),
            [true, true, true]),
        Case("tempered", .tempered(of: .negation(of: box, by: box, weight: 2), temperature: 3), [false, false, false]),
        Case(
            "sharpened",
            .product(
                [.sharpenedMixture([box, wide], sharpness: 3.5, logNormalizers: [0, 0]), wide], weights: [1, -3]),
            [true, true, true]),
        Case(
            "sharpened too little",
            .product(
                [.sharpenedMixture([box, wide], sharpness: 2, logNormalizers: [0, 0]), wide], weights: [1, -3]),
            [false, false, false]),
        Case(
            "guided by a classifier", .classifier(of: box, by: "net", label: 1, scale: 3), [true, true, true]),
        Case(
            "guided away by a classifier", .classifier(of: wide, by: "net", label: 0, scale: -40), [true, true, true]),
        Case(
            "guided, but rising before",
            .classifier(of: .product([box, wide], weights: [1, -9]), by: "net", label: 1, scale: 5),
            [true, false, false]),
        Case("bounded", bounded(.negation(of: box, by: box, weight: 5)), [true, true, true]),
        Case("bounded in part", .negation(of: bounded(box), by: box, weight: 5), [true, true, true]),
        Case(
            "bounds of weight zero", .product([bounded(box), box, box], weights: [0, 1, -2]), [false, false, false]),
    ]
}

@Suite("Tails of compositions")
struct TailTests {
    private static let levels = [0, 50, 99]

    /// Whether the log density falls along every one of 64 directions, from far out to twice as far.
    private func falls(_ expression: TargetExpression, at level: NoiseLevel) throws -> Bool {
        let density = try expression.density(
            models: models.mapValues { $0.density() }, classifiers: Scene.classifiers)
        let directions = (0..<64).map { index in
            let angle = 2 * Double.pi * Double(index) / 64
            return [cos(angle), sin(angle)]
        }
        func logDensity(_ radius: Double) throws -> [Double] {
            try evaluate(density, at: directions.map { $0.map { $0 * radius } }, level: level).logDensity
        }
        // Twice as far a box's log density is lower by about this much; less than a billionth of it is rounding.
        let fall = 1.5e8 / level.noiseVariance
        return try zip(logDensity(1e4), logDensity(2e4)).allSatisfy { near, far in
            far - near < -1e-9 * fall || far == -.infinity
        }
    }

    @Test("What is told of a tail is what the log density does far out", arguments: Case.all)
    fileprivate func tails(example: Case) throws {
        for (index, level) in Self.levels.map({ Scene.levels[$0] }).enumerated() {
            let tail = example.expression.tail(of: models.mapValues { $0.tail(level) })
            #expect((tail?.rise == nil) == example.falls[index], "level \(level.index)")
            #expect(try falls(example.expression, at: level) == example.falls[index], "level \(level.index)")
        }
    }

    @Test("A rise is told with its direction")
    func directions() {
        let level = Scene.levels[0]
        func rise(_ expression: TargetExpression) -> TailForm.Rise? {
            expression.tail(of: models.mapValues { $0.tail(level) })?.rise
        }
        #expect(rise(.negation(of: tilted, by: turned, weight: 0.3)) == .betweenAxes)
        #expect(rise(.negation(of: tilted, by: turned, weight: 1)) == .axis(0))
        // Narrower than what is taken along the first axis, wider along the second.
        let flat = ModelDescription.gaussian(mean: [0, 0], covariance: [[0.01, 0], [0, 4]])
        let target = TargetExpression.negation(of: .leaf("flat"), by: wide, weight: 0.9)
        let all = models.merging(["flat": flat]) { $1 }.mapValues { $0.tail(level) }
        #expect(target.tail(of: all)?.rise == .axis(1))
    }

    @Test("Boxes and networks have the same tail")
    func precision() throws {
        let level = Scene.levels[40]
        let tail = try #require(models["box"]).tail(level)
        #expect(tail == TailForm(precision: 1 / level.noiseVariance, dimension: 2))
    }

    @Test("The total weight adds up what is added and takes off what is taken")
    func totalWeight() {
        let product = TargetExpression.product(
            [box, wide, .tempered(of: narrow, temperature: 2)], weights: [1, -0.25, 3])
        #expect(product.totalWeight == 2.25)
        #expect(TargetExpression.negation(of: product, by: box, weight: 0.5).totalWeight == 1.75)
        #expect(TargetExpression.guidance(unconditional: box, conditional: [wide, narrow], scale: 4).totalWeight == 1)
        #expect(
            TargetExpression.mixture([product, box], weights: [1, 1], logNormalizers: [0, 0]).totalWeight == 1)
        #expect(
            TargetExpression.sharpenedMixture([product, box], sharpness: 3.5, logNormalizers: [0, 0]).totalWeight == 3.5
        )
        #expect(bounded(product).totalWeight == 2.25)
    }

    @Test("Only weights of zero or below make a composition one that subtracts")
    func subtracts() {
        let product = TargetExpression.product([box, wide], weights: [1, 0.5])
        #expect(!product.subtracts && !bounded(.tempered(of: product, temperature: 2)).subtracts)
        #expect(TargetExpression.product([box, wide], weights: [1, 0]).subtracts)
        #expect(TargetExpression.tempered(of: .negation(of: box, by: wide, weight: 0.1), temperature: 2).subtracts)
        #expect(!TargetExpression.guidance(unconditional: box, conditional: [wide], scale: 0.5).subtracts)
        #expect(TargetExpression.guidance(unconditional: box, conditional: [wide, box], scale: 0.5).subtracts)
        #expect(TargetExpression.guidance(unconditional: box, conditional: [wide], scale: -1).subtracts)
    }
}
