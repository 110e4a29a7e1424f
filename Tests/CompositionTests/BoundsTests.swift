import Composition
import EnergyModels
import Testing
import VectorMath

private func box(_ of: TargetExpression, _ low: Double, _ high: Double) -> TargetExpression {
    .bounded(of: of, low: [low, low], high: [high, high])
}

private func square(_ low: Double, _ high: Double) -> Bounds { Bounds(low: [low, low], high: [high, high]) }

private let (a, b) = (TargetExpression.leaf("a"), TargetExpression.leaf("b"))

@Suite("Bounds")
struct BoundsTests {
    @Test("A part of weight zero bounds nothing")
    func weightlessParts() {
        let box = TargetExpression.bounded(of: .leaf("a"), low: [0], high: [1])
        #expect(TargetExpression.product([.leaf("a"), box], weights: [1, 0]).bounds == nil)
        #expect(TargetExpression.product([.leaf("a"), box], weights: [1, 2]).bounds == Bounds(low: [0], high: [1]))
        #expect(TargetExpression.guidance(unconditional: box, conditional: [.leaf("a")], scale: 1).bounds == nil)
        #expect(TargetExpression.guidance(unconditional: .leaf("a"), conditional: [box], scale: 0).bounds == nil)
    }

    @Test("Outside the box there is no density; the walls belong to it; the score is that of the model")
    func cutOff() throws {
        let level = Scene.levels[40]
        let bounded = try Scene.density(.bounded(of: a, low: [-1, 0], high: [0.5, 2]))
        let points = [
            [0, 1], [-1, 0], [0.5, 2], [(0.5).nextUp, 1], [(-1.0).nextDown, 1], [0, -1e-300], [0, 2.1], [9, 9],
        ]
        let (cut, whole) = (
            try evaluate(bounded, at: points, level: level),
            try evaluate(try Scene.density(a), at: points, level: level)
        )
        #expect(cut.score == whole.score)
        #expect(Array(cut.logDensity.prefix(3)) == Array(whole.logDensity.prefix(3)))
        #expect(cut.logDensity.dropFirst(3).allSatisfy { $0 == -.infinity })
    }

    @Test("Boxes intersect and have hulls, and know when they are empty")
    func algebra() {
        let first = Bounds(low: [0, -1], high: [2, 1])
        let second = Bounds(low: [1, -3], high: [5, 0])
        #expect(first.intersection(second) == Bounds(low: [1, -1], high: [2, 0]))
        #expect(first.hull(second) == Bounds(low: [0, -3], high: [5, 1]))
        #expect(!first.isEmpty)
        #expect(first.intersection(Bounds(low: [3, 0], high: [4, 1])).isEmpty)
        #expect(Bounds(low: [0, 1], high: [1, 1]).isEmpty)
    }

    @Test("An expression's bounds follow its operators")
    func expressions() {
        #expect(a.bounds == nil)
        #expect(box(a, 0, 1).bounds == square(0, 1))
        #expect(box(box(a, 0, 2), 1, 3).bounds == square(1, 2))
        let product = TargetExpression.product([box(a, 0, 2), b, box(b, 1, 3)], weights: [1, 1, 1])
        #expect(product.bounds == square(1, 2))
        #expect(TargetExpression.product([a, b], weights: [1, 1]).bounds == nil)
        let closed = [box(a, 0, 2), box(b, 1, 3)]
        #expect(TargetExpression.mixture(closed, weights: [1, 1], logNormalizers: [0, 0]).bounds == square(0, 3))
        #expect(TargetExpression.sharpenedMixture(closed, sharpness: 1, logNormalizers: [0, 0]).bounds == square(0, 3))
        let half = TargetExpression.mixture([box(a, 0, 2), b], weights: [1, 1], logNormalizers: [0, 0])
        #expect(half.bounds == nil)
        #expect(TargetExpression.negation(of: box(a, 0, 1), by: b, weight: 1).bounds == square(0, 1))
        #expect(TargetExpression.negation(of: a, by: b, weight: 1).bounds == nil)
        #expect(TargetExpression.tempered(of: box(a, 0, 1), temperature: 2).bounds == square(0, 1))
        let guided = TargetExpression.guidance(unconditional: a, conditional: [box(b, 0, 1)], scale: 2)
        #expect(guided.bounds == square(0, 1))
    }

    @Test("Models may have bounds of their own, and it is told which are subtracted")
    func models() {
        let (a, b) = (TargetExpression.leaf("a"), TargetExpression.leaf("b"))
        let boxes = ["a": square(0, 2)]
        #expect(a.bounds == nil && a.bounds(ofModels: boxes) == square(0, 2))
        let product = TargetExpression.product([a, box(b, 1, 3)], weights: [1, -1])
        #expect(product.bounds(ofModels: boxes) == square(1, 2))
        #expect(product.subtractedLeaves == ["b"])
        let half = TargetExpression.mixture([a, b], weights: [1, 1], logNormalizers: [0, 0])
        #expect(half.bounds(ofModels: boxes) == nil)
        #expect(!half.hasBoundsWithinMixture && half.hasBoundsWithinMixture(ofModels: boxes))
        #expect(
            TargetExpression.negation(of: a, by: .negation(of: a, by: b, weight: 1), weight: 1).subtractedLeaves == [
                "a"
            ])
        let guided = TargetExpression.guidance(unconditional: a, conditional: [b, b], scale: 2)
        #expect(guided.subtractedLeaves == ["a"])
        let tempered = TargetExpression.tempered(of: half, temperature: 2)
        #expect(tempered.subtractedLeaves.isEmpty && !tempered.hasSharpenedMixture)
        #expect(
            TargetExpression.negation(
                of: a, by: .sharpenedMixture([a, b], sharpness: 1, logNormalizers: [0, 0]), weight: 1
            ).hasSharpenedMixture
        )
    }

    @Test("Folding reflects from any distance and turns the momentum after an odd number of walls")
    func folding() {
        let bounds = Bounds(low: [-1], high: [2])
        // Position, where it lands, and whether an odd number of walls was met.
        let cases: [(Double, Double, Bool)] = [
            (0.5, 0.5, false), (-1, -1, false), (2, 2, false),
            (2.5, 1.5, true), (-1.25, -0.75, true),
            (5.5, -0.5, false), (-4.5, 1.5, false),
            (8.5, 1.5, true), (-7.25, -0.75, true),
            (0.5 + 6_000_000, 0.5, false), (2.5 - 6_000_000, 1.5, true),
        ]
        var position = LaneMatrix(rows: 1, lanes: cases.count)
        var momentum = LaneMatrix(rows: 1, lanes: cases.count, repeating: 0.75)
        position.elements = cases.map(\.0)
        bounds.fold(&position, momentum: &momentum)
        for (lane, (start, end, turned)) in cases.enumerated() {
            #expect((position[0, lane] - end).magnitude < 1e-8, "from \(start)")
            #expect(momentum[0, lane] == (turned ? -0.75 : 0.75), "from \(start)")
        }
    }

    @Test("Axes fold on their own, and always into the box")
    func axes() {
        let bounds = Bounds(low: [0, -1], high: [1, 1])
        var position = LaneMatrix(rows: 2, lanes: 200)
        var momentum = LaneMatrix(rows: 2, lanes: 200, repeating: 1)
        for lane in 0..<200 {
            position[0, lane] = 1.5
            position[1, lane] = Double(lane - 100) * 1.7e3 + 0.3
        }
        bounds.fold(&position, momentum: &momentum)
        for lane in 0..<200 {
            #expect(position[0, lane] == 0.5)
            #expect(momentum[0, lane] == -1)
            #expect((-1.0...1).contains(position[1, lane]))
        }
    }

    @Test("Numbers that are not finite are left for the kernels to judge")
    func notFinite() {
        var position = LaneMatrix(rows: 1, lanes: 2)
        position.elements = [.infinity, .nan]
        var momentum = LaneMatrix(rows: 1, lanes: 2, repeating: 1)
        Bounds(low: [0], high: [1]).fold(&position, momentum: &momentum)
        #expect(position[0, 0] == .infinity)
        #expect(position[0, 1].isNaN)
        #expect(momentum.elements == [1, 1])
    }
}
