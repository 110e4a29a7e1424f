import EnergyModels
import Sampling
import Testing

@Suite("Statistics of blocks")
struct StatisticArrayTests {
    @Test("A block leaves the arrays that its settings declare, each with its rows and columns")
    func declared() {
        var names: Set<String> = []
        for example in CheckpointCase.all {
            var block = ChainBlock(plan: example.plan, index: 0)
            while block.advance() {}
            let arrays = example.plan.settings.statistics(levels: example.plan.schedule.levels.count)
            let rows = block.result(chains: 8).statistics
            #expect(
                rows.map(\.count)
                    == arrays.map { ($0.rows == .chains ? 8 : 1) * ($0.columns ?? 1) * $0.element.size },
                "\(example)")
            names.formUnion(arrays.map(\.name))
        }
        #expect(
            names.isSuperset(of: [
                "acceptance", "log_weight", "round_trips", "swap_acceptance", "refinement_acceptance",
                "refinement_effective_size",
            ]))
    }
}
