import VectorMath

extension ChainDraws {
    /// Independent draws that would tell as much about the distribution's middle: of normal scores of the halves.
    ///
    /// Nil where draws are too few or not finite. Of draws that are all the same it is their number, as in ArviZ: see
    /// ``isConstant``.
    package var bulkEffectiveSize: Double? { isDiagnosable ? halves.normalScores.effectiveSize : nil }

    /// The same of the tails: the lesser of those of "at most the 5 % quantile" and "at most the 95 % quantile".
    package var tailEffectiveSize: Double? {
        guard isDiagnosable else { return nil }
        let sorted = values.sorted()
        return min(
            effectiveSize(belowQuantile: 0.05, of: sorted), effectiveSize(belowQuantile: 0.95, of: sorted))
    }

    /// The same of the mean: of the draws themselves, halved. Nil too where their squares are beyond all numbers.
    package var meanEffectiveSize: Double? {
        guard isDiagnosable else { return nil }
        let size = halves.effectiveSize
        return size.isFinite ? size : nil
    }

    /// That of the indicator "at most the quantile". - Parameter sorted: all draws, sorted.
    func effectiveSize(belowQuantile probability: Double, of sorted: [Double]) -> Double {
        let quantile = sorted.sortedQuantile(probability)
        return map { $0 <= quantile ? 1 : 0 }.halves.effectiveSize
    }

    /// Differences below this are none: 10^-15, as in ArviZ.
    private static let resolution = 1e-15

    /// S / tau, with S draws and the autocorrelation time tau = -1 + 2 (sum of autocorrelations), which are combined over
    /// the chains, and summed as long as sums of neighbouring pairs are above zero (Geyer's initial positive sequence), none
    /// counting for more than the pair before it (initial monotone sequence). tau is 1 / log10(S) at least.
    var effectiveSize: Double {
        let total = Double(values.count)
        guard let least = values.min(), let most = values.max(), most - least >= Self.resolution else { return total }
        let covariance = meanAutocovariance
        let count = Double(draws)
        let within = covariance[0] * count / (count - 1)
        let variance = within * (count - 1) / count + (chains > 1 ? chainMeans.variance : 0)
        func correlation(_ lag: Int) -> Double { 1 - (within - covariance[lag]) / variance }

        var correlations = [Double](repeating: 0, count: draws)
        var pair = (even: 1.0, odd: correlation(1))
        (correlations[0], correlations[1]) = pair
        var lag = 1
        while lag < draws - 3, pair.even + pair.odd > 0 {
            pair = (correlation(lag + 1), correlation(lag + 2))
            if pair.even + pair.odd >= 0 { (correlations[lag + 1], correlations[lag + 2]) = pair }
            lag += 2
        }
        // The last pair is left out, but for its even part, which betters the estimate for antithetic chains.
        let last = lag - 2
        if pair.even > 0 { correlations[last + 1] = pair.even }
        lag = 1
        while lag <= last - 2 {
            let before = correlations[lag - 1] + correlations[lag]
            if correlations[lag + 1] + correlations[lag + 2] > before {
                correlations[lag + 1] = before / 2
                correlations[lag + 2] = before / 2
            }
            lag += 2
        }
        let time = -1 + 2 * correlations[..<(last + 1)].reduce(0, +) + correlations[last + 1]
        let leastTime = Elementary.log(10) / Elementary.log(total)
        return total / max(time, leastTime)
    }
}
