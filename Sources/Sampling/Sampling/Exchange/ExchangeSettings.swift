package import EnergyModels
import VectorMath

/// Replica exchange across noise levels, while the draws of a chain are made (Swendsen and Wang 1986; over the levels
/// of a diffusion: CREPE, arXiv 2509.23265).
///
/// Each chain keeps replicas at noisier levels. They are set off as copies of the chain when annealing is done with a
/// level. From the first draw on, a round is a transition of every replica at its own level; after some rounds
/// neighbours may swap their points, by a rule that leaves the product of the levels' densities as it is. So a point
/// that is stuck at the last level goes up, over the barriers, and another one comes down, and what is wrong with the
/// points that annealing led to is forgotten.
package struct ExchangeSettings: Sendable, Equatable {
    /// The levels with a replica, ascending, the first being the chain's own, where draws are kept; at least 2.
    package var levels: [Int]
    /// Rounds from one exchange to the next; at least 1.
    package var every: Int

    package init(levels: [Int], every: Int = 1) {
        self.levels = levels
        self.every = every
    }

    /// The most replicas that a chain may have, itself included.
    package static let mostReplicas = 64

    /// Levels whose noise grows from one to the next by about the same factor, the ends of the range among them.
    ///
    /// - Parameters:
    ///   - count: how many, from 2 to as many as the range has.
    ///   - range: levels of the schedule.
    package static func levels(_ count: Int, over range: ClosedRange<Int>, of schedule: NoiseSchedule) -> [Int] {
        precondition(count >= 2 && count <= range.count)
        let logarithms = schedule.levels.map { Elementary.log($0.noise) }
        let (low, high) = (logarithms[range.lowerBound], logarithms[range.upperBound])
        var levels = [range.lowerBound]
        for index in 1..<count {
            // Levels enough must be left for those that follow.
            let (first, last) = (levels[index - 1] + 1, range.upperBound - (count - 1 - index))
            let wish = low + (high - low) * Double(index) / Double(count - 1)
            levels.append((first..<last).first { logarithms[$0] >= wish } ?? last)
        }
        return levels
    }

    /// Neighbours: pair p is that of the replicas p and p + 1.
    var pairs: Int { levels.count - 1 }

    /// The pairs that may swap in an exchange, counted from 0: those with even and with odd numbers in turn.
    func pairs(in exchange: Int) -> StrideTo<Int> {
        stride(from: pairs > 1 ? exchange % 2 : 0, to: pairs, by: 2)
    }

    /// In how many of the first exchanges a pair might have swapped.
    func attempts(of pair: Int, in exchanges: Int) -> Int {
        pairs > 1 ? (exchanges + (pair.isMultiple(of: 2) ? 1 : 0)) / 2 : exchanges
    }

    /// Evaluations of an exchange, at most: two for each pair.
    var mostEvaluations: Int { 2 * ((pairs + 1) / 2) }
}
