import EnergyModels
import RandomStreams
import RunFolder
import VectorMath

/// Points of files and their labels, of which rows are drawn with replacement.
struct PointTable: Sendable {
    /// [n][d].
    private enum Numbers: Sendable {
        case floats([Float])
        /// Tones of images, from black, 0, which is -1, to 255, which is 1.
        case tones([UInt8])

        var count: Int {
            switch self {
            case .floats(let values): values.count
            case .tones(let values): values.count
            }
        }

        func callAsFunction(_ index: Int) -> Double {
            switch self {
            case .floats(let values): Double(values[index])
            case .tones(let values): Double(values[index]) / 127.5 - 1
            }
        }
    }

    private let numbers: Numbers
    /// [n].
    private let labels: [Int32]?
    private let dimension: Int
    /// Columns of an image, where half of the images drawn are mirrored, left and right exchanged.
    private let flippedWidth: Int?
    /// Rows that are trained on; those behind them are held out.
    private let trained: Range<Int>
    private let heldOut: Range<Int>

    /// Reads the files.
    /// - Throws: ``RunFolderError`` for files that are not there or do not fit.
    init(
        points path: String, labels: String?, flipped: Bool, heldOut: Int, shape: PointShape, classes: Int
    ) throws(RunFolderError) {
        let file = try NpyReader(path: path)
        let numbers: Numbers
        if shape.lengths.count == 3, let tones = try file.bytes(shape: shape.lengths) {
            numbers = .tones(tones)
        } else {
            numbers = .floats(try file.points(shape: shape.lengths))
        }
        let known = try labels.map { path throws(RunFolderError) in
            try NpyReader(path: path).labels(count: numbers.count / shape.dimension, classes: classes)
        }
        try self.init(numbers, labels: known, path: path, flipped: flipped, heldOut: heldOut, shape: shape)
    }

    /// Images of bytes, [n, channels, height, width], and a label for each.
    /// - Throws: ``RunFolderError``, naming `folder`, where too many are held out.
    init(
        tones: [UInt8], labels: [Int32]?, folder: String, flipped: Bool, heldOut: Int, shape: PointShape
    ) throws(RunFolderError) {
        try self.init(.tones(tones), labels: labels, path: folder, flipped: flipped, heldOut: heldOut, shape: shape)
    }

    private init(
        _ numbers: Numbers, labels: [Int32]?, path: String, flipped: Bool, heldOut: Int, shape: PointShape
    ) throws(RunFolderError) {
        self.numbers = numbers
        self.labels = labels
        dimension = shape.dimension
        let count = numbers.count / dimension
        guard count > heldOut else {
            throw RunFolderError(
                .malformed, path: path,
                reason: count == 0
                    ? "holds no points; give at least one"
                    : "holds \(count) points, and \"held_out\" leaves none of them to train on; make it smaller")
        }
        flippedWidth = flipped ? shape.lengths.last : nil
        trained = 0..<count - heldOut
        self.heldOut = trained.upperBound..<count
    }

    /// Whether some are held out.
    var holdsOut: Bool { !heldOut.isEmpty }

    /// Draws the points of consecutive rows of a batch; labels stay as they are where there are none.
    func draw(_ random: RandomStream, iteration: Int, points: inout LaneMatrix, labels given: inout [Int32]) {
        let rows = iteration == TrainingData.heldOutIteration ? heldOut : trained
        let mirrored = flippedWidth.map { _ in random.uniforms(.dataPoint, iteration, lanes: points.lanes) }
        for (lane, u) in random.uniforms(.dataRow, iteration, lanes: points.lanes).enumerated() {
            let row = rows.lowerBound + Int((1 - u) * Double(rows.count))
            let start = row * dimension
            if let flippedWidth, let mirrored, mirrored[lane] > 0.5 {
                for i in 0..<dimension {
                    let column = i % flippedWidth
                    points[i, lane] = numbers(start + i - column + flippedWidth - 1 - column)
                }
            } else {
                for i in 0..<dimension { points[i, lane] = numbers(start + i) }
            }
            if let labels { given[lane] = labels[row] }
        }
    }
}
