import PoolSimulator
import Testing

/// Random histories of a whole pool: nothing is lost, nothing counts twice, everything ends.
struct HistoryTests {

    @Test(arguments: 0..<4)
    func `No history of a pool breaks an invariant`(part: Int) {
        var (finished, failed, cancelled) = (0, 0, 0)
        for seed in 0..<1_000 {
            let outcome = HistoryPlan(seed: UInt64(part * 1_000 + seed)).outcome()
            if let broken = outcome.broken {
                Issue.record("seed \(part * 1_000 + seed), \(broken); see pool-histories --replay")
                return
            }
            finished += outcome.finished
            failed += outcome.failed
            cancelled += outcome.cancelled
        }
        // The histories are worth something only if things happen in them.
        #expect(finished > 1_200)
        #expect(failed > 80)
        #expect(cancelled > 50)
    }

    /// A block that others' results overtook was taken for hung (the first two), a job that was tied by a worker which
    /// had been sent home went on elsewhere, a state longer than all that may be under way was never taken, and a result
    /// was taken to differ from one that had come after the comparison was asked for, a block was moved to who may not
    /// verify it, again and again, a stored result that nobody could verify came a second time,
    /// and a job that was begun anew had results of its earlier run confirmed.
    @Test(
        arguments: [1_202_019, 1_734_569, 1_663_766, 1_646_978, 7_000_280, 7_005_344, 7_011_435, 2_509_741] as [UInt64])
    func `Histories that broke an invariant once break none`(seed: UInt64) {
        #expect(HistoryPlan(seed: seed).outcome().broken == nil)
    }

    @Test func `A history is the same every time it is lived`() {
        for seed in [3, 14, 159] as [UInt64] {
            let (first, second) = (
                HistoryPlan(seed: seed).outcome(isLogged: true), HistoryPlan(seed: seed).outcome(isLogged: true)
            )
            #expect(first.log == second.log)
            #expect(first.log.count > 10)
        }
    }

    @Test(arguments: PlantedBug.allCases)
    func `Each planted bug of a scheduler is found within a thousand histories`(bug: PlantedBug) {
        let first = (0..<1_000).first { HistoryPlan(seed: UInt64($0)).outcome(planting: bug).broken != nil }
        #expect(first != nil)
    }

    @Test(arguments: PlantedCoreBug.allCases)
    func `Each planted bug of the core around it is found within a thousand histories`(bug: PlantedCoreBug) {
        let first = (0..<1_000).first { HistoryPlan(seed: UInt64($0)).outcome(planting: bug).broken != nil }
        #expect(first != nil)
    }

    @Test func `The history that shows a bug is made shorter and shows the same`() throws {
        let seed = try #require(
            (0..<1_000).first { HistoryPlan(seed: $0).outcome(planting: .countsPlannedStops).broken != nil })
        let plan = HistoryPlan(seed: seed)
        let short = plan.shrunk(planting: .countsPlannedStops)
        let what = try #require(short.outcome(planting: .countsPlannedStops).broken)
        #expect(what.hasSuffix("a planned stop, a pause or a restart counts against a block"))
        #expect(short.outcome(planting: .countsPlannedStops).events < plan.outcome().events)
    }
}
