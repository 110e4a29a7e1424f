import PoolCore
import Testing

/// Who gets which blocks, and when a job ends.
struct SchedulerTests {

    @Test func `A free worker is granted blocks of a waiting job, the first ones first`() {
        var pool = Pool()
        pool.join(1, slots: 2)
        #expect(pool.actions.isEmpty)
        pool.submit(7, blocks: 100)
        #expect(pool.granted(1) == (0..<4).map { Attempt(7, $0) })
        #expect(pool.running(7) == 4)
    }

    @Test func `A job that came before its workers is granted when they register`() {
        var pool = Pool()
        #expect(pool.submit(1, blocks: 10).isEmpty)
        #expect(!pool.join(1).isEmpty)
        #expect(pool.scheduler.capacity == (1, 1))
    }

    @Test func `A worker that says it has no slots is given one`() {
        var pool = Pool()
        pool.join(1, slots: 0)
        #expect(pool.scheduler.capacity == (1, 1))
    }

    @Test func `Grants are numbered from 1, and anew after a registration`() {
        var pool = Pool()
        pool.join(1)
        var held: [Attempt] = []
        pool.submit(1, blocks: 100)
        for number in 1...3 as ClosedRange<UInt64> {
            held += pool.granted(1)
            #expect(pool.actions.contains { if case .grant(1, number, _) = $0 { true } else { false } })
            while pool.finish(1, held.removeFirst()).granted(1).isEmpty {}
        }
        pool.join(1, holding: [])
        #expect(pool.actions.contains { if case .grant(1, 1, _) = $0 { true } else { false } })
    }

    @Test func `Leases grow while blocks are short and shrink at the end of the job`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 5_000)
        var held = pool.granted(1)
        #expect(held.count == 2)
        var depths: [Int] = []
        var finished = 0
        while !held.isEmpty {
            pool.wait(.milliseconds(1))
            pool(.finished(1, held.removeFirst()))
            finished += 1
            held += pool.granted(1)
            depths.append(held.count)
        }
        #expect(finished == 5_000)
        // A hundred milliseconds of work at a millisecond a block.
        #expect((90...110).contains(depths.max() ?? 0))
        // Nobody sits on more than about half of what is left.
        for (done, depth) in depths.enumerated() { #expect(depth <= max(2, (5_000 - done) / 2)) }
        #expect(depths.suffix(20).allSatisfy { $0 <= 20 })
    }

    @Test func `No queue is deeper than the configuration allows`() {
        var configuration = PoolConfiguration()
        configuration.deepestQueue = 8
        var pool = Pool(configuration)
        pool.join(1)
        pool.submit(1, blocks: 2_000)
        var held = pool.granted(1)
        for _ in 0..<500 {
            pool.wait(.microseconds(10))
            pool(.finished(1, held.removeFirst()))
            held += pool.granted(1)
            #expect(held.count <= 8)
        }
        #expect(held.count > 5)
    }

    @Test func `Few blocks are spread over all workers`() {
        var pool = Pool()
        for worker: WorkerID in 1...4 { pool.join(worker) }
        pool.submit(1, blocks: 4)
        for worker: WorkerID in 1...4 { #expect(pool.granted(worker).count == 1) }
    }

    @Test func `A job ends when its last result is stored, not when it is there`() {
        var pool = Pool()
        pool.join(1, slots: 2)
        pool.submit(1, blocks: 2)
        let held = pool.granted(1)
        #expect(pool(.finished(1, held[0])) == [.keep(held[0])])
        #expect(pool(.finished(1, held[1])) == [.keep(held[1])])
        // The worker asks again while the first is on its way to the disk.
        #expect(pool(.finished(1, held[0])) == [.pass(held[0])])
        #expect(pool(.stored(1, block: 1)).isEmpty)
        #expect(pool(.finished(1, held[1])) == [.drop(held[1])])
        #expect(pool(.stored(1, block: 0)) == [.jobFinished(1)])
        #expect(pool.scheduler.view(of: 1) == nil)
    }

    @Test func `A job without blocks, or all of whose blocks are stored, ends at once`() {
        var pool = Pool()
        #expect(pool.submit(1, blocks: 0) == [.jobFinished(1)])
        var progress = JobProgress()
        progress.stored = BlockSet(0..<3)
        #expect(pool.submit(2, blocks: 3, progress) == [.jobFinished(2)])
    }

    @Test func `What was stored in an earlier life is not granted again`() {
        var pool = Pool()
        pool.join(1, slots: 8)
        var progress = JobProgress()
        progress.stored = BlockSet([0, 2, 3, 5])
        pool.submit(1, blocks: 7, progress)
        #expect(pool.granted(1).map(\.block) == [1, 4, 6])
        #expect(pool.scheduler.view(of: 1)?.finished == 4)
    }

    @Test func `Cancelling calls back what runs, and the next job starts`() {
        var pool = Pool()
        pool.join(1, slots: 2)
        pool.submit(1, blocks: 50)
        let held = pool.granted(1)
        pool.submit(2, blocks: 50)
        let actions = pool(.cancelled(1))
        #expect(actions.revoked(1) == held)
        #expect(actions.granted(1).allSatisfy { $0.job == 2 })
        #expect(!actions.granted(1).isEmpty)
        #expect(pool.scheduler.view(of: 1) == nil)
    }

    @Test func `A result of a job that is over is dropped`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 50)
        let attempt = pool.granted(1)[0]
        pool(.cancelled(1))
        #expect(pool(.finished(1, attempt)) == [.drop(attempt)])
    }

    @Test func `A result for a block that the job has not is dropped`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 3)
        for block in [-1, 3, Int.max, Int.min] {
            #expect(pool(.finished(1, Attempt(1, block))).contains(.drop(Attempt(1, block))))
        }
    }

    @Test func `A full disk stops the granting, and results still count`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10)
        let held = pool.granted(1)
        pool(.storage(isFull: true))
        #expect(pool(.finished(1, held[0])) == [.keep(held[0])])
        #expect(pool(.finished(1, held[1])) == [.keep(held[1])])
        #expect(pool.join(2).isEmpty)
        #expect(pool.tick(after: .seconds(2), hearing: [1, 2]).isEmpty)
        pool(.storage(isFull: false))
        #expect(!pool.granted(1).isEmpty && !pool.granted(2).isEmpty)
    }

    @Test func `A job past its time limit fails, and what runs of it is called back`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10, timeLimit: .seconds(3))
        let held = pool.granted(1)
        #expect(pool.tick(after: .seconds(3), hearing: [1]).isEmpty)
        let actions = pool.tick(after: .milliseconds(200), hearing: [1])
        #expect(actions.failures.map(\.job) == [1])
        #expect(actions.failures.first?.reason.contains("time limit") == true)
        #expect(actions.revoked(1) == held)
    }

    @Test func `A worker's standing shows its leases, its results and its silence`() {
        var pool = Pool()
        pool.join(3, slots: 2)
        pool.submit(1, blocks: 100)
        pool.wait(.seconds(1))
        pool(.finished(3, pool.granted(3)[0]))
        pool.wait(.seconds(2))
        let view = pool.scheduler.view(of: 3, at: pool.now)
        #expect(view?.slots == 2)
        #expect(view?.running == 3 || view?.running == 4)
        #expect(view?.finished == 1)
        #expect(view?.silence == .seconds(2))
        #expect(pool.scheduler.view(of: 4, at: pool.now) == nil)
    }
}
