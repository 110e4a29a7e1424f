import EnergyModels
import VectorMath

/// The chains of a block as a weighted population (sequential Monte Carlo).
///
/// A chain's weight grows on entering a level by exp(l(x, t - 1) - l(x, t)), at the start it is exp(l(x, t)) over
/// the density of x; where the effective size falls under the threshold, chains are resampled and weigh the same
/// again. The lanes that only pad a block have no part in it.
struct Population: Sendable, Equatable {
    /// What is known of the population on a level, after it was entered.
    struct Level: Sendable, Equatable {
        /// The effective size before resampling.
        var effectiveSize: Float
        /// Chains of the start that have descendants.
        var ancestors: Int32
        /// Chains that the latest resampling let live; all of them before the first.
        var parents: Int32
        /// The logarithm of the estimate of the normaliser, which is unbiased; minus infinity if all weights are zero.
        var logNormalizer: Double
    }

    /// The fraction of the chains below which an effective size leads to resampling.
    let threshold: Double
    /// The logarithms of the weights since the latest resampling, minus infinity for zero; [chains].
    var logWeights: [Double]
    /// The logarithm of the product of the mean weights that resamplings did away with.
    var logCollected: Double
    /// The chain of the start from which each chain descends; [chains].
    var ancestors: [Int32]
    /// The levels entered, the noisiest first.
    var levels: [Level]

    /// Chains of equal weight.
    init(_ settings: PopulationSettings, chains: Int) {
        threshold = settings.threshold
        logWeights = [Double](repeating: 0, count: chains)
        logCollected = 0
        ancestors = (0..<chains).map { Int32($0) }
        levels = []
    }

    /// Enters a level on which the chains, without having moved, have another log density, and resamples if need be.
    ///
    /// - Parameters:
    ///   - before: the log density that the chains come from, [chains or more].
    ///   - after: that of the level, [chains or more].
    ///   - uniform: in (0, 1].
    /// - Returns: if chains were resampled, whose place each takes, in order; [chains].
    mutating func enter(from before: [Double], to after: [Double], uniform: Double) -> [Int]? {
        let chains = logWeights.count
        for chain in 0..<chains {
            let weight = logWeights[chain] + after[chain] - before[chain]
            // A weight that is not finite is zero, and a zero remains.
            logWeights[chain] = weight.isFinite ? weight : -.infinity
        }
        let weights = RelativeWeights(logarithms: logWeights)
        let size = weights.effectiveSize
        let logNormalizer = logCollected + weights.logSum - Elementary.log(Double(chains))
        var parents: [Int]?
        if size > 0, size < threshold * Double(chains) {
            let chosen = weights.choose(chains, uniform: uniform)
            logCollected = logNormalizer
            for chain in 0..<chains { logWeights[chain] = 0 }
            ancestors = chosen.map { ancestors[$0] }
            parents = chosen
        }
        levels.append(
            Level(
                effectiveSize: Float(size), ancestors: Int32(Set(ancestors).count),
                parents: parents.map { Int32(Set($0).count) } ?? levels.last?.parents ?? Int32(chains),
                logNormalizer: logNormalizer))
        return parents
    }
}

extension ChainState {
    /// Puts chain `parents[i]` into lane i: where it is, its momentum and evaluation, and how often it diverged, which
    /// marks its descendants too. Counts of accepted transitions remain with the lane that made them.
    mutating func resample(_ parents: [Int]) {
        position.resampleLanes(parents)
        momentum.resampleLanes(parents)
        evaluation.score.resampleLanes(parents)
        evaluation.logDensity.replaceSubrange(parents.indices, with: parents.map { evaluation.logDensity[$0] })
        divergences.replaceSubrange(parents.indices, with: parents.map { divergences[$0] })
    }
}

extension LaneMatrix {
    fileprivate mutating func resampleLanes(_ parents: [Int]) {
        var row = parents.map { _ in 0.0 }
        for start in stride(from: 0, to: elements.count, by: lanes) {
            for lane in parents.indices { row[lane] = elements[start + parents[lane]] }
            for lane in parents.indices { elements[start + lane] = row[lane] }
        }
    }
}
