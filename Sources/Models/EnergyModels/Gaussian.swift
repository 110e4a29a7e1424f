import VectorMath

/// A Gaussian with any covariance, exact at every noise level: noised to level t it has mean
/// sqrt(abar) mu and covariance abar C + sigma^2 I, diagonal in the eigenvectors of C.
package struct Gaussian: Density {
    /// The shape of a point.
    package let shape: PointShape
    private let mean: [Double]
    private let spectrum: SymmetricSpectrum

    /// - Parameters:
    ///   - mean: [d].
    ///   - covariance: [d][d], symmetric and positive definite.
    ///   - shape: of a point with d coordinates; nil for [d].
    package init(mean: [Double], covariance: [[Double]], shape: PointShape? = nil) {
        precondition(covariance.count == mean.count && covariance.allSatisfy { $0.count == mean.count })
        self.shape = shape ?? PointShape(dimension: mean.count)
        precondition(self.shape.dimension == mean.count)
        self.mean = mean
        spectrum = SymmetricSpectrum(of: covariance)
    }

    /// An evaluator for blocks of `lanes` chains that stands at `level`.
    package func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(gaussian: self, lanes: lanes, level: level)
    }

    /// (abar C + sigma^2 I)^-1 at a level, row after row.
    package func precision(at level: NoiseLevel) -> [Double] {
        Evaluator(gaussian: self, lanes: 1, level: level).negativePrecision.map { -$0 }
    }

    private struct Evaluator: DensityEvaluator {
        let gaussian: Gaussian
        /// -(abar C + sigma^2 I)^-1, row after row.
        var negativePrecision: [Double] = []
        var shift: [Double] = []
        var logNormalizer = 0.0
        var centred: LaneMatrix

        init(gaussian: Gaussian, lanes: Int, level: NoiseLevel) {
            self.gaussian = gaussian
            centred = LaneMatrix(rows: gaussian.dimension, lanes: lanes)
            move(to: level)
        }

        mutating func move(to level: NoiseLevel) {
            let variances = gaussian.spectrum.eigenvalues.map { level.signalVariance * $0 + level.noiseVariance }
            negativePrecision = gaussian.spectrum.matrix(eigenvalues: variances.map { -1 / $0 })
            shift = gaussian.mean.map { $0 * level.signal }
            logNormalizer = variances.reduce(0) { $0 - 0.5 * Elementary.log(2 * .pi * $1) }
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            let lanes = x.lanes
            for row in 0..<x.rows {
                for lane in 0..<lanes { centred[row, lane] = x[row, lane] - shift[row] }
            }
            evaluation.score.setProduct(of: negativePrecision, centred)
            for lane in 0..<lanes { evaluation.logDensity[lane] = logNormalizer }
            for row in 0..<x.rows {
                for lane in 0..<lanes {
                    evaluation.logDensity[lane] += 0.5 * centred[row, lane] * evaluation.score[row, lane]
                }
            }
        }
    }
}
