import VectorMath

/// The uniform density on a box, exact at every noise level: along each axis
/// [Phi((x - c a) / s) - Phi((x - c b) / s)] / (c (b - a)) with c = sqrt(abar), s = sigma,
/// computed so that neither tail nor a narrow box loses digits. Without noise it is what it is: flat inside, nothing
/// outside, and a score of zero, which does not tell of the walls.
package struct UniformBox: Density {
    /// The shape of a point.
    package let shape: PointShape
    private let low: [Double]
    private let high: [Double]

    /// Corners [d], low below high along every axis.
    /// - Parameter shape: of a point with d coordinates; nil for [d].
    package init(low: [Double], high: [Double], shape: PointShape? = nil) {
        precondition(!low.isEmpty && low.count == high.count)
        self.shape = shape ?? PointShape(dimension: low.count)
        precondition(self.shape.dimension == low.count)
        self.low = low
        self.high = high
    }

    /// An evaluator for blocks of `lanes` chains that stands at `level`.
    package func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(box: self, level: level)
    }

    private struct Evaluator: DensityEvaluator {
        let box: UniformBox
        var level: NoiseLevel

        mutating func move(to level: NoiseLevel) { self.level = level }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            let signal = level.signal
            let noise = level.noise
            for lane in evaluation.logDensity.indices { evaluation.logDensity[lane] = 0 }
            for axis in 0..<box.dimension {
                if noise == 0 {
                    addInterval(axis, at: x, into: &evaluation)
                    continue
                }
                LaneDensities.addNoisedInterval(
                    at: x, row: axis, low: signal * box.low[axis], high: signal * box.high[axis],
                    sigma: noise, logDensity: &evaluation.logDensity, score: &evaluation.score)
            }
        }

        private func addInterval(_ axis: Int, at x: LaneMatrix, into evaluation: inout Evaluation) {
            let (low, high) = (box.low[axis], box.high[axis])
            let logWidth = Elementary.log(high - low)
            for lane in evaluation.logDensity.indices {
                let point = x[axis, lane]
                // What is not a number is neither inside nor outside.
                evaluation.logDensity[lane] += point.isNaN ? .nan : point < low || point > high ? -.infinity : -logWidth
                evaluation.score[axis, lane] = 0
            }
        }
    }
}
