import RunFolder

/// Samples of points with one coordinate as a histogram, of more as dots in the plane of the first two; over the target where
/// its density is known.
struct SamplesPlot {
    /// Samples that are drawn as dots, at most: enough to see a shape, few enough for a small file.
    static let mostDots = 4_000
    private static let side = 560.0
    private static let bins = 60
    /// The parts of the target's mass that its lines hold.
    private static let masses = [0.5, 0.9, 0.99]

    let title: String
    /// Coordinates of a point.
    let dimension: Int
    /// [samples][dimension], one after the other.
    let samples: [Float]
    /// The target; nil if it is not known here.
    let target: TargetDensity?

    /// - Throws: `EvaluationError` where the target can't be evaluated.
    func svg() throws -> String { dimension == 1 ? try histogram() : try scatter() }

    private func values(_ coordinate: Int) -> [Double] {
        stride(from: coordinate, to: samples.count, by: dimension).map { Double(samples[$0]) }
    }

    /// Where nearly all of some values are: the range of all but one in 500 at either end, and a tenth more.
    private static func extent(_ values: [Double]) -> ClosedRange<Double> {
        let sorted = values.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return -1...1 }
        let cut = sorted.count / 500
        let (low, high) = (sorted[cut], sorted[sorted.count - 1 - cut])
        guard last > first, high > low else { return first - 1...last + 1 }
        return low - 0.1 * (high - low)...high + 0.1 * (high - low)
    }

    private func scatter() throws -> String {
        let (xs, ys) = (values(0), values(1))
        let (x, y) = (Self.extent(xs), Self.extent(ys))
        // One scale for both axes, or shapes would be distorted.
        let half = max(x.upperBound - x.lowerBound, y.upperBound - y.lowerBound) / 2
        func square(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
            let middle = (range.lowerBound + range.upperBound) / 2
            return middle - half...middle + half
        }
        let (horizontal, vertical) = (square(x), square(y))
        let height = Self.side + Frame.top + Frame.bottom
        var drawing = Drawing(width: Self.side + Frame.left + Frame.right, height: height + 24, title: title)
        let frame = Frame(
            &drawing, x: 0, y: 0, width: drawing.width, height: height, title: title,
            horizontal: (
                dimension == 2 ? "x[0], and x[1] upwards" : "x[0], and x[1] upwards, of \(dimension) coordinates",
                Axis(horizontal)
            ), vertical: Axis(vertical))
        let places = zip(xs, ys).compactMap { frame.point($0, $1) }
        let step = max(1, (places.count + Self.mostDots - 1) / Self.mostDots)
        let dots = stride(from: 0, to: places.count, by: step).map { places[$0] }
        drawing.dots(dots, .first, width: dots.count > 1_000 ? 3 : 4, opacity: dots.count > 1_000 ? 0.5 : 0.8)
        var note = "\(dots.count) of \(xs.count) samples"
        if xs.count > places.count { note += ", \(xs.count - places.count) beyond the edges" }
        if dimension == 2, let target {
            let grid = DensityGrid(
                horizontal: horizontal, vertical: vertical,
                logDensities: try target.values(horizontal: horizontal, vertical: vertical, size: DensityGrid.size))
            for threshold in grid.thresholds(ofMass: Self.masses).compactMap({ $0 }) {
                let pieces = grid.contour(at: threshold)
                drawing.line(
                    pieces.flatMap { [frame.point($0.from.x, $0.from.y), frame.point($0.to.x, $0.to.y), nil] }, .second,
                    width: 1.2)
            }
            note += "; lines hold 50, 90 and 99 % of the target at its last level"
        }
        drawing.text(note, x: Frame.left, y: drawing.height - 12, .faint, size: 11)
        return drawing.svg
    }

    private func histogram() throws -> String {
        let xs = values(0)
        let range = Self.extent(xs)
        let width = (range.upperBound - range.lowerBound) / Double(Self.bins)
        var counts = [Int](repeating: 0, count: Self.bins)
        for x in xs where range.contains(x) { counts[min(Self.bins - 1, Int((x - range.lowerBound) / width))] += 1 }
        let heights = counts.map { Double($0) / (Double(max(1, xs.count)) * width) }
        var curve: [(x: Double, y: Double)] = []
        if let target {
            let size = 400
            let spacing = (range.upperBound - range.lowerBound) / Double(size)
            let logs = try target.values(along: range, size: size)
            let densities = TargetDensity.parts(logs)
            let mass = densities.reduce(0, +) * spacing
            // The histogram's own mass within the edges is what the curve is compared with.
            let part = Double(counts.reduce(0, +)) / Double(max(1, xs.count))
            if mass > 0 {
                curve = densities.enumerated().map {
                    (range.lowerBound + (Double($0) + 0.5) * spacing, $1 / mass * part)
                }
            }
        }
        let top = max(heights.max() ?? 1, curve.map(\.y).max() ?? 0)
        var drawing = Drawing(width: 640, height: 400, title: title)
        let frame = Frame(
            &drawing, x: 0, y: 0, width: 640, height: 376, title: title, horizontal: ("x[0]", Axis(range)),
            vertical: Axis(0...max(top, .leastNormalMagnitude) * 1.05))
        for (bin, height) in heights.enumerated() where height > 0 {
            guard let corner = frame.point(range.lowerBound + Double(bin) * width, height),
                let foot = frame.point(range.lowerBound + Double(bin + 1) * width, 0)
            else { continue }
            drawing.box(
                x: corner.x, y: corner.y, width: foot.x - corner.x, height: foot.y - corner.y, .first, opacity: 0.6)
        }
        drawing.line(curve.map { frame.point($0.x, $0.y) }, .second, width: 2)
        let line = curve.isEmpty ? "" : "; line: the target at its last level"
        drawing.text("\(xs.count) samples, density per unit of x[0]" + line, x: Frame.left, y: 388, .faint, size: 11)
        return drawing.svg
    }
}
