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
        /// The effective size before resampling; with bridges the least of those on the way.
        var effectiveSize: Float
        /// Chains of the start that have descendants.
        var ancestors: Int32
        /// Chains that the latest resampling let live; all of them before the first.
        var parents: Int32
        /// The logarithm of the estimate of the normaliser, which is unbiased; minus infinity if all weights are zero.
        var logNormalizer: Double
        /// Bridges on the way to the level.
        var bridges: Int32 = 0
    }

    /// What is known of bridges that lead to the next level.
    private struct Crossing: Equatable {
        var bridges: Int32 = 0
        /// The least on them.
        var effectiveSize = Double.infinity
        /// Chains that the latest resampling let live; nil if there are no bridges.
        var parents: Int32?
    }

    /// The fraction of the chains below which an effective size leads to resampling.
    let threshold: Double
    /// The most bridges between two levels.
    let mostBridges: Int
    /// The logarithms of the weights since the latest resampling, minus infinity for zero; [chains].
    var logWeights: [Double]
    /// The logarithm of the product of the mean weights that resamplings did away with.
    var logCollected: Double
    /// The chain of the start from which each chain descends; [chains].
    var ancestors: [Int32]
    /// The levels entered, the noisiest first.
    var levels: [Level]
    /// What was on the way since then.
    private var crossed = Crossing()

    /// Chains of equal weight.
    init(_ settings: PopulationSettings, chains: Int) {
        threshold = settings.threshold
        mostBridges = settings.bridges
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
        let weights = weigh(from: before, to: after, part: 1)
        let size = weights.effectiveSize
        let logNormalizer = logNormalizer(of: weights)
        let resamples = size > 0 && size < threshold * Double(logWeights.count)
        let chosen = resamples ? resample(weights, uniform: uniform) : nil
        levels.append(
            Level(
                effectiveSize: Float(min(size, crossed.effectiveSize)), ancestors: Int32(Set(ancestors).count),
                parents: chosen.map { Int32(Set($0).count) } ?? crossed.parents ?? levels.last?.parents
                    ?? Int32(logWeights.count),
                logNormalizer: logNormalizer, bridges: crossed.bridges))
        crossed = Crossing()
        return chosen
    }

    /// Goes a part of the way to a level, and resamples.
    ///
    /// - Parameters:
    ///   - before: the log density that the chains come from, [chains or more].
    ///   - after: that of the level, [chains or more].
    ///   - part: above 0 and below 1.
    ///   - uniform: in (0, 1].
    /// - Returns: whose place each chain takes, in order; [chains].
    mutating func cross(from before: [Double], to after: [Double], part: Double, uniform: Double) -> [Int] {
        let weights = weigh(from: before, to: after, part: part)
        let chosen = resample(weights, uniform: uniform)
        crossed.bridges += 1
        crossed.effectiveSize = min(crossed.effectiveSize, weights.effectiveSize)
        crossed.parents = Int32(Set(chosen).count)
        return chosen
    }

    /// How far on the way to a level the next bridge is: as far as the effective size stays at the threshold, and not so
    /// near that the bridges left would not do at equal distances; 1 if no bridge is needed.
    ///
    /// - Parameters:
    ///   - before: the log density that the chains come from, [chains or more].
    ///   - after: that of the level, [chains or more].
    ///   - left: how many bridges there may still be.
    func part(from before: [Double], to after: [Double], bridges left: Int) -> Double {
        let least = threshold * Double(logWeights.count)
        func size(_ part: Double) -> Double {
            RelativeWeights(logarithms: logarithms(from: before, to: after, part: part)).effectiveSize
        }
        let whole = size(1)
        guard left > 0, whole < least, whole > 0 else { return 1 }
        var (near, far) = (0.0, 1.0)
        for _ in 0..<24 {
            let middle = (near + far) / 2
            if size(middle) < least { far = middle } else { near = middle }
        }
        return max(near, 1 / Double(left + 1))
    }

    /// The logarithms of the weights after a part of the way, of which those that are not finite are those of zeros.
    private func logarithms(from before: [Double], to after: [Double], part: Double) -> [Double] {
        logWeights.indices.map { chain in
            // Whole ways in this order, on which the last bits of samples depend.
            part < 1
                ? logWeights[chain] + part * (after[chain] - before[chain])
                : logWeights[chain] + after[chain] - before[chain]
        }
    }

    /// Takes the weights for those of the chains. A weight that is not finite is zero, and a zero remains.
    private mutating func weigh(from before: [Double], to after: [Double], part: Double) -> RelativeWeights {
        logWeights = logarithms(from: before, to: after, part: part).map { $0.isFinite ? $0 : -.infinity }
        return RelativeWeights(logarithms: logWeights)
    }

    private func logNormalizer(of weights: RelativeWeights) -> Double {
        logCollected + weights.logSum - Elementary.log(Double(logWeights.count))
    }

    private mutating func resample(_ weights: RelativeWeights, uniform: Double) -> [Int] {
        let chosen = weights.choose(logWeights.count, uniform: uniform)
        logCollected = logNormalizer(of: weights)
        for chain in logWeights.indices { logWeights[chain] = 0 }
        ancestors = chosen.map { ancestors[$0] }
        return chosen
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
