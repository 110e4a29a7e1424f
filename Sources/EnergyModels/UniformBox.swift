import VectorMath

/// The uniform density on a box, exact at every noise level: along each axis
/// [Phi((x - c a) / s) - Phi((x - c b) / s)] / (c (b - a)) with c = sqrt(abar), s = sigma,
/// computed so that neither tail nor a narrow box loses digits.
public struct UniformBox: Density {
    private let low: [Double]
    private let high: [Double]

    /// Corners [d], low below high along every axis.
    public init(low: [Double], high: [Double]) {
        precondition(!low.isEmpty && low.count == high.count)
        self.low = low
        self.high = high
    }

    public var dimension: Int { low.count }

    public func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
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
                LaneDensities.addNoisedInterval(
                    at: x, row: axis, low: signal * box.low[axis], high: signal * box.high[axis],
                    sigma: noise, logDensity: &evaluation.logDensity, score: &evaluation.score)
            }
        }
    }
}
