import Testing

import PoolCore

@Suite("Results that were stored and are lost")
struct LostResultTests {
    private func granted(_ actions: [Scheduler.Action]) -> [Int] {
        actions.flatMap { if case .grant(_, _, let attempts) = $0 { attempts.map(\.block) } else { [Int]() } }
    }

    @Test("Blocks that are lost run again, those that came with the job too, and the job ends when all are stored")
    func lost() {
        var scheduler = Scheduler()
        var progress = JobProgress()
        for block in [1, 3] { progress.stored.insert(block) }
        _ = scheduler.handle(.submitted(1, JobTerms(blocks: 4), progress), at: .zero)
        var actions = scheduler.handle(.registered(7, slots: 4, group: "a"), at: .zero)
        #expect(Set(granted(actions)).isSubset(of: [0, 2]))
        actions = scheduler.handle(.lost(1, blocks: [3, 1, 9, -1]), at: .zero)
        var running: [Attempt] = []
        for _ in 0..<20 {
            for case .grant(_, _, let attempts) in actions { running += attempts }
            actions = scheduler.handle(.ticked, at: .zero)
        }
        running = [0, 2].map { Attempt(job: 1, block: $0, number: 1) } + running.filter { $0.block % 2 == 1 }
        var ends: [Scheduler.Action] = []
        var done: [Int] = []
        while let attempt = running.first {
            running.removeFirst()
            for action in scheduler.handle(.finished(7, attempt, seconds: 1), at: .zero) {
                if case .grant(_, _, let more) = action { running += more }
                if case .keep = action { done.append(attempt.block) }
            }
            ends += scheduler.handle(.stored(1, block: attempt.block), at: .zero)
        }
        #expect(done.sorted() == [0, 1, 2, 3])
        #expect(ends.contains(.jobFinished(1)))
    }

    @Test("Numbers of blocks that there are not, from a damaged journal, are passed over")
    func outOfRange() {
        var progress = JobProgress()
        progress.stored.insert(100_000)
        progress.checkpoints = [-5: 1, Int.max: 3]
        progress.reports = [Int.max: ["a", "b", "c", "d", "e"], -1: ["a"]]
        var scheduler = Scheduler()
        _ = scheduler.handle(.submitted(1, JobTerms(blocks: 2), progress), at: .zero)
        let actions = scheduler.handle(.registered(7, slots: 4, group: "a"), at: .zero)
        #expect(granted(actions).allSatisfy { 0..<2 ~= $0 } && !granted(actions).isEmpty)
        #expect(scheduler.view(of: 1)?.finished == 0)
    }
}
