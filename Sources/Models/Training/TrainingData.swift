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
        case table(PointTable)
        case sprites
    }

    /// The iteration whose batch is held out; no training has as many.
    static let heldOutIteration = Int(UInt32.max)

    private let source: Source
    /// Coordinates of a point.
    let dimension: Int
    /// Digests of the data files, points first; of pictures those of all tones and labels.
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
        case .sprites:
            source = .sprites
            files = []
        case .arrays(let points, let labels, let flipped, let heldOut):
            do throws(RunFolderError) {
                source = .table(
                    try PointTable(
                        points: points, labels: labels, flipped: flipped, heldOut: heldOut, shape: architecture.shape,
                        classes: architecture.classes ?? 0))
            } catch {
                throw TrainingError(error)
            }
            var files: [Digest] = []
            do throws(UnreadableFile) {
                for path in [points, labels].compactMap(\.self) { files.append(try SHA256.hash(ofFile: path)) }
            } catch {
                throw TrainingError(exitStatus: 66, error.description)
            }
            self.files = files
        case .pictures(let folder, let labelled, let flipped, let heldOut):
            do throws(RunFolderError) {
                let pictures = try PictureFolder(folder, labelled: labelled, classes: architecture.classes ?? 0)
                let tones = try pictures.tones(shape: architecture.shape)
                files = [tones, pictures.labels?.littleEndianBytes].compactMap(\.self).map { SHA256.hash(of: $0) }
                source = .table(
                    try PointTable(
                        tones: tones, labels: pictures.labels, folder: folder, flipped: flipped, heldOut: heldOut,
                        shape: architecture.shape))
            } catch {
                throw TrainingError(error)
            }
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

    /// Whether the batch of ``heldOutIteration`` has points that no other has: what is drawn afresh always does.
    var holdsOut: Bool {
        if case .table(let table) = source { return table.holdsOut }
        return true
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
            for (lane, u) in random.uniforms(.dataRow, iteration, lanes: points.lanes).enumerated() {
                let component = cumulative.firstIndex { u * cumulative[last] <= $0 } ?? last
                for i in 0..<dimension {
                    points[i, lane] = means[component][i] + deviations[component][i] * points[i, lane]
                }
                if labelled { labels[lane] = Int32(component) }
            }
        case .box(let low, let high):
            for i in 0..<dimension {
                for (lane, u) in random.uniforms(.dataPoint, iteration, level: i, lanes: points.lanes).enumerated() {
                    points[i, lane] = low[i] + u * (high[i] - low[i])
                }
            }
        case .table(let table): table.draw(random, iteration: iteration, points: &points, labels: &labels)
        case .sprites:
            for (lane, scene) in SpriteScene.draw(random, iteration: iteration, count: points.lanes).enumerated() {
                scene.paint(&points, lane: lane)
                if noLabel > 0 { labels[lane] = Int32(scene.label) }
            }
        }
    }
}

extension RandomStream {
    /// Uniforms in (0, 1] of an iteration, one for each lane.
    func uniforms(_ purpose: Purpose, _ iteration: Int, level: Int = 0, lanes: Int) -> [Double] {
        var values = [Double](repeating: 0, count: lanes)
        fillUniforms(&values, purpose: purpose, level: level, transition: iteration)
        return values
    }
}
