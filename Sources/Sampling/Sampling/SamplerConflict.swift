/// Options of a sampler that can't go together, or not with what is sampled.
package struct SamplerConflict: Error, Sendable, Equatable, CustomStringConvertible {
    /// An option to blame, by what jobs call it.
    package enum Option: String, Sendable {
        case kind, acceptance, population, refine, exchange
    }

    /// The option to change or to leave out.
    package let option: Option
    /// What is wrong and what to do, in one line.
    package let description: String
}

extension SamplerSettings {
    /// What forbids these settings, the first thing of all that do; nil if nothing does.
    ///
    /// - Parameters:
    ///   - hasEnergy: whether the target's log density is known.
    ///   - draws: kept per chain.
    package func conflict(hasEnergy: Bool, draws: Int) -> SamplerConflict? {
        let rules = [
            kernelRules(hasEnergy: hasEnergy),
            population.map { populationRules($0, hasEnergy: hasEnergy) } ?? [],
            refinement.map(refinementRules) ?? [],
            exchange.map { exchangeRules($0, hasEnergy: hasEnergy, draws: draws) } ?? [],
        ]
        return rules.joined().first { $0.forbidden }.map { SamplerConflict(option: $0.option, description: $0.reason) }
    }

    private typealias Rule = (forbidden: Bool, option: SamplerConflict.Option, reason: String)

    private func kernelRules(hasEnergy: Bool) -> [Rule] {
        [
            (
                (kernel == .reverse) != (transitions == 0) || kernel == .reverse && !reverseSteps, .kind,
                "reverse makes ancestral steps and no transitions, and every other kernel at least one transition"
            ),
            (
                !kind.isHamiltonian && kernel.acceptance == .path, .acceptance,
                "a step of mala is a straight line, not a path; write \"line\", or {\"line\": {\"points\": 2}} for as "
                    + "many evaluations as a path takes"
            ),
            (
                !hasEnergy && kernel.acceptance?.needsEnergy == true, .kind,
                "\(kind.rawValue) accepts and rejects by the energy, which networks of the kind noise, servers of a score and "
                    + "averages of windows do not have; add \"acceptance\": \"line\", or use ula, uhmc or reverse"
            ),
        ]
    }

    private func populationRules(_ population: PopulationSettings, hasEnergy: Bool) -> [Rule] {
        [
            (
                !(population.threshold > 0 && population.threshold <= 1), .population,
                "threshold is \(population.threshold), not above 0 and at most 1; 0.5 is usual"
            ),
            (
                !(0...PopulationSettings.mostBridges).contains(population.bridges), .population,
                "bridges is \(population.bridges), not from 0 to \(PopulationSettings.mostBridges)"
            ),
            (
                !hasEnergy, .population,
                "a population is weighted by log densities, and this target has scores alone; leave it out"
            ),
            // Ancestral steps move the chains in ways for which the weights don't account.
            (
                reverseSteps, .population,
                "a population can't be weighted over reverse steps; leave out one of the two"
            ),
        ]
    }

    private func refinementRules(_ refinement: RefinementSettings) -> [Rule] {
        let levelsBelow = 1...RefinementSettings.mostLevels
        return [
            (
                !levelsBelow.contains(refinement.levels) || refinement.transitions < 1
                    || refinement.stepSizes.map { $0.count != refinement.levels } ?? false, .refine,
                "levels must be from 1 to \(levelsBelow.upperBound), with transitions and as many step sizes"
            ),
            (reverseSteps, .refine, "ancestral steps do not lead below level 0; leave out one of the two"),
            (
                levels.lowerBound > 0, .refine,
                "chains are refined from level 0 on, where there are no transitions; let levels begin at 0"
            ),
            (denoise, .refine, "draws without noise can't be denoised; leave out one of the two"),
            (
                exchange != nil, .refine,
                "replicas are exchanged where draws are kept, at level 0; leave out one of the two"
            ),
        ]
    }

    private func exchangeRules(_ exchange: ExchangeSettings, hasEnergy: Bool, draws: Int) -> [Rule] {
        let last = reverseSteps ? 0 : levels.lowerBound
        let ascend = zip(exchange.levels, exchange.levels.dropFirst()).allSatisfy(<)
        return [
            (
                !kind.isAdjusted, .exchange,
                "\(kind.rawValue) samples no level exactly, so a swap can't be decided on; use mala or hmc, or leave it out"
            ),
            (
                !hasEnergy, .exchange,
                "swaps are decided on by log densities, and this target has scores alone; leave it out"
            ),
            (
                population != nil, .exchange,
                "replicas can't be exchanged between the chains of a population; leave out one of the two"
            ),
            (
                draws <= 1, .exchange,
                "replicas are exchanged while further draws are made; ask for more than 1 draw"
            ),
            (exchange.every < 1, .exchange, "every is \(exchange.every), not at least 1"),
            (
                exchange.levels.count < 2 || !ascend || !exchange.levels.allSatisfy(levels.contains), .exchange,
                "levels must be at least two that get transitions, in ascending order, such as [0, 5, 10]"
            ),
            (
                exchange.levels.first != last, .exchange,
                "the first level must be \(last), where chains end and draws are kept"
            ),
        ]
    }
}
