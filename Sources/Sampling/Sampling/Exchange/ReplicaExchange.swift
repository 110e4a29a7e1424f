import EnergyModels
import RandomStreams
import VectorMath

/// The replicas that the chains of a block have at noisier levels, and who has come from where.
///
/// A walker is what swaps move: a point with its momentum. It makes a round trip when it goes from the last level to
/// the highest and back; how many there are tells how often the chain's draws were renewed.
struct ReplicaExchange {
    /// What a walker has behind it.
    enum Phase: UInt8 {
        /// It was not at the last level yet.
        case unmarked = 0
        /// It was at the last level, and not at the highest since.
        case ascending = 1
        /// It was at the highest level since it was at the last.
        case descending = 2
    }

    let settings: ExchangeSettings
    /// Those set off, ascending; without the chains themselves, which are at the last level.
    var replicas: [Replica] = []
    /// Swaps of each pair of neighbours so far, [pairs][lanes].
    var swaps: [[Int32]]
    /// What the walker at each level has behind it, [levels][lanes].
    var phases: [[Phase]]
    /// Round trips of the walkers of each chain so far, [lanes].
    var roundTrips: [Int32]
    private var swap: ReplicaSwap

    init(_ settings: ExchangeSettings, dimension: Int, lanes: Int) {
        self.settings = settings
        roundTrips = [Int32](repeating: 0, count: lanes)
        swaps = (0..<settings.pairs).map { _ in [Int32](repeating: 0, count: lanes) }
        phases = settings.levels.indices.map { [Phase](repeating: $0 == 0 ? .ascending : .unmarked, count: lanes) }
        swap = ReplicaSwap(dimension: dimension, lanes: lanes)
    }

    /// Sets a replica off, if there is to be one at the level that the chains are leaving.
    ///
    /// - Parameter state: the chains, with their evaluation at the level.
    mutating func leave(_ level: NoiseLevel, _ state: ChainState, density: any Density) {
        guard settings.levels.contains(level.index) else { return }
        var copy = state
        for lane in copy.accepted.indices { (copy.accepted[lane], copy.divergences[lane]) = (0, 0) }
        copy.evaluations = 0
        let target = density.evaluator(lanes: state.position.lanes, at: level)
        replicas.insert(Replica(level: level, state: copy, target: target), at: 0)
    }

    /// Moves a replica; what it costs and what diverged counts for the chains.
    mutating func transition(
        of index: Int, by kernel: inout (any TransitionKernel)?, in context: TransitionContext,
        for chains: inout ChainState
    ) throws(EvaluationError) {
        try replicas[index].transition(by: &kernel, in: context)
        replicas[index].state.handOver(to: &chains)
    }

    /// Lets neighbours swap. After an error it is not what it was before: see ``restore(_:)``.
    ///
    /// - Parameters:
    ///   - count: of the exchanges before.
    ///   - chains: at the last level.
    ///   - target: evaluates the target there.
    ///   - transition: addresses the random numbers, together with the lower level of a pair.
    mutating func exchange(
        _ count: Int, _ chains: inout ChainState, target: inout any DensityEvaluator, stream: RandomStream,
        transition: Int
    ) throws(EvaluationError) {
        for pair in settings.pairs(in: count) {
            let level = settings.levels[pair]
            if pair == 0 {
                try swap.swap(
                    &chains, target: &target, with: &replicas[0], stream: stream, level: level, transition: transition)
            } else {
                // Taken out and put back, so that it is changed in place.
                var lower = replicas.remove(at: pair - 1)
                defer { replicas.insert(lower, at: pair - 1) }
                try swap.swap(
                    &lower.state, target: &lower.target, with: &replicas[pair - 1], stream: stream, level: level,
                    transition: transition)
                lower.state.handOver(to: &chains)
            }
            for lane in roundTrips.indices where swap.swapped[lane] != 0 {
                swaps[pair][lane] += 1
                (phases[pair][lane], phases[pair + 1][lane]) = (phases[pair + 1][lane], phases[pair][lane])
            }
        }
        mark()
    }

    /// What an exchange changes.
    struct Moved {
        fileprivate let states: [ChainState]
        fileprivate let swaps: [[Int32]]
        fileprivate let phases: [[Phase]]
    }

    /// What the next exchange may change.
    var moved: Moved { Moved(states: replicas.map(\.state), swaps: swaps, phases: phases) }

    /// Takes an exchange back that has failed.
    mutating func restore(_ moved: Moved) {
        for index in replicas.indices { replicas[index].state = moved.states[index] }
        (swaps, phases) = (moved.swaps, moved.phases)
    }

    private mutating func mark() {
        let highest = settings.pairs
        for lane in roundTrips.indices {
            if phases[highest][lane] == .ascending { phases[highest][lane] = .descending }
            roundTrips[lane] += phases[0][lane] == .descending ? 1 : 0
            phases[0][lane] = .ascending
        }
    }

    /// The fraction of each pair's decisions that were swaps, of the first `chains` chains, [chains, pairs]; NaN
    /// where there were none.
    func swapAcceptance(chains: Int, exchanges: Int) -> [Float] {
        (0..<chains).flatMap { chain in
            swaps.indices.map { pair in
                let attempts = settings.attempts(of: pair, in: exchanges)
                return attempts > 0 ? Float(Double(swaps[pair][chain]) / Double(attempts)) : .nan
            }
        }
    }
}

extension Replica {
    fileprivate mutating func transition(
        by kernel: inout (any TransitionKernel)?, in context: TransitionContext
    ) throws(EvaluationError) {
        _ = try kernel?.transition(&state, target: &target, in: context)
    }
}

extension ChainState {
    /// Lets another one count what this one did.
    fileprivate mutating func handOver(to other: inout ChainState) {
        other.evaluations += evaluations
        evaluations = 0
        for lane in divergences.indices {
            other.divergences[lane] += divergences[lane]
            divergences[lane] = 0
        }
    }
}
