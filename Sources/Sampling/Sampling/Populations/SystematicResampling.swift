import VectorMath

/// Weights known by their logarithms, up to a common factor.
struct RelativeWeights: Sendable, Equatable {
    /// Each over the largest, in [0, 1]; all zero if all weights are.
    let weights: [Double]
    /// The logarithm of the sum of the weights; minus infinity if all are zero.
    let logSum: Double
    /// The sum of `weights`.
    let sum: Double

    /// A logarithm that is not finite stands for a weight of zero.
    init(logarithms: [Double]) {
        let largest = logarithms.reduce(-.infinity) { $1.isFinite ? max($0, $1) : $0 }
        var weights = logarithms.map { $0.isFinite ? $0 - largest : -.infinity }
        Elementary.exp(inPlace: &weights)
        self.weights = weights
        sum = weights.reduce(0, +)
        logSum = sum > 0 ? largest + Elementary.log(sum) : -.infinity
    }

    /// (sum w)^2 / sum w^2: how many equally weighted samples these are worth; 0 if all weights are zero.
    var effectiveSize: Double {
        sum > 0 ? sum * sum / weights.reduce(0) { $0 + $1 * $1 } : 0
    }

    /// Systematic resampling (Kitagawa 1996): an element with the part p of the weight is chosen floor(p count) or
    /// ceil(p count) times, on average p count.
    ///
    /// - Parameter uniform: in (0, 1].
    /// - Returns: the indices of the chosen, in order; none if all weights are zero.
    func choose(_ count: Int, uniform: Double) -> [Int] {
        guard let last = weights.lastIndex(where: { $0 > 0 }) else { return [] }
        var (index, reached) = (0, weights[0])
        return (0..<count).map { place in
            let point = (Double(place) + uniform) / Double(count) * sum
            // The last is as far as rounding may lead.
            while reached < point, index < last {
                index += 1
                reached += weights[index]
            }
            return index
        }
    }
}
