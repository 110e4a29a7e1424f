import CVectorMath

/// Log densities and scores of analytic models, over all lanes of a block at once.
package enum LaneDensities {
    /// A mixture of K axis-aligned Gaussians in d dimensions.
    ///
    /// - Parameters:
    ///   - means: [K][d], component after component.
    ///   - inverseVariances: [K][d].
    ///   - logCoefficients: [K], the logarithm of weight times normaliser.
    ///   - logDensity: out, [lanes].
    ///   - score: out, [d][lanes].
    ///   - scratch: [K * lanes], overwritten.
    package static func gaussianMixture(
        at x: LaneMatrix, means: [Double], inverseVariances: [Double], logCoefficients: [Double],
        logDensity: inout [Double], score: inout LaneMatrix, scratch: inout [Double]
    ) {
        let components = logCoefficients.count
        precondition(means.count == components * x.rows && inverseVariances.count == means.count)
        precondition(logDensity.count == x.lanes && score.elements.count == x.elements.count)
        precondition(scratch.count == components * x.lanes)
        logDensity.withUnsafeMutableBufferPointer { density in
            score.elements.withUnsafeMutableBufferPointer { score in
                scratch.withUnsafeMutableBufferPointer { scratch in
                    rrr_gaussian_mixture(
                        x.rows, x.lanes, components, x.elements, means, inverseVariances,
                        logCoefficients, density.baseAddress, score.baseAddress, scratch.baseAddress)
                }
            }
        }
    }

    /// One axis of a noised uniform box: U(low, high) plus sigma N(0, 1).
    ///
    /// Adds the axis' log density to `logDensity` [lanes] and writes its derivative to row `row`
    /// of `score`.
    package static func addNoisedInterval(
        at x: LaneMatrix, row: Int, low: Double, high: Double, sigma: Double,
        logDensity: inout [Double], score: inout LaneMatrix
    ) {
        let lanes = x.lanes
        precondition(row >= 0 && row < x.rows && logDensity.count == lanes)
        precondition(score.elements.count == x.elements.count)
        x.elements.withUnsafeBufferPointer { x in
            logDensity.withUnsafeMutableBufferPointer { density in
                score.elements.withUnsafeMutableBufferPointer { score in
                    guard let x = x.baseAddress, let score = score.baseAddress else { return }
                    rrr_noised_interval(
                        lanes, x + row * lanes, low, high, sigma, density.baseAddress, score + row * lanes)
                }
            }
        }
    }
}
