import PoolCore
import Testing

/// Who gets which blocks, and when a job ends.
struct SchedulerTests {

    @Test func `A free worker is granted blocks of a waiting job, the first ones first`() {
        var pool = Pool()
        pool(.registered(1, slots: 2))
        #expect(pool.actions.isEmpty)
        pool(.submitted(7, blocks: 100))
        #expect(pool.granted(1) == (0..<4).map { Attempt(job: 7, block: $0, number: 1) })
        #expect(pool.scheduler.counts(of: 7)?.running == 4)
    }

    @Test func `A job that came before its workers is granted when they register`() {
        var pool = Pool()
        #expect(pool(.submitted(1, blocks: 10)).isEmpty)
        pool(.registered(1, slots: 1))
        #expect(!pool.granted(1).isEmpty)
        #expect(pool.scheduler.capacity == (1, 1))
    }

    @Test func `A worker that says it has no slots is given one`() {
        var pool = Pool()
        pool(.registered(1, slots: 0))
        #expect(pool.scheduler.capacity == (1, 1))
    }

    @Test func `Leases grow while blocks are short and shrink at the end of the job`() {
        var pool = Pool()
        pool(.registered(1, slots: 1))
        pool(.submitted(1, blocks: 5_000))
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
        pool(.registered(1, slots: 1))
        pool(.submitted(1, blocks: 2_000))
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
        for worker: WorkerID in 1...4 { pool(.registered(worker, slots: 1)) }
        pool(.submitted(1, blocks: 4))
        for worker: WorkerID in 1...4 { #expect(pool.granted(worker).count == 1) }
    }

    @Test func `Jobs are served in their order, and all of them end`() {
        var pool = Pool()
        pool(.registered(1, slots: 1))
        for job in 1...3 { pool(.submitted(job, blocks: 4)) }
        var held = (0..<2).map { Attempt(job: 1, block: $0, number: 1) }
        var ended: [JobNumber] = []
        var order: [JobNumber] = [1, 1]
        while !held.isEmpty {
            pool.wait(.seconds(1))
            let attempt = held.removeFirst()
            let actions = pool(.finished(1, attempt))
            #expect(actions.first == .keep(attempt))
            for case .jobFinished(let job) in actions { ended.append(job) }
            held += pool.granted(1)
            order += pool.granted(1).map(\.job)
        }
        #expect(ended == [1, 2, 3])
        #expect(order == order.sorted())
        #expect(order.count == 12)
        #expect(pool.scheduler.counts(of: 3) == nil)
    }

    @Test func `Cancelling calls back what runs, and the next job starts`() {
        var pool = Pool()
        pool(.registered(1, slots: 2))
        pool(.submitted(1, blocks: 50))
        let held = pool.granted(1)
        pool(.submitted(2, blocks: 50))
        let actions = pool(.cancelled(1))
        #expect(actions.revoked(1) == held)
        #expect(actions.granted(1).allSatisfy { $0.job == 2 })
        #expect(!actions.granted(1).isEmpty)
        #expect(pool.scheduler.counts(of: 1) == nil)
    }

    @Test func `A result of a job that is over is dropped`() {
        var pool = Pool()
        pool(.registered(1, slots: 1))
        pool(.submitted(1, blocks: 50))
        let attempt = pool.granted(1)[0]
        pool(.cancelled(1))
        #expect(pool(.finished(1, attempt)) == [.drop(attempt)])
    }

    @Test func `A result for a block that the job has not is dropped`() {
        var pool = Pool()
        pool(.registered(1, slots: 1))
        pool(.submitted(1, blocks: 3))
        for block in [-1, 3, Int.max, Int.min] {
            let attempt = Attempt(job: 1, block: block, number: 1)
            #expect(pool(.finished(1, attempt)).contains(.drop(attempt)))
        }
    }

    @Test func `A worker's standing shows its leases, its results and its silence`() {
        var pool = Pool()
        pool(.registered(3, slots: 2))
        pool(.submitted(1, blocks: 100))
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
