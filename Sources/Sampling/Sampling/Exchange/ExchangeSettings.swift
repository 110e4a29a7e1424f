public import EnergyModels
import VectorMath

/// Replica exchange across noise levels, while the draws of a chain are made (Swendsen and Wang 1986; over the levels
/// of a diffusion: CREPE, arXiv 2509.23265).
///
/// Each chain keeps replicas at noisier levels. They are set off as copies of the chain when annealing is done with a
/// level. From the first draw on, a round is a transition of every replica at its own level; after some rounds
/// neighbours may swap their points, by a rule that leaves the product of the levels' densities as it is. So a point
/// that is stuck at the last level goes up, over the barriers, and another one comes down, and what is wrong with the
/// points that annealing led to is forgotten.
public struct ExchangeSettings: Sendable, Equatable {
    /// The levels with a replica, ascending, the first being the chain's own, where draws are kept; at least 2.
    public var levels: [Int]
    /// Rounds from one exchange to the next; at least 1.
    public var every: Int

    public init(levels: [Int], every: Int = 1) {
        self.levels = levels
        self.every = every
    }

    /// The most replicas that a chain may have, itself included.
    public static let mostReplicas = 64

    /// Levels whose noise grows from one to the next by about the same factor, the ends of the range among them.
    ///
    /// - Parameters:
    ///   - count: how many, from 2 to as many as the range has.
    ///   - range: levels of the schedule.
    public static func levels(_ count: Int, over range: ClosedRange<Int>, of schedule: NoiseSchedule) -> [Int] {
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

/// Why replicas can't be exchanged as asked for.
public enum ExchangeConflict: Error, Sendable, Equatable, CustomStringConvertible {
    /// Levels that are fewer than two, not ascending, or have no transitions.
    case levels
    /// The first is not where chains end.
    case lastLevel(Int)
    /// Rounds between exchanges that are fewer than one.
    case every(Int)
    /// The log density is not known, so a swap can't be decided on.
    case noEnergy
    /// The kernel has no Metropolis step.
    case unadjusted(SamplerSettings.Kind)
    /// The chains of a block are weighted together.
    case population
    /// There is one draw, so no round is ever made.
    case oneDraw

    /// What is wrong and what to do, in one line.
    public var description: String {
        switch self {
        case .levels: "levels must be at least two that get transitions, in ascending order, such as [0, 5, 10]"
        case .lastLevel(let level): "the first level must be \(level), where chains end and draws are kept"
        case .every(let rounds): "every is \(rounds), not at least 1"
        case .noEnergy: "swaps are decided on by log densities, and this target has scores alone; leave it out"
        case .unadjusted(let kind):
            "\(kind.rawValue) samples no level exactly, so a swap can't be decided on; use mala or hmc, or leave it out"
        case .population: "replicas can't be exchanged between the chains of a population; leave out one of the two"
        case .oneDraw: "replicas are exchanged while further draws are made; ask for more than 1 draw"
        }
    }
}

extension SamplerSettings {
    /// What forbids the exchange that these settings ask for; nil if nothing does, or if they ask for none.
    ///
    /// - Parameters:
    ///   - hasEnergy: whether the target's log density is known.
    ///   - draws: kept per chain.
    public func exchangeConflict(hasEnergy: Bool, draws: Int) -> ExchangeConflict? {
        guard let exchange else { return nil }
        guard kind.isAdjusted else { return .unadjusted(kind) }
        guard hasEnergy else { return .noEnergy }
        guard population == nil else { return .population }
        guard draws > 1 else { return .oneDraw }
        guard exchange.every >= 1 else { return .every(exchange.every) }
        let ascend = zip(exchange.levels, exchange.levels.dropFirst()).allSatisfy(<)
        guard exchange.levels.count >= 2, ascend, exchange.levels.allSatisfy(levels.contains) else { return .levels }
        let last = reverseSteps ? 0 : levels.lowerBound
        return exchange.levels[0] == last ? nil : .lastLevel(last)
    }
}
