import EnergyModels
package import RunFolder

/// What blocks leave beside their samples, told once: the array that a run keeps, and where a block has its rows from.
///
/// A new statistic is one more of them, and a line in docs/output.md.
struct BlockStatistic {
    /// The array.
    let array: RunStatistic
    /// The rows of the first chains of a finished block, little-endian.
    let rows: (_ block: ChainBlock, _ chains: Int) -> [UInt8]

    /// - Parameter numbers: those of the first chains of a finished block, row by row.
    init<Number: NpyElement>(
        _ name: String, per rows: RunStatistic.Rows = .chains, _ axis: RunStatistic.Axis? = nil,
        limits: StatisticLimits = .none, _ numbers: @escaping (_ block: ChainBlock, _ chains: Int) -> [Number]
    ) {
        array = RunStatistic(name: name, rows: rows, element: Number.npyElementType, axis: axis, limits: limits)
        self.rows = { numbers($0, $1).littleEndianBytes }
    }
}

/// The names that are looked up again.
extension RunStatistic {
    /// Of a population: the logarithms of the weights, float64 [chains].
    package static let logWeight = "log_weight"
    /// Of a population: what the weighted chains are worth before resampling, float32 [blocks, levels].
    package static let effectiveSize = "effective_size"
    /// Of a population: chains of the start with descendants, int32 [blocks, levels].
    package static let ancestors = "ancestors"
    /// Of a population: the logarithms of the normaliser's estimates, float64 [blocks, levels].
    package static let levelLogNormalizer = "level_log_normalizer"
    /// Of a population: the last of these, float64 [blocks].
    package static let logNormalizer = "log_normalizer"
    /// Of a population: bridges on the way to a level, int32 [blocks, levels].
    package static let bridges = "bridges"
    /// What pilot blocks have found, float64 [blocks, levels].
    package static let stepSize = "step_size"
    /// Of each draw: the log density, the energy, and divergences since the draw before.
    static let ofDraws = (logDensity: logDensityOfDraws, energy: energyOfDraws, divergences: "diverging")
}

extension SamplerSettings {
    /// A block with more draws than this, of all its chains, tells of chains alone: its result is one message.
    private static let mostDraws = 1 << 19

    /// The arrays that a run keeps beside its samples: what its blocks, with tuning pilot blocks, leave.
    ///
    /// - Parameters:
    ///   - levels: of the schedule.
    ///   - lanes: chains of a block.
    ///   - hasEnergy: whether the target's log density is known.
    ///   - trace: the points that are kept on the way; nil for none.
    package func statistics(
        levels: Int, lanes: Int, draws: Int, thin: Int, hasEnergy: Bool, trace: TraceSettings?
    ) -> [RunStatistic] {
        blockStatistics(levels: levels, lanes: lanes, draws: draws, thin: thin, hasEnergy: hasEnergy, trace: trace)
            .map(\.array)
    }

    /// The same, with where they come from.
    func blockStatistics(
        levels: Int, lanes: Int, draws: Int, thin: Int, hasEnergy: Bool, trace: TraceSettings?
    ) -> [BlockStatistic] {
        // Every proposal may diverge, and every draw may be one that can't be denoised or written.
        let onBridges = Double(levels + (refinement?.levels ?? 0)) * Double(mostTransitionsOnBridges)
        let divergences = StatisticLimits(0...mostProposals(draws: draws, thin: thin) + onBridges + Double(draws))
        var all = chainStatistics(levels: levels, hasEnergy: hasEnergy, divergences: divergences)
        if let population { all += populationStatistics(levels: levels) + bridgeStatistics(population, levels: levels) }
        if tuning != nil {
            all.append(
                BlockStatistic(
                    RunStatistic.stepSize, per: .blocks, .levels(levels),
                    limits: StatisticLimits(Self.findableStepSizes, gap: .nan, whole: self.levels)
                ) { block, _ in block.plan.stepSizes })
        }
        if let exchange { all += exchangeStatistics(pairs: exchange.pairs, rounds: (draws - 1) * thin) }
        if let refinement { all += refinementStatistics(levels: refinement.levels) }
        if draws > 1, lanes * draws <= Self.mostDraws {
            all += drawStatistics(draws: draws, hasEnergy: hasEnergy, divergences: divergences)
        }
        if let trace {
            // As chains left the level, not denoised; NaN for those that a block has not. They may be anything.
            all.append(
                BlockStatistic(RunStatistic.trace, per: .blocks, trace.axis) { block, chains in
                    block.trace?.ofFirst(chains) ?? []
                })
        }
        return all
    }

    private func chainStatistics(levels: Int, hasEnergy: Bool, divergences: StatisticLimits) -> [BlockStatistic] {
        [
            // The fraction of proposals accepted, those of replicas among them.
            BlockStatistic(
                RunStatistic.acceptance, .levels(levels),
                limits: StatisticLimits(0...1, gap: .nan, whole: kind == .reverse ? nil : self.levels)
            ) { block, chains in block.acceptance(at: Array(0..<levels), chains: chains) },
            // Of the point at the last draw and the last level, which is not denoised, up to the composition's constant. It
            // may be anything, also where an energy overflows.
            BlockStatistic(RunStatistic.logDensity) { block, chains in
                hasEnergy
                    ? Array(block.state.evaluation.logDensity.prefix(chains))
                    : [Double](repeating: .nan, count: chains)
            },
            BlockStatistic(RunStatistic.divergences, limits: divergences) { block, chains in
                Array(block.state.divergences.prefix(chains))
            },
        ]
    }

    private func populationStatistics(levels: Int) -> [BlockStatistic] {
        let axis = RunStatistic.Axis.levels(levels)
        let counts = StatisticLimits(1...1, ofEachChain: true, gap: .zero, whole: self.levels)
        return [
            // Since the latest resampling, minus infinity for zero; they hold for all draws of a chain.
            BlockStatistic(RunStatistic.logWeight, limits: .logarithm()) { block, _ in
                block.population?.logWeights ?? []
            },
            // On entering the level, before resampling; 0 where all weights are zero.
            BlockStatistic(
                RunStatistic.effectiveSize, per: .blocks, axis,
                limits: StatisticLimits(Self.effectiveSize, ofEachChain: true, gap: .nan, whole: self.levels)
            ) { block, _ in block.perLevel(.nan, \.effectiveSize) },
            // Chains of the start that have descendants on the level.
            BlockStatistic(RunStatistic.ancestors, per: .blocks, axis, limits: counts) { block, _ in
                block.perLevel(0, \.ancestors)
            },
            // Chains that the latest resampling until then let live, all before the first.
            BlockStatistic("parents", per: .blocks, axis, limits: counts) { block, _ in block.perLevel(0, \.parents) },
            // Of the estimate of the integral of exp(l) at the level, l as it is evaluated there, which is unbiased; minus
            // infinity if all weights are zero.
            BlockStatistic(
                RunStatistic.levelLogNormalizer, per: .blocks, axis, limits: .logarithm(gap: .nan, whole: self.levels)
            ) { block, _ in block.perLevel(.nan, \.logNormalizer) },
            // The last of these.
            BlockStatistic(RunStatistic.logNormalizer, per: .blocks, limits: .logarithm()) { block, _ in
                [block.population?.levels.last?.logNormalizer ?? .nan]
            },
        ]
    }

    private func bridgeStatistics(_ population: PopulationSettings, levels: Int) -> [BlockStatistic] {
        guard population.bridges > 0 else { return [] }
        // Bridges crossed on the way to the level.
        let limits = StatisticLimits(0...Double(population.bridges))
        let onWay = BlockStatistic(RunStatistic.bridges, per: .blocks, .levels(levels), limits: limits) { block, _ in
            block.perLevel(0, \.bridges)
        }
        guard let refinement else { return [onWay] }
        let below = BlockStatistic(
            "refinement_bridges", per: .blocks, .refinedLevels(refinement.levels), limits: limits
        ) { block, _ in block.population?.levels.dropFirst(block.plan.firstLevel + 1).map(\.bridges) ?? [] }
        return [onWay, below]
    }

    private func exchangeStatistics(pairs: Int, rounds: Int) -> [BlockStatistic] {
        [
            // From the last level to the highest one with a replica and back.
            BlockStatistic("round_trips", limits: StatisticLimits(0...Double(rounds))) { block, chains in
                Array((block.exchange?.roundTrips ?? []).prefix(chains))
            },
            // The fraction of the decisions on a swap that were swaps.
            BlockStatistic(
                RunStatistic.swapAcceptance, .pairs(pairs), limits: StatisticLimits(0...1, gap: .nan)
            ) { block, chains in
                block.exchange?.swapAcceptance(chains: chains, exchanges: block.exchanges) ?? []
            },
        ]
    }

    private func refinementStatistics(levels: Int) -> [BlockStatistic] {
        let acceptance = BlockStatistic(
            RunStatistic.refinementAcceptance, .refinedLevels(levels), limits: StatisticLimits(0...1)
        ) { block, chains in block.acceptance(at: (1...levels).map { -$0 }, chains: chains) }
        guard population != nil else { return [acceptance] }
        let size = BlockStatistic(
            "refinement_effective_size", per: .blocks, .refinedLevels(levels),
            limits: StatisticLimits(Self.effectiveSize, ofEachChain: true)
        ) { block, _ in block.population?.levels.dropFirst(block.plan.firstLevel + 1).map(\.effectiveSize) ?? [] }
        return [acceptance, size]
    }

    /// For jobs that keep more than one draw of a chain; of a single one the chain's own statistics tell.
    private func drawStatistics(draws: Int, hasEnergy: Bool, divergences: StatisticLimits) -> [BlockStatistic] {
        let (axis, names) = (RunStatistic.Axis.draws(draws), RunStatistic.ofDraws)
        let logDensity = BlockStatistic(names.logDensity, axis) { block, chains in
            block.draws.logDensity.ofFirst(chains)
        }
        // H = |v|^2 / (2 M^2) - l.
        let energy = BlockStatistic(names.energy, axis) { block, chains in block.draws.energy.ofFirst(chains) }
        let diverging = BlockStatistic(names.divergences, axis, limits: divergences) { block, chains in
            block.draws.divergences.increments(ofFirst: chains)
        }
        return (hasEnergy ? [logDensity] + (kind.isHamiltonian ? [energy] : []) : []) + [diverging]
    }

    /// Rounding may take a size that is the number of chains a little beyond it.
    private static let effectiveSize = 0...1.0001
}
