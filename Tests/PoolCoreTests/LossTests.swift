import PoolCore
import Testing

/// What becomes of the blocks of workers that fall silent, leave, die or hang.
struct LossTests {

    private func running(slots: Int = 1, blocks: Int = 50) -> (Pool, [Attempt]) {
        var pool = Pool()
        pool(.registered(1, slots: slots))
        pool(.submitted(1, blocks: blocks))
        return (pool, pool.granted(1))
    }

    @Test("A dead worker counts against the blocks that it ran, not against those that waited there")
    func queuedBlocksAreInnocent() {
        var configuration = PoolConfiguration()
        configuration.crashLimit = 2
        var pool = Pool(configuration)
        pool(.registered(1, slots: 1))
        pool(.submitted(1, blocks: 100))
        #expect(pool.granted(1).map(\.block) == [0, 1])
        pool(.died(1, reason: "killed"))
        pool(.registered(2, slots: 1))
        let held = pool.granted(2)
        #expect(held.map(\.block) == [0, 1])
        pool(.finished(2, held[0]))
        // Block 1 runs now for the first time, and is lost for the first time.
        #expect(pool(.died(2, reason: "killed")).failures.isEmpty)
        pool(.registered(3, slots: 1))
        #expect(pool(.died(3, reason: "killed")).failures.map(\.job) == [1])
    }

    @Test func `A silent worker loses its leases, and its blocks run again as attempt 2`() {
        var (pool, held) = running()
        #expect(pool.tick(after: .seconds(6)).isEmpty)
        let actions = pool.tick(after: .milliseconds(1))
        #expect(actions.forgets(1))
        #expect(pool.scheduler.capacity == (0, 0))
        pool(.registered(2, slots: 1))
        #expect(pool.granted(2) == held.map { Attempt(job: 1, block: $0.block, number: 2) })
    }

    @Test func `Any word from a worker is a heartbeat`() {
        var (pool, held) = running()
        for _ in 0..<10 {
            pool.wait(.seconds(5))
            pool(.heard(1))
            pool.wait(.seconds(5))
            pool(.progressed(1, held[0]))
            #expect(pool.tick(after: .seconds(5)).isEmpty)
            pool(.progressed(1, held[1]))
        }
    }

    @Test func `A worker that says goodbye returns its blocks, and they count against nobody`() {
        var (pool, _) = running(blocks: 1)
        for worker: WorkerID in 1...20 {
            #expect(pool(.left(worker)).failures.isEmpty)
            pool(.registered(worker + 1, slots: 1))
            #expect(pool.granted(worker + 1) == [Attempt(job: 1, block: 0, number: Int(worker) + 1)])
        }
    }

    @Test func `A block that takes down five workers fails its job, and other jobs go on`() {
        var (pool, _) = running(blocks: 1)
        pool(.submitted(2, blocks: 1))
        for worker: WorkerID in 1...5 {
            let actions = pool(.died(worker, reason: "signal 11"))
            #expect(actions.failures.count == (worker == 5 ? 1 : 0))
            #expect(worker < 5 || actions.failures[0].reason.contains("signal 11"))
            pool(.registered(worker + 1, slots: 1))
        }
        #expect(pool.scheduler.counts(of: 1) == nil)
        #expect(pool.granted(6).allSatisfy { $0.job == 2 })
        #expect(pool(.finished(6, pool.granted(6)[0])).contains(.jobFinished(2)))
    }

    @Test func `A block that fails too often ends its job with the last reason`() {
        var (pool, held) = running(blocks: 10)
        for number in 1...5 {
            let attempt = Attempt(job: 1, block: 0, number: number)
            #expect(held.contains(attempt))
            let actions = pool(.failed(1, attempt, reason: "no. \(number)"))
            held.removeAll { $0 == attempt }
            held += actions.granted(1)
            #expect(actions.failures.map(\.job) == (number == 5 ? [1] : []))
            if number == 5 {
                #expect(actions.failures[0].reason.contains("no. 5"))
                #expect(Set(actions.revoked(1)) == Set(held))
            }
        }
    }

    @Test func `A failure that is told twice counts once`() {
        var (pool, held) = running(blocks: 10)
        for _ in 0..<10 { #expect(pool(.failed(1, held[0], reason: "again")).failures.isEmpty) }
    }

    @Test func `The second result of a block is dropped`() {
        var (pool, held) = running()
        #expect(pool(.finished(1, held[0])).first == .keep(held[0]))
        #expect(pool(.finished(1, held[0])).contains(.drop(held[0])))
        #expect(pool.scheduler.counts(of: 1)?.finished == 1)
    }

    @Test func `A late result of a lost attempt is kept once, and the repetition is called off`() {
        var (pool, held) = running(blocks: 1)
        pool.tick(after: .seconds(7))
        pool(.registered(2, slots: 1))
        let again = Attempt(job: 1, block: 0, number: 2)
        #expect(pool.granted(2) == [again])
        let actions = pool(.finished(1, held[0]))
        #expect(actions == [.registerAgain(1), .keep(held[0]), .revoke(2, [again]), .jobFinished(1)])
        #expect(pool(.finished(2, again)) == [.drop(again)])
    }

    @Test func `A late result of a block that waits to run again is kept, and the block is not granted`() {
        var (pool, held) = running(blocks: 2)
        pool.tick(after: .seconds(7))
        #expect(pool(.finished(1, held[0])).contains(.keep(held[0])))
        pool(.registered(2, slots: 4))
        #expect(pool.granted(2) == [Attempt(job: 1, block: 1, number: 1)])
    }

    @Test func `A block without progress is called back and runs again`() {
        var (pool, held) = running(blocks: 1)
        for _ in 0..<300 {
            pool.wait(.seconds(1))
            pool(.heard(1))
            #expect(pool(.ticked).isEmpty)
        }
        pool.wait(.seconds(1))
        pool(.heard(1))
        let actions = pool(.ticked)
        #expect(actions.revoked(1) == held)
        #expect(!actions.forgets(1))
        #expect(actions.granted(1) == [Attempt(job: 1, block: 0, number: 2)])
    }

    @Test func `A block that reports progress is never hung, however long it runs`() {
        var (pool, held) = running(blocks: 1)
        for _ in 0..<200 {
            pool.wait(.seconds(5))
            #expect(pool(.progressed(1, held[0])).isEmpty)
            #expect(pool(.ticked).isEmpty)
        }
    }

    @Test func `Blocks whose worker is being sent their models are not hung, and are when that stops`() {
        var pool = Pool()
        pool(.registered(1, slots: 1))
        pool(.submitted(1, blocks: 1))
        let held = pool.granted(1)
        for _ in 0..<20 {
            pool.wait(.seconds(100))
            #expect(pool(.supplied(1)).isEmpty)
            pool(.heard(1))
            #expect(pool(.ticked).isEmpty)
        }
        pool.wait(.seconds(301))
        pool(.heard(1))
        #expect(pool(.ticked).revoked(1) == held)
        #expect(pool(.supplied(9)) == [.registerAgain(9)])
    }

    @Test func `A block that waits behind a long one at its worker is not taken for hung`() {
        var (pool, held) = running(blocks: 50)
        #expect(held.count == 2)
        for _ in 0..<400 {
            pool.wait(.seconds(1))
            pool(.progressed(1, held[0]))
            #expect(pool(.ticked).revoked(1).isEmpty)
        }
    }

    @Test func `A job that fails because its blocks hang calls each of them back once`() {
        var configuration = PoolConfiguration()
        configuration.crashLimit = 1
        var pool = Pool(configuration)
        pool(.registered(1, slots: 4))
        pool(.submitted(1, blocks: 100))
        let held = pool.granted(1)
        #expect(held.count > 1)
        for _ in 0..<60 {
            pool.wait(.seconds(5))
            pool(.heard(1))
        }
        pool.wait(.seconds(1))
        pool(.heard(1))
        let actions = pool(.ticked)
        #expect(actions.failures.count == 1)
        #expect(actions.revoked(1).sorted { $0.block < $1.block } == held)
    }

    @Test func `Whoever is not known has to register, and nothing else happens`() {
        var pool = Pool()
        #expect(pool(.heard(9)) == [.registerAgain(9)])
        let attempt = Attempt(job: 1, block: 0, number: 1)
        #expect(pool(.progressed(9, attempt)) == [.registerAgain(9)])
        #expect(pool(.failed(9, attempt, reason: "")) == [.registerAgain(9)])
        #expect(pool(.finished(9, attempt)) == [.registerAgain(9), .drop(attempt)])
        #expect(pool(.left(9)).isEmpty)
        #expect(pool(.died(9, reason: "")).isEmpty)
    }
}
