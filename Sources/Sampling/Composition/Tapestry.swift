package import EnergyModels

/// A large picture, the canvas, parts of which windows show to compositions of smaller ones: what models of small pictures
/// make of a large one.
///
/// Windows may lie over one another; every pixel of the canvas lies in at least one.
package struct Tapestry: Sendable, Equatable {
    /// What is made of the windows.
    package enum Combination: String, Sendable, CaseIterable {
        /// l(x) = sum of w_k l_k(x_k), where x_k is what window k shows of x: a density, with its exact gradient.
        ///
        /// Where nothing is said of the weights, w_k is the mean over the pixels that window k shows of one over the number
        /// of windows that show the pixel. So each pixel counts once in all: the weights times the pixels of their windows
        /// add up to the pixels of the canvas. A window that no other overlaps has weight 1, n windows in one place 1 / n.
        case product

        /// The score at each pixel is the weighted mean of the scores of the windows over it, a window's weight at a pixel
        /// being what ``Tapestry/fade(of:)`` says: the form of the paper's released code. It is no gradient of anything, and
        /// there is no log density.
        case average
    }

    /// A part of the canvas and the composition that it is shown to.
    package struct Window: Sendable, Equatable {
        /// What is made of the part.
        package let of: TargetExpression
        /// Where it lies.
        package let place: Placement
        /// w_k, above zero. For a mean it is 1.
        package let weight: Double
    }

    /// Where a window lies on a canvas: it shows every `scale`-th pixel of every `scale`-th row, beginning with that at
    /// `row` and `column`, as a picture of `shape`. What would lie beyond an edge of the canvas is taken from the opposite one.
    ///
    /// Nearest pixels rather than means of several: a mean would have less noise than the level that the window's models are
    /// asked about.
    package struct Placement: Sendable, Equatable {
        /// Of the picture that is shown, [channels, height, width].
        package let shape: PointShape
        /// Of its first pixel on the canvas.
        package let row: Int
        /// Of its first pixel on the canvas.
        package let column: Int
        /// Pixels of the canvas, each way, for one that is shown.
        package let scale: Int

        /// A window of that shape [channels, height, width].
        package init(shape: PointShape, row: Int, column: Int, scale: Int) {
            precondition(shape.lengths.count == 3 && row >= 0 && column >= 0 && scale >= 1)
            (self.shape, self.row, self.column, self.scale) = (shape, row, column, scale)
        }

        /// Rows of the picture that is shown.
        var height: Int { shape.lengths[1] }
        /// Columns of the picture that is shown.
        var width: Int { shape.lengths[2] }

        /// Whether all of it lies on a canvas of as many channels.
        ///
        /// - Parameter wraps: whether it may run over an edge, though not over itself.
        package func fits(on canvas: PointShape, wrapping wraps: Bool) -> Bool {
            guard canvas.lengths.count == 3, canvas.lengths[0] == shape.lengths[0] else { return false }
            let start = wraps ? (row: 0, column: 0) : (row: row, column: column)
            guard row < canvas.lengths[1], column < canvas.lengths[2] else { return false }
            return start.row + height * scale <= canvas.lengths[1] && start.column + width * scale <= canvas.lengths[2]
        }

        /// The number of a pixel of the canvas, rows one after the other, from those of its row and column within the window.
        func pixel(_ line: Int, _ place: Int, on canvas: PointShape) -> Int {
            (row + line) % canvas.lengths[1] * canvas.lengths[2] + (column + place) % canvas.lengths[2]
        }
    }

    /// The shape of a point, [channels, height, width].
    package let canvas: PointShape
    /// The windows; at least one, all of which fit.
    package let windows: [Window]
    /// What is made of them.
    package let combination: Combination
    /// Whether windows run over the edges of the canvas to the opposite ones.
    package let wraps: Bool

    /// - Parameters:
    ///   - wraps: whether windows may run over the edges of the canvas to the opposite ones.
    ///   - windows: at least one, each with what it shows its part to, its place, and for a product its weight, above zero;
    ///     nil for the usual one. Together they show the whole canvas: see ``uncovered(by:on:)``.
    package init(
        canvas: PointShape, wraps: Bool = false,
        windows: [(of: TargetExpression, place: Placement, weight: Double?)], _ combination: Combination
    ) {
        let places = windows.map(\.place)
        precondition(!windows.isEmpty && places.allSatisfy { $0.fits(on: canvas, wrapping: wraps) })
        precondition(Self.uncovered(by: places, on: canvas) == nil)
        self.canvas = canvas
        self.wraps = wraps
        self.combination = combination
        let usual =
            combination == .average ? windows.map { _ in 1 } : Self.usualWeights(of: places, on: canvas)
        self.windows = zip(windows, usual).map { Window(of: $0.of, place: $0.place, weight: $0.weight ?? $1) }
    }

    /// The same with other compositions in the windows.
    func mapWindows(_ change: (TargetExpression) -> TargetExpression) -> Tapestry {
        Tapestry(
            canvas: canvas, wraps: wraps, windows: windows.map { (change($0.of), $0.place, $0.weight) }, combination)
    }
}

extension Tapestry {
    /// The first pixel of the canvas, by rows, that no window in these places shows; nil if there is none. Nothing would
    /// hold such a pixel: in a mean too, what is said of it depends on another one alone.
    package static func uncovered(by places: [Placement], on canvas: PointShape) -> (row: Int, column: Int)? {
        let counts = counts(of: places, on: canvas)
        guard let pixel = counts.firstIndex(of: 0) else { return nil }
        return (pixel / canvas.lengths[2], pixel % canvas.lengths[2])
    }

    /// By pixel of the canvas, row after row, how many windows show it.
    private static func counts(of places: [Placement], on canvas: PointShape) -> [Int32] {
        var counts = [Int32](repeating: 0, count: canvas.lengths[1] * canvas.lengths[2])
        for place in places {
            for line in stride(from: 0, to: place.height * place.scale, by: place.scale) {
                for column in stride(from: 0, to: place.width * place.scale, by: place.scale) {
                    counts[place.pixel(line, column, on: canvas)] += 1
                }
            }
        }
        return counts
    }

    /// By window, the mean over its pixels of one over the number of windows that show the pixel.
    private static func usualWeights(of places: [Placement], on canvas: PointShape) -> [Double] {
        let counts = counts(of: places, on: canvas)
        return places.map { place in
            var sum = 0.0
            for row in 0..<place.height {
                for column in 0..<place.width {
                    sum += 1 / Double(counts[place.pixel(row * place.scale, column * place.scale, on: canvas)])
                }
            }
            return sum / Double(place.height * place.width)
        }
    }

    /// What a window counts at each pixel of the canvas that lies within it, row after row, in a mean: 1 / scale^2, fading
    /// towards its edges from 3/32 of its width and height on, so that no line shows where it ends; never quite nothing.
    package static func fade(of place: Placement) -> [Double] {
        let (height, width) = (place.height * place.scale, place.width * place.scale)
        /// How far a pixel lies from the nearer edge: 0 at the edge, 1 in the middle.
        func depth(_ index: Int, of count: Int) -> Double {
            count == 1 ? 1 : 1 - abs(2 * Double(index) / Double(count - 1) - 1)
        }
        var fade: [Double] = []
        for row in 0..<height {
            for column in 0..<width {
                fade.append(min(depth(row, of: height), depth(column, of: width), 6.0 / 32))
            }
        }
        let deepest = fade.reduce(0, max)
        let area = Double(place.scale * place.scale)
        return fade.map { (deepest > 0 ? $0 / deepest : 1) / area + 1e-6 }
    }

    /// By window, what it adds to a mean.
    var spreads: [Spread] {
        var totals = [Double](repeating: 0, count: canvas.lengths[1] * canvas.lengths[2])
        var spreads = windows.map { Spread(of: $0.place, on: canvas) }
        for spread in spreads {
            for (pixel, share) in zip(spread.pixels, spread.shares) { totals[Int(pixel)] += share }
        }
        for index in spreads.indices {
            for (place, pixel) in spreads[index].pixels.enumerated() {
                spreads[index].shares[place] /= totals[Int(pixel)]
            }
        }
        return spreads
    }

    /// How what a window says of the pixels that it shows is spread over those of the canvas that lie within it.
    struct Spread {
        /// Of the canvas, by number, rows one after the other.
        let pixels: [Int32]
        /// By pixel of the canvas, that of the window which stands for it.
        let shown: [Int32]
        /// By pixel of the canvas, the part of the window in the mean there.
        fileprivate(set) var shares: [Double]

        fileprivate init(of place: Placement, on canvas: PointShape) {
            var (pixels, shown) = ([Int32](), [Int32]())
            for row in 0..<place.height * place.scale {
                for column in 0..<place.width * place.scale {
                    pixels.append(Int32(place.pixel(row, column, on: canvas)))
                    shown.append(Int32(row / place.scale * place.width + column / place.scale))
                }
            }
            (self.pixels, self.shown, shares) = (pixels, shown, Tapestry.fade(of: place))
        }
    }
}

extension Tapestry.Placement {
    /// What it shows of a point of the shape `canvas`.
    package func view(on canvas: PointShape) -> PointView {
        var coordinates: [Int32] = []
        coordinates.reserveCapacity(shape.dimension)
        for channel in 0..<shape.lengths[0] {
            let start = channel * canvas.lengths[1] * canvas.lengths[2]
            for line in 0..<height {
                for place in 0..<width {
                    coordinates.append(Int32(start + pixel(line * scale, place * scale, on: canvas)))
                }
            }
        }
        return PointView(coordinates: coordinates)
    }
}
