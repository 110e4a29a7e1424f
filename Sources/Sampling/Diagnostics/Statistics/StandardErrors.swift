extension ChainDraws {
    /// The standard error of the mean: the standard deviation over the square root of the mean's effective size. Nil where
    /// draws are too few or not finite, or their squares beyond all numbers.
    package var meanStandardError: Double? { meanStandardError(effectiveSize: meanEffectiveSize) }

    /// The same, with the mean's effective size.
    func meanStandardError(effectiveSize: Double?) -> Double? {
        let deviation = standardDeviation
        guard let size = effectiveSize, deviation.isFinite else { return nil }
        return deviation / size.squareRoot()
    }

    /// The standard error of the standard deviation, from the fourth moment and, as in ArviZ, the mean's effective size
    /// (delta method). Nil where draws are too few, not finite or all the same, or their squares beyond all numbers.
    package var deviationStandardError: Double? { deviationStandardError(effectiveSize: meanEffectiveSize) }

    /// The same, with the mean's effective size.
    func deviationStandardError(effectiveSize: Double?) -> Double? {
        guard let size = effectiveSize, !isConstant else { return nil }
        let mean = mean
        let squares = values.map { ($0 - mean) * ($0 - mean) }
        let variance = squares.mean
        guard variance.isFinite else { return nil }
        let ofVariance = (squares.map { $0 * $0 }.mean - variance * variance) / size
        // Of two values, as often each, it is zero; rounding must not take it below.
        return (max(0, ofVariance) / variance / 4).squareRoot()
    }

    /// The quantile and its standard error: half the distance between the draws at whose places the quantile's order
    /// statistic lies with the probability of one standard deviation, by the beta distribution of as many independent
    /// draws. Nil where draws are too few or not finite.
    ///
    /// - Parameter probability: above 0 and below 1.
    package func quantile(_ probability: Double) -> (value: Double, standardError: Double)? {
        guard isDiagnosable else { return nil }
        let sorted = values.sorted()
        let size = effectiveSize(belowQuantile: probability, of: sorted)
        let beta = BetaDistribution(size * probability + 1, size * (1 - probability) + 1)
        let last = Double(sorted.count - 1)
        let low = (beta.quantile(0.1586553) * Double(sorted.count) - 1).rounded(.down)
        let high = (beta.quantile(0.8413447) * Double(sorted.count) - 1).rounded(.up)
        let interval = (sorted[Int(min(max(low, 0), last))], sorted[Int(min(max(high, 0), last))])
        return (sorted.sortedQuantile(probability), (interval.1 - interval.0) / 2)
    }

    /// E-BFMI of each chain of energies: the mean square of the change from draw to draw, over the variance (Betancourt,
    /// "Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte Carlo", 2016). Small where a momentum brings
    /// little of the energy's spread. None where draws are too few or not finite; NaN for a chain that stands still.
    package var energyFractions: [Double] {
        guard isDiagnosable else { return [] }
        return (0..<chains).map { index in
            let energies = chain(index)
            return zip(energies, energies.dropFirst()).map { ($1 - $0) * ($1 - $0) }.mean / energies.variance
        }
    }
}
