/// Draws of one number by several chains of equal length: what diagnostics of Markov chains are computed of.
///
/// Diagnostics of chains and their notation: Vehtari, Gelman, Simpson, Carpenter and Bürkner, "Rank-normalization, folding,
/// and localization: an improved R-hat", Bayesian Analysis 16 (2021). Where references differ this module gives what
/// ArviZ gives.
package struct ChainDraws: Sendable, Equatable {
    /// Chains, 1 or more.
    package let chains: Int
    /// Draws of each chain, 1 or more.
    package let draws: Int
    /// [chains * draws], one chain after the other.
    package let values: [Double]

    /// Draws that are too few to tell anything from.
    package static let fewest = 4

    /// Draws [chains * draws], one chain after the other; `values` is not empty and has that many for every chain.
    package init(chains: Int, values: [Double]) {
        precondition(chains > 0 && !values.isEmpty && values.count.isMultiple(of: chains))
        self.chains = chains
        self.values = values
        draws = values.count / chains
    }

    /// Whether diagnostics are defined: every draw is finite, and each chain has ``fewest`` or more.
    package var isDiagnosable: Bool { draws >= Self.fewest && values.allSatisfy(\.isFinite) }

    /// Whether all draws are one number.
    package var isConstant: Bool { values.allSatisfy { $0 == values[0] } }

    /// The chain's draws.
    func chain(_ index: Int) -> ArraySlice<Double> { values[index * draws..<(index + 1) * draws] }

    /// The halves of each chain as chains of their own; the middle draw of an odd number of them is left out. Two draws a
    /// chain or more.
    var halves: ChainDraws {
        let half = draws / 2
        var first: [Double] = []
        var second: [Double] = []
        for index in 0..<chains {
            first += chain(index).prefix(half)
            second += chain(index).suffix(half)
        }
        return ChainDraws(chains: 2 * chains, values: first + second)
    }

    func map(_ transform: (Double) -> Double) -> ChainDraws {
        ChainDraws(chains: chains, values: values.map(transform))
    }

    /// The mean of all draws.
    package var mean: Double { values.mean }

    /// The standard deviation of all draws, with n - 1 in the denominator; NaN for one.
    package var standardDeviation: Double { values.variance.squareRoot() }

    /// The mean of each chain.
    var chainMeans: [Double] { (0..<chains).map { chain($0).mean } }
}

extension Collection<Double> {
    /// NaN of nothing. Sums are of differences from the first, so that equal numbers have just that mean.
    var mean: Double {
        guard let first else { return .nan }
        return first + reduce(0) { $0 + ($1 - first) } / Double(count)
    }

    /// With n - 1 in the denominator; NaN of fewer than two. Exactly zero of equal numbers.
    var variance: Double {
        guard let first else { return .nan }
        let shift = reduce(0) { $0 + ($1 - first) } / Double(count)
        return reduce(0) { $0 + ($1 - first - shift) * ($1 - first - shift) } / Double(count - 1)
    }
}

extension [Double] {
    /// The quantile of a sorted array that is not empty, by straight lines between neighbours (definition 7 of Hyndman and
    /// Fan, "Sample quantiles in statistical packages", 1996).
    ///
    /// - Parameter probability: in [0, 1].
    func sortedQuantile(_ probability: Double) -> Double {
        let place = Double(count - 1) * probability
        let below = Int(place)
        let part = place - Double(below)
        let (low, high) = (self[below], self[Swift.min(below + 1, count - 1)])
        // From the nearer end, so that neighbours which are equal give just that number.
        return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part)
    }
}
