import ContentHash
import EnergyModels
import RandomStreams
import RunFolder
import VectorMath

/// The points of a training, ready to be drawn from.
///
/// Row r of the batch of an iteration depends on the seed, r and the iteration alone.
struct TrainingData: Sendable {
    private enum Source: Sendable {
        /// Mean [d] and the lower Cholesky factor of the covariance, row by row.
        case gaussian(mean: [Double], factor: [[Double]])
        /// Cumulative weights [K]; labels are components, if they are wanted.
        case mixture(means: [[Double]], deviations: [[Double]], cumulative: [Double], labelled: Bool)
        case box(low: [Double], high: [Double])
        /// Points [n][d] and labels [n].
        case table(points: [Float], labels: [Int32]?)
    }

    private let source: Source
    /// Coordinates of a point.
    let dimension: Int
    /// Digests of the data files, points first.
    let files: [Digest]
    /// What a point without a label gets: the embedding behind those of the classes.
    private let noLabel: Int32

    /// Reads the data files of a spec, if it names any, and looks whether they fit its network.
    /// - Throws: ``TrainingError`` with exit status 65 or 66.
    init(_ spec: TrainingSpec) throws(TrainingError) {
        let architecture = spec.network.architecture
        dimension = architecture.dimension
        noLabel = Int32(architecture.classes ?? 0)
        switch spec.data {
        case .density(let density, let labelled):
            source = Self.source(density, labelled)
            files = []
        case .arrays(let points, let labels):
            let values = try Self.points(points, shape: architecture.shape)
            var given: [Int32]?
            if let labels {
                given = try Self.labels(
                    labels, count: values.count / architecture.dimension, classes: architecture.classes ?? 0)
            }
            source = .table(points: values, labels: given)
            var files: [Digest] = []
            do throws(UnreadableFile) {
                for path in [points, labels].compactMap(\.self) { files.append(try SHA256.hash(ofFile: path)) }
            } catch {
                throw TrainingError(exitStatus: 66, error.description)
            }
            self.files = files
        }
    }

    private static func source(_ density: ModelDescription, _ labelled: Bool) -> Source {
        switch density {
        case .gaussian(let mean, let covariance): return .gaussian(mean: mean.values, factor: cholesky(covariance))
        case .independentGaussian(let mean, let deviations):
            return .mixture(means: [mean.values], deviations: [deviations.values], cumulative: [1], labelled: false)
        case .uniformBox(let low, let high): return .box(low: low.values, high: high.values)
        case .gaussianMixture(let means, let deviations, let weights):
            var total = 0.0
            let cumulative = weights.map { weight in
                total += weight
                return total
            }
            return .mixture(
                means: means.map(\.values), deviations: deviations.map(\.values), cumulative: cumulative,
                labelled: labelled)
        }
    }

    /// The lower factor of a positive definite matrix.
    private static func cholesky(_ matrix: [[Double]]) -> [[Double]] {
        var factor = matrix.map { $0.map { _ in 0.0 } }
        for i in matrix.indices {
            for j in 0...i {
                let rest = matrix[i][j] - (0..<j).reduce(0) { $0 + factor[i][$1] * factor[j][$1] }
                factor[i][j] = i == j ? rest.squareRoot() : rest / factor[j][j]
            }
        }
        return factor
    }

    private static func points(_ path: String, shape: PointShape) throws(TrainingError) -> [Float] {
        do throws(RunFolderError) {
            let values = try NpyReader(path: path).points(shape: shape.lengths)
            guard !values.isEmpty else {
                throw RunFolderError(.malformed, path: path, reason: "holds no points; give at least one")
            }
            return values
        } catch {
            throw TrainingError(error)
        }
    }

    private static func labels(_ path: String, count: Int, classes: Int) throws(TrainingError) -> [Int32] {
        do throws(RunFolderError) {
            return try NpyReader(path: path).labels(count: count, classes: classes)
        } catch {
            throw TrainingError(error)
        }
    }

    /// Draws the points of consecutive rows of a batch.
    ///
    /// - Parameters:
    ///   - random: the stream of the rows, its first chain the first row.
    ///   - points: [d][rows], one row per lane; set.
    ///   - labels: [rows], set to classes where there is no label.
    func draw(_ random: RandomStream, iteration: Int, points: inout LaneMatrix, labels: inout [Int32]) {
        for row in labels.indices { labels[row] = noLabel }
        switch source {
        case .gaussian(let mean, let factor):
            var normals = points
            random.fillNormals(&normals, purpose: .dataPoint, level: 0, transition: iteration)
            for lane in 0..<points.lanes {
                for i in 0..<dimension {
                    points[i, lane] = (0...i).reduce(mean[i]) { $0 + factor[i][$1] * normals[$1, lane] }
                }
            }
        case .mixture(let means, let deviations, let cumulative, let labelled):
            random.fillNormals(&points, purpose: .dataPoint, level: 0, transition: iteration)
            let last = cumulative.count - 1
            for (lane, u) in uniforms(random, .dataRow, iteration, lanes: points.lanes).enumerated() {
                let component = cumulative.firstIndex { u * cumulative[last] <= $0 } ?? last
                for i in 0..<dimension {
                    points[i, lane] = means[component][i] + deviations[component][i] * points[i, lane]
                }
                if labelled { labels[lane] = Int32(component) }
            }
        case .box(let low, let high):
            for i in 0..<dimension {
                for (lane, u) in uniforms(random, .dataPoint, iteration, level: i, lanes: points.lanes).enumerated() {
                    points[i, lane] = low[i] + u * (high[i] - low[i])
                }
            }
        case .table(let values, let given):
            let count = values.count / dimension
            for (lane, u) in uniforms(random, .dataRow, iteration, lanes: points.lanes).enumerated() {
                let row = Int((1 - u) * Double(count))
                for i in 0..<dimension { points[i, lane] = Double(values[row * dimension + i]) }
                if let given { labels[lane] = given[row] }
            }
        }
    }

    private func uniforms(
        _ random: RandomStream, _ purpose: RandomStream.Purpose, _ iteration: Int, level: Int = 0, lanes: Int
    ) -> [Double] {
        var values = [Double](repeating: 0, count: lanes)
        random.fillUniforms(&values, purpose: purpose, level: level, transition: iteration)
        return values
    }
}
