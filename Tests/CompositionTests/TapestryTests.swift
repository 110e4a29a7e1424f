import Composition
import EnergyModels
import Foundation
import Testing
import VectorMath

/// Models of pictures of 2 x 2 pixels in one channel.
private enum Pictures {
    static let shape = PointShape([1, 2, 2]) ?? PointShape(dimension: 4)

    static func covariance(_ tilt: Double) -> [[Double]] {
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: 4), count: 4)
        for row in 0..<4 {
            for column in 0..<4 {
                matrix[row][column] = row == column ? 0.5 + 0.1 * Double(row) : tilt / Double(1 + row + column)
            }
        }
        return matrix
    }

    static let models: [String: any Density] = [
        "a": Gaussian(mean: [0.3, -0.4, 0.1, 0.6], covariance: covariance(0.2), shape: shape),
        "b": GaussianMixture(
            means: [[0.5, 0.5, -0.2, 0.1], [-0.7, 0.1, 0.4, -0.5]],
            standardDeviations: [[0.3, 0.5, 0.4, 0.6], [0.4, 0.3, 0.5, 0.4]], weights: [1, 3], shape: shape),
        "c": UniformBox(low: [-0.5, -1, -0.8, -0.6], high: [0.8, 1, 0.7, 0.9], shape: shape),
    ]

    static let classifiers: [String: any Classifier] = [
        "bayes": BayesClassifier(
            components: [
                Gaussian(mean: [0.5, 0.5, -0.2, 0.1], covariance: covariance(0.1), shape: shape),
                Gaussian(mean: [-0.7, 0.1, 0.4, -0.5], covariance: covariance(-0.1), shape: shape),
            ], weights: [0.25, 0.75])
    ]

    static func density(_ expression: TargetExpression) throws -> any Density {
        try expression.density(models: models, classifiers: classifiers)
    }

    /// Points that fill [-1.2, 1.2] evenly along each axis.
    static func points(_ dimension: Int, _ count: Int = 6) -> [[Double]] {
        var points = [[Double]](repeating: [Double](repeating: 0, count: dimension), count: count)
        for index in 0..<count {
            for axis in 0..<dimension {
                let turns = Double((index + 1) * (2 * axis + 1)) * 0.618034
                points[index][axis] = 2.4 * turns.truncatingRemainder(dividingBy: 1) - 1.2
            }
        }
        return points
    }
}

private typealias Window = (of: TargetExpression, place: Tapestry.Placement, weight: Double?)

private func window(
    _ of: TargetExpression, _ row: Int, _ column: Int, scale: Int = 1, weight: Double? = nil
) -> Window {
    (of, Tapestry.Placement(shape: Pictures.shape, row: row, column: column, scale: scale), weight)
}

private func tapestry(
    _ lengths: [Int], _ windows: [Window], _ combination: Tapestry.Combination = .product
) throws -> Tapestry {
    Tapestry(canvas: try #require(PointShape(lengths)), windows: windows, combination)
}

private let (a, b, c) = (TargetExpression.leaf("a"), TargetExpression.leaf("b"), TargetExpression.leaf("c"))

/// Windows on 4 x 5 pixels that overlap, one of which shows every other pixel.
private let overlapping: [Window] = [
    window(a, 0, 0), window(b, 0, 2), window(a, 0, 3), window(c, 2, 0), window(b, 2, 2), window(a, 2, 3),
    window(b, 0, 0, scale: 2),
]

@Suite("Tapestries")
struct TapestryTests {
    private static let levels = [0, 30, 99].map { Scene.levels[$0] }

    @Test("Windows that lie side by side give independent densities, to the bit")
    func disjoint() throws {
        let side = try tapestry([1, 2, 4], [window(a, 0, 0), window(b, 0, 2)])
        #expect(side.windows.map(\.weight) == [1, 1])
        let points = Pictures.points(8)
        for level in Self.levels {
            let whole = try evaluate(try Pictures.density(.tapestry(side)), at: points, level: level)
            let parts = try [(a, [0, 1, 4, 5]), (b, [2, 3, 6, 7])].map { leaf, pixels in
                let shown = points.map { point in pixels.map { point[$0] } }
                return (try evaluate(try Pictures.density(leaf), at: shown, level: level), pixels)
            }
            for lane in points.indices {
                #expect(whole.logDensity[lane] == parts[0].0.logDensity[lane] + parts[1].0.logDensity[lane])
                for (part, pixels) in parts {
                    for (axis, pixel) in pixels.enumerated() {
                        #expect(whole.score[pixel, lane] == part.score[axis, lane])
                    }
                }
            }
        }
    }

    @Test("A product is the weighted sum of what the windows say, also of every other pixel")
    func sum() throws {
        let points = Pictures.points(20)
        let given = overlapping.enumerated().map { Window($1.of, $1.place, 0.3 + 0.1 * Double($0)) }
        let density = try Pictures.density(.tapestry(try tapestry([1, 4, 5], given)))
        #expect(density.shape.lengths == [1, 4, 5])
        // By hand: the first pixel of each window and the pixels of the canvas from one to the next.
        let shown: [(String, [Int])] = [
            ("a", [0, 1, 5, 6]), ("b", [2, 3, 7, 8]), ("a", [3, 4, 8, 9]), ("c", [10, 11, 15, 16]),
            ("b", [12, 13, 17, 18]), ("a", [13, 14, 18, 19]), ("b", [0, 2, 10, 12]),
        ]
        for level in Self.levels {
            let whole = try evaluate(density, at: points, level: level)
            var (logs, scores) = ([Double](repeating: 0, count: 6), points.map { $0.map { _ in 0.0 } })
            for (index, (name, pixels)) in shown.enumerated() {
                let part = try evaluate(
                    try #require(Pictures.models[name]), at: points.map { point in pixels.map { point[$0] } },
                    level: level)
                let weight = 0.3 + 0.1 * Double(index)
                for lane in points.indices {
                    logs[lane] += weight * part.logDensity[lane]
                    for (axis, pixel) in pixels.enumerated() { scores[lane][pixel] += weight * part.score[axis, lane] }
                }
            }
            for lane in points.indices {
                #expect(abs(whole.logDensity[lane] - logs[lane]) < 1e-12 * max(1, abs(logs[lane])))
                for pixel in 0..<20 {
                    let (found, wanted) = (whole.score[pixel, lane], scores[lane][pixel])
                    #expect(abs(found - wanted) < 1e-10 * max(1, abs(wanted)))
                }
            }
        }
    }

    private static let products: [String: TargetExpression] = {
        let guided = TargetExpression.guidance(unconditional: a, conditional: [b], scale: 2)
        let classified = TargetExpression.classifier(of: a, by: "bayes", label: 1, scale: 1.5)
        let either = TargetExpression.mixture([a, b], weights: [1, 2], logNormalizers: [0, 0.3])
        let bounded = TargetExpression.bounded(of: b, low: [-9, -9, -9, -9], high: [9, 9, 9, 9])
        let canvas = PointShape([1, 4, 5]) ?? Pictures.shape
        let whole = TargetExpression.tapestry(
            Tapestry(
                canvas: canvas,
                windows: zip([guided, classified, either, bounded, a, c, b], overlapping).map { ($0, $1.place, nil) },
                .product))
        let wide = PointShape([1, 4, 8]) ?? Pictures.shape
        func placed(_ column: Int) -> Tapestry.Placement {
            Tapestry.Placement(shape: canvas, row: 0, column: column, scale: 1)
        }
        return [
            "operators in windows": whole,
            "a mixture of tapestries": .mixture([whole, whole], weights: [1, 1], logNormalizers: [0, 1]),
            "a tapestry of tapestries": .tapestry(
                Tapestry(canvas: wide, windows: [(whole, placed(0), nil), (whole, placed(3), 0.7)], .product)),
        ]
    }()

    @Test("The score of a product is the gradient of its log density", arguments: products.keys.sorted())
    func gradient(name: String) throws {
        let density = try Pictures.density(try #require(Self.products[name]))
        for index in [2, 20, 60, 99] {
            let error = try worstScoreError(
                of: density, at: Pictures.points(density.dimension), level: Scene.levels[index])
            #expect(error < 1e-6, "level \(index)")
        }
    }

    @Test("Weights that nobody gives let each pixel count once in all")
    func weights() throws {
        #expect(try tapestry([1, 2, 2], [window(a, 0, 0), window(b, 0, 0)]).windows.map(\.weight) == [0.5, 0.5])
        // A column that two windows show, between two that one shows.
        let three = try tapestry([1, 2, 3], [window(a, 0, 0), window(b, 0, 1)])
        #expect(three.windows.map(\.weight) == [0.75, 0.75])
        for windows in [overlapping, overlapping + [window(c, 1, 1), window(a, 1, 1)]] {
            let whole = try tapestry([1, 4, 5], windows)
            let counted: Double = whole.windows.reduce(0.0) { $0 + 4.0 * $1.weight }
            #expect(abs(counted - 20) < 1e-12)
            #expect(abs(TargetExpression.tapestry(whole).totalWeight - 1) < 1e-12)
        }
        let given = try tapestry([1, 2, 3], [window(a, 0, 0, weight: 1), window(b, 0, 1)])
        #expect(given.windows.map(\.weight) == [1, 0.75])
    }

    @Test("Windows that run over the edges count each pixel once at every pixel, though they overlap")
    func wrapped() throws {
        let places = (0..<4).flatMap { row in (0..<4).map { window(row % 2 == 0 ? a : b, row, $0) } }
        let canvas = try #require(PointShape([1, 4, 4]))
        let whole = Tapestry(canvas: canvas, wraps: true, windows: places, .product)
        #expect(whole.windows.allSatisfy { $0.weight == 0.25 })
        #expect(places[15].place.view(on: canvas).coordinates == [15, 12, 3, 0])
        // Where each model has the same score, the whole has it.
        let flat: [String: any Density] = ["a", "b"].reduce(into: [:]) {
            $0[$1] = GaussianMixture(
                means: [[0, 0, 0, 0]], standardDeviations: [[1, 1, 1, 1]], weights: [1], shape: Pictures.shape)
        }
        let points = Pictures.points(16)
        let evaluation = try evaluate(
            try TargetExpression.tapestry(whole).density(models: flat), at: points, level: Scene.levels[30])
        for (lane, point) in points.enumerated() {
            for pixel in 0..<16 { #expect(abs(evaluation.score[pixel, lane] + point[pixel]) < 1e-12) }
        }
        let density = try Pictures.density(.tapestry(whole))
        #expect(try worstScoreError(of: density, at: points, level: Scene.levels[20]) < 1e-6)
    }

    @Test("An average is the released code's mean of scores, faded towards the edges")
    func average() throws {
        let windows = [window(a, 0, 0), window(b, 0, 1), window(c, 0, 0, scale: 2), window(a, 2, 0), window(b, 2, 2)]
        let whole = try tapestry([1, 4, 4], windows + [window(a, 0, 2)], .average)
        // Windows of 2 x 2 pixels are nothing but edge, where all weigh alike; the one of 4 x 4 fades by a third of its half.
        let large = Tapestry.fade(of: windows[2].place)
        #expect(Tapestry.fade(of: windows[0].place).allSatisfy { $0 == 1 + 1e-6 })
        #expect(large[0] == 1e-6 && large[3] == 1e-6 && large[5] == 0.25 + 1e-6)
        let points = Pictures.points(16)
        let level = Scene.levels[30]
        let average = try evaluate(try Pictures.density(.tapestry(whole)), at: points, level: level)
        #expect(average.logDensity.allSatisfy { $0 == 0 })
        func score(_ name: String, _ pixels: [Int]) throws -> LaneMatrix {
            try evaluate(
                try #require(Pictures.models[name]), at: points.map { point in pixels.map { point[$0] } }, level: level
            ).score
        }
        // The pixel in row 1, column 1: the first two windows, and the large one by the pixel that stands for its corner.
        let terms: [(weight: Double, score: LaneMatrix, axis: Int)] = try [
            (1 + 1e-6, score("a", [0, 1, 4, 5]), 3), (1 + 1e-6, score("b", [1, 2, 5, 6]), 2),
            (0.25 + 1e-6, score("c", [0, 2, 8, 10]), 0),
        ]
        for lane in points.indices {
            let sum: Double = terms.reduce(0.0) { $0 + $1.weight * $1.score[$1.axis, lane] }
            let mean = sum / terms.reduce(0.0) { $0 + $1.weight }
            #expect(abs(average.score[5, lane] - mean) < 1e-12 * max(1, abs(mean)))
        }
        // Alone it is what a product is, and where all windows say the same of a pixel so does their mean.
        let alone = try evaluate(
            try Pictures.density(.tapestry(tapestry([1, 2, 2], [window(a, 0, 0)], .average))), at: Pictures.points(4),
            level: level)
        #expect(try alone.score == evaluate(try Pictures.density(a), at: Pictures.points(4), level: level).score)
        #expect(TargetExpression.tapestry(whole).averagesScores)
    }

    @Test("A fade is flat inside and falls over 3/32 of a large window")
    func fade() throws {
        let shape = try #require(PointShape([3, 32, 32]))
        let fade = Tapestry.fade(of: Tapestry.Placement(shape: shape, row: 0, column: 0, scale: 1))
        #expect(fade[16 * 32 + 16] == 1 + 1e-6 && fade[16 * 32 + 3] == 1 + 1e-6)
        // One pixel from the edge: 2 / 31 of a depth that is full at 6 / 32.
        let second = 2.0 / 31 / (6.0 / 32) + 1e-6
        #expect(abs(fade[16 * 32 + 1] - second) < 1e-12)
        #expect(fade[16 * 32] == 1e-6 && fade[31] == 1e-6)
    }

    @Test("Pixels that no window shows are found, those between what a window of a larger scale shows too")
    func uncovered() throws {
        let canvas = try #require(PointShape([1, 4, 4]))
        let large = window(a, 0, 0, scale: 2).place
        let corner = try #require(Tapestry.uncovered(by: [large], on: canvas))
        #expect(corner == (0, 1))
        let others = [window(a, 0, 0), window(a, 0, 2), window(a, 2, 0)].map(\.place)
        #expect(try #require(Tapestry.uncovered(by: others, on: canvas)) == (2, 2))
        #expect(!window(a, 3, 0).place.fits(on: canvas, wrapping: false))
        #expect(window(a, 2, 2).place.fits(on: canvas, wrapping: false))
        #expect(window(a, 3, 3).place.fits(on: canvas, wrapping: true))
        #expect(!window(a, 3, 3).place.fits(on: try #require(PointShape([1, 1, 4])), wrapping: true))
    }

    @Test("Bounds in windows bound what they show, and nothing else")
    func bounds() throws {
        let box = TargetExpression.bounded(of: a, low: [-1, -2, -3, -4], high: [1, 2, 3, 4])
        let narrow = TargetExpression.bounded(of: b, low: [-1, -1, -1, -1], high: [5, 5, 5, 5])
        let whole = TargetExpression.tapestry(
            try tapestry([1, 2, 4], [window(box, 0, 0), window(narrow, 0, 1), window(a, 0, 2)]))
        let inf = Double.infinity
        #expect(
            whole.bounds == Bounds(low: [-1, -1, -1, -inf, -3, -1, -1, -inf], high: [1, 2, 5, inf, 3, 4, 5, inf]))
        #expect(whole.boxes(ofModels: [:]).count == 2 && whole.bounds?.axisWithoutFloats == nil)
        let density = try Pictures.density(whole)
        var outside = [[Double]](repeating: [Double](repeating: 0, count: 8), count: 3)
        (outside[1][0], outside[2][3]) = (1.5, 40)
        let logs = try evaluate(density, at: outside, level: Scene.levels[30]).logDensity
        #expect(logs[0].isFinite && logs[1] == -.infinity && logs[2].isFinite)
        #expect(try TargetExpression.tapestry(tapestry([1, 2, 2], [window(a, 0, 0)])).bounds == nil)
    }

    @Test("Tails add up pixel by pixel, so that a window that rises is told of")
    func tails() throws {
        let tail = TailForm(precision: 1, dimension: 4)
        let guided = TargetExpression.guidance(unconditional: a, conditional: [b], scale: 3)
        let rising = TargetExpression.negation(of: a, by: b, weight: 3)
        let whole = TargetExpression.tapestry(try tapestry([1, 2, 4], [window(guided, 0, 0), window(a, 0, 2)]))
        #expect(whole.subtracts && whole.totalWeight == 1)
        #expect(whole.tail(of: ["a": tail, "b": tail])?.rise == nil)
        let bad = TargetExpression.tapestry(try tapestry([1, 2, 4], [window(a, 0, 0), window(rising, 0, 2)]))
        #expect(bad.tail(of: ["a": tail, "b": tail])?.rise == .axis(2))
        let held = TargetExpression.tapestry(
            try tapestry(
                [1, 2, 4],
                [
                    window(a, 0, 0),
                    window(.bounded(of: rising, low: [0, 0, 0, 0], high: [1, 1, 1, 1]), 0, 2),
                ]))
        #expect(held.tail(of: ["a": tail, "b": tail])?.rise == nil)
    }
}

/// A small U-Net of pictures of 4 x 4 pixels with three labels.
private let network: Network = {
    let unet = UNet(
        height: 4, width: 4, channels: 1, modelChannels: 8, multipliers: [1, 2], blocks: 1, attention: [2],
        heads: .channels(4), groups: 4, levels: 100, classes: 3)
    let architecture = NetworkDescription.Architecture.unet(unet)
    return Network(
        description: NetworkDescription(
            architecture: architecture, energy: .init(kind: .denoising, scale: 0.5),
            schedule: .init(kind: .cosine, levels: 100)),
        parameters: architecture.parameters.map { parameter in
            (0..<parameter.shape.reduce(1, *)).map { Float($0 * 37 % 101 - 50) * 0.01 }
        })
}()

@Suite("Tapestries of a network")
struct NetworkTapestryTests {
    private static func density(_ network: Network, _ combination: Tapestry.Combination) throws -> any Density {
        let shape = network.description.architecture.shape
        func guided(_ name: String) -> TargetExpression {
            .guidance(unconditional: .leaf("any"), conditional: [.leaf(name)], scale: 2)
        }
        let windows = [0, 2, 4].flatMap { row in
            [0, 3].map { column in
                Window(
                    guided("\((row + column) % 3)"),
                    Tapestry.Placement(shape: shape, row: row, column: column, scale: 1), nil)
            }
        }
        var models: [String: any Density] = ["any": network.density()]
        for label in 0..<3 { models["\(label)"] = network.density(label: label) }
        let target = TargetExpression.tapestry(
            Tapestry(canvas: try #require(PointShape([1, 8, 7])), windows: windows, combination))
        return try target.density(models: models)
    }

    @Test(
        "A chain's bits depend neither on the chains beside it nor on how many rows pass through the network together",
        arguments: Tapestry.Combination.allCases)
    func batch(combination: Tapestry.Combination) throws {
        let points = Pictures.points(56, 5)
        for index in [3, 60] {
            let level = Scene.levels[index]
            let all = try evaluate(try Self.density(network, combination), at: points, level: level)
            let few = network.working(within: network.leastWork)
            #expect(try evaluate(try Self.density(few, combination), at: points, level: level) == all)
            for (lane, point) in points.enumerated() {
                let alone = try evaluate(try Self.density(network, combination), at: [point], level: level)
                #expect(alone.logDensity[0] == all.logDensity[lane])
                for row in 0..<56 { #expect(alone.score[row, 0] == all.score[row, lane]) }
            }
        }
    }

    @Test("Windows of one network say together what each says alone, to the bit")
    func windows() throws {
        let shape = network.description.architecture.shape
        let canvas = try #require(PointShape([1, 4, 8]))
        func window(_ name: String, _ column: Int) -> Window {
            (.leaf(name), Tapestry.Placement(shape: shape, row: 0, column: column, scale: 1), nil)
        }
        let models = ["any": network.density(), "one": network.density(label: 1)]
        let target = TargetExpression.tapestry(
            Tapestry(canvas: canvas, windows: [window("one", 0), window("any", 4)], .product))
        let points = Pictures.points(32, 4)
        let level = Scene.levels[20]
        let whole = try evaluate(try target.density(models: models), at: points, level: level)
        for (name, first) in [("one", 0), ("any", 4)] {
            let pixels: [Int] = (0..<16).map { pixel in pixel / 4 * 8 + pixel % 4 + first }
            let shown = points.map { point in pixels.map { point[$0] } }
            let part = try evaluate(try #require(models[name]), at: shown, level: level)
            for lane in points.indices {
                for pixel in 0..<16 {
                    let onCanvas = pixel / 4 * 8 + pixel % 4 + first
                    #expect(whole.score[onCanvas, lane] == part.score[pixel, lane])
                }
            }
        }
    }
}
