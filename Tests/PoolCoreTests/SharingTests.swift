import PoolCore
import Testing

/// How jobs share the workers, how they are paused, and which workers they are tied to.
struct SharingTests {

    /// Lets one worker with one slot run blocks, whose seconds depend on their job, and counts them by job.
    private func served(_ pool: inout Pool, blocks: Int, seconds: (JobNumber) -> Double) -> [JobNumber: Int] {
        var held = pool.join(1)
        var counts: [JobNumber: Int] = [:]
        for _ in 0..<blocks where !held.isEmpty {
            let attempt = held.removeFirst()
            pool.wait(.seconds(seconds(attempt.job)))
            counts[attempt.job, default: 0] += 1
            held += pool.finish(1, attempt).granted(1)
        }
        return counts
    }

    @Test func `Jobs of one priority get the workers' time in proportion to their shares`() {
        var pool = Pool()
        pool.submit(1, blocks: 1_000, share: 1)
        pool.submit(2, blocks: 1_000, share: 3)
        let counts = served(&pool, blocks: 400) { _ in 0.5 }
        #expect((90...110).contains(counts[1] ?? 0))
        #expect((290...310).contains(counts[2] ?? 0))
    }

    @Test func `It is time that is shared, not blocks, however short the first blocks were thought to be`() {
        var pool = Pool()
        pool.submit(1, blocks: 10_000)
        pool.submit(2, blocks: 10_000)
        let counts = served(&pool, blocks: 1_100) { $0 == 1 ? 0.1 : 0.01 }
        #expect((80...130).contains(counts[1] ?? 0))
        #expect((970...1_020).contains(counts[2] ?? 0))
    }

    @Test func `A job that comes later gets its share from then on, not what it has missed`() {
        var pool = Pool()
        pool.submit(1, blocks: 1_000)
        _ = served(&pool, blocks: 100) { _ in 0.5 }
        pool.submit(2, blocks: 1_000)
        pool(.left(1))
        let counts = served(&pool, blocks: 100) { _ in 0.5 }
        #expect((40...60).contains(counts[1] ?? 0))
    }

    @Test func `A job that was paused has no claim on what it has missed`() {
        var pool = Pool()
        pool.submit(1, blocks: 1_000)
        pool.submit(2, blocks: 1_000)
        pool(.paused(2))
        _ = served(&pool, blocks: 100) { _ in 0.5 }
        pool(.left(1))
        pool(.resumed(2))
        let counts = served(&pool, blocks: 100) { _ in 0.5 }
        #expect((40...60).contains(counts[1] ?? 0))
    }

    @Test func `A job of a higher priority goes first, and priorities can change`() {
        var pool = Pool()
        pool.submit(1, blocks: 100)
        pool.submit(2, blocks: 100, priority: 1)
        #expect(Set(served(&pool, blocks: 50) { _ in 0.5 }.keys) == [2])
        pool(.prioritized(1, 2))
        pool(.left(1))
        #expect(pool.join(2).map(\.job) == [1, 1])
    }

    @Test func `A paused job is called back with what it has come to, and nothing of it is granted`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10)
        let held = pool.granted(1)
        #expect(held == [Attempt(1, 0), Attempt(1, 1)])
        #expect(pool(.paused(1)).recalled(1) == held)
        #expect(pool(.paused(1)).isEmpty)
        pool.submit(3, blocks: 10)
        #expect(pool(.returned(1, held[0])).granted(1).allSatisfy { $0.job == 3 })
        pool(.returned(1, held[1]))
        #expect(pool.running(1) == 0)
        #expect(pool.scheduler.view(of: 1)?.isPaused == true)
        #expect(pool.tick(after: .seconds(2), hearing: [1]).granted(1).allSatisfy { $0.job == 3 })
        pool(.cancelled(3))
        #expect(pool(.resumed(1)).granted(1) == [Attempt(1, 0, 2), Attempt(1, 1, 2)])
    }

    @Test func `A recall that seems to be lost is repeated`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 1)
        let held = pool.granted(1)
        pool(.paused(1))
        pool.wait(.seconds(2))
        #expect(pool(.counted(1, grant: 1, holding: 1)).isEmpty)
        pool.wait(.seconds(2))
        #expect(pool(.counted(1, grant: 1, holding: 1)) == [.recall(1, held)])
        #expect(pool(.counted(1, grant: 1, holding: 1)).isEmpty)
    }

    @Test func `A result that comes although its job is paused counts`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 1)
        let held = pool.granted(1)
        pool(.paused(1))
        #expect(pool.finish(1, held[0]) == [.keep(held[0]), .jobFinished(1)])
    }

    @Test func `A job stays with the arithmetic that it was begun with`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        let held = pool.join(1, group: "a")
        pool.finish(1, held[0])
        #expect(pool.join(2, group: "b").isEmpty)
        pool(.left(1))
        #expect(pool.tick(after: .seconds(1), hearing: [2]).granted(2).isEmpty)
        #expect(pool.scheduler.view(of: 1)?.missingGroup == "a")
        // Another arithmetic's result of the same block is other bytes.
        #expect(pool(.finished(2, Attempt(1, 5))) == [.drop(Attempt(1, 5))])
        #expect(!pool.join(3, group: "a").isEmpty)
        #expect(pool.scheduler.view(of: 1)?.missingGroup == nil)
    }

    @Test func `A job of which nothing was computed is free for another arithmetic`() {
        var pool = Pool()
        pool.submit(1, blocks: 2)
        pool.join(1, group: "a")
        pool.join(2, slots: 2, group: "b")
        pool(.left(1))
        #expect(!pool.tick(after: .milliseconds(200), hearing: [2]).granted(2).isEmpty)
    }

    @Test func `A job that a worker which was sent home ties is called back from those of the other arithmetic`() {
        var configuration = PoolConfiguration()
        configuration.crashLimit = 2
        var pool = Pool(configuration)
        pool.join(1, slots: 3, group: "a")
        pool.submit(1, blocks: 2)
        let failed = pool.granted(1)
        pool.submit(2, blocks: 1)
        let begun = pool.granted(1)
        pool(.paused(1))
        for attempt in failed { pool(.failed(1, attempt, reason: "broken")) }
        pool.join(2, slots: 2, group: "b")
        for attempt in pool(.resumed(1)).granted(2) { pool.finish(2, attempt) }
        #expect(pool.actions.dismisses(1))
        let again = pool.actions.granted(2)
        #expect(begun == [Attempt(2, 0)] && again == [Attempt(2, 0, 2)])
        let actions = pool(.checkpointed(1, begun[0], steps: 3))
        #expect(actions == [.keepCheckpoint(begun[0], steps: 3), .revoke(2, again)])
    }

    @Test func `A checkpoint ties a job to its arithmetic, a late one of a job set free as well`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        let held = pool.join(1, group: "a")
        pool(.checkpointed(1, held[0], steps: 3))
        pool.join(2, group: "b")
        pool(.left(1))
        #expect(pool.tick(after: .milliseconds(200), hearing: [2]).isEmpty)

        var other = Pool()
        other.submit(1, blocks: 10)
        let lost = other.join(1, group: "a")
        other(.left(1))
        other(.paused(1))
        other.join(2, group: "a")
        #expect(other(.checkpointed(2, lost[0], steps: 3)) == [.keepCheckpoint(lost[0], steps: 3)])
        other.join(3, group: "b")
        other(.resumed(1))
        #expect(other.granted(3).isEmpty && !other.granted(2).isEmpty)
    }

    @Test func `What a job was computed with in an earlier life still ties it`() {
        var pool = Pool()
        var progress = JobProgress()
        (progress.group, progress.stored) = ("a", BlockSet([0]))
        pool.submit(1, blocks: 10, progress)
        #expect(pool.join(1, group: "b").isEmpty)
        #expect(!pool.join(2, group: "a").isEmpty)
    }
}
