import PoolCore
import Testing

/// What becomes of the blocks of workers that fall silent, leave, die, fail or hang.
struct LossTests {

    private func running(slots: Int = 1, blocks: Int = 50) -> (Pool, [Attempt]) {
        var pool = Pool()
        pool.join(1, slots: slots)
        pool.submit(1, blocks: blocks)
        return (pool, pool.granted(1))
    }

    private func limit(_ crashes: Int) -> Pool {
        var configuration = PoolConfiguration()
        configuration.crashLimit = crashes
        return Pool(configuration)
    }

    @Test("A dead worker counts against the blocks that it ran, not against those that waited there")
    func queuedBlocksAreInnocent() {
        var pool = limit(2)
        pool.join(1)
        pool.submit(1, blocks: 100)
        #expect(pool.granted(1).map(\.block) == [0, 1])
        #expect(pool(.died(1, reason: "killed")).reported == [Attempt(1, 0)])
        let held = pool.join(2)
        #expect(held.map(\.block) == [0, 1])
        pool.finish(2, held[0])
        // Block 1 runs now for the first time, and is lost for the first time.
        #expect(pool(.died(2, reason: "killed")).failures.isEmpty)
        pool.join(3)
        #expect(pool(.died(3, reason: "killed")).reported.map(\.block) == [1])
    }

    @Test func `A silent worker loses its leases, and its blocks run again as attempt 2`() {
        var (pool, held) = running()
        #expect(pool.tick(after: .seconds(6)).isEmpty)
        #expect(pool.tick(after: .milliseconds(100)).forgets(1))
        #expect(pool.scheduler.capacity == (0, 0))
        #expect(pool.join(2) == held.map { Attempt(1, $0.block, 2) })
    }

    @Test func `Any word from a worker is a heartbeat`() {
        var (pool, held) = running()
        for _ in 0..<10 {
            pool.tick(after: .seconds(5))
            pool(.heard(1))
            pool.tick(after: .seconds(5))
            pool(.progressed(1, held[0], fraction: 0))
            #expect(pool.tick(after: .seconds(5)).isEmpty)
            pool(.checkpointed(1, held[1], steps: 0))
        }
    }

    @Test func `A coordinator that has slept takes nobody for silent or hung, and counts from then on`() {
        var (pool, held) = running()
        pool(.progressed(1, held[0], fraction: 0))
        pool.tick(after: .seconds(1), hearing: [1])
        pool.wait(.seconds(3_000))
        #expect(pool(.ticked).isEmpty)
        #expect(pool.tick(after: .seconds(6)).isEmpty)
        #expect(pool.tick(after: .milliseconds(100)).reported == [held[0]])
    }

    @Test func `A worker that says goodbye returns its blocks, and they count against nobody`() {
        var (pool, _) = running(blocks: 1)
        for worker: WorkerID in 1...20 {
            let actions = pool(.left(worker))
            #expect(actions.failures.isEmpty && actions.reported.isEmpty)
            #expect(pool.join(worker + 1) == [Attempt(1, 0, Int(worker) + 1)])
        }
    }

    @Test func `Blocks that come back go to others at the next tick`() {
        var (pool, held) = running(blocks: 1)
        pool.join(2)
        pool(.left(1))
        #expect(pool.granted(2).isEmpty)
        #expect(pool.tick(after: .milliseconds(100), hearing: [2]).granted(2).map(\.block) == [held[0].block])
    }

    @Test func `A block that takes down five workers fails its job, and other jobs go on`() {
        var (pool, _) = running(blocks: 1)
        pool.submit(2, blocks: 1, priority: -1)
        for worker: WorkerID in 1...5 {
            let actions = pool(.died(worker, reason: "signal 11"))
            #expect(actions.failures.count == (worker == 5 ? 1 : 0))
            #expect(worker < 5 || actions.failures.first?.reason.contains("signal 11") == true)
            pool.join(worker + 1)
        }
        #expect(pool.scheduler.view(of: 1) == nil)
        #expect(pool.granted(6).map(\.job) == [2])
        #expect(pool.finish(6, pool.granted(6)[0]).contains(.jobFinished(2)))
    }

    @Test func `A block that fails too often ends a job that has come to nothing, with all reasons`() {
        var (pool, held) = running(blocks: 10)
        for number in 1...5 {
            #expect(held.contains(Attempt(1, 0, number)))
            let actions = pool(.failed(1, Attempt(1, 0, number), reason: "no. \(number)"))
            held.removeAll { $0 == Attempt(1, 0, number) }
            held += actions.granted(1)
            #expect(actions.failures.map(\.job) == (number == 5 ? [1] : []))
            if number == 5 {
                let reason = actions.failures.first?.reason ?? ""
                for earlier in 1...5 { #expect(reason.contains("\(earlier). no. \(earlier)")) }
                #expect(Set(actions.revoked(1)) == Set(held))
            }
        }
    }

    @Test func `A block that is set aside lets the others of its job finish, and then the job fails`() {
        var pool = limit(2)
        pool.join(1)
        pool.submit(1, blocks: 3)
        var held = pool.granted(1)
        held += pool.finish(1, held.removeFirst()).granted(1)
        #expect(held.map(\.block) == [1, 2] || held.map(\.block) == [1])
        held += pool(.failed(1, held.removeFirst(), reason: "bad")).granted(1)
        let again = held.first { $0.block == 1 }
        #expect(again?.number == 2)
        #expect(pool(.failed(1, Attempt(1, 1, 2), reason: "bad")).failures.isEmpty)
        let last = held.first { $0.block == 2 } ?? pool.granted(1).first
        let actions = pool.finish(1, last ?? Attempt(1, 2))
        #expect(actions.failures.map(\.job) == [1])
        #expect(actions.failures.first?.reason.contains("block 1 was lost or failed 2 times") == true)
    }

    @Test func `A checkpoint clears what was held against its block`() {
        var pool = limit(2)
        pool.submit(1, blocks: 1)
        for worker: WorkerID in 1...10 {
            let held = pool.join(worker)
            #expect(
                pool(.checkpointed(worker, held[0], steps: Int(worker))).contains(
                    .keepCheckpoint(held[0], steps: Int(worker))))
            #expect(pool(.died(worker, reason: "killed")).failures.isEmpty)
        }
        let held = pool.join(11)
        // No further than before: that is no progress.
        #expect(pool(.checkpointed(11, held[0], steps: 10)).isEmpty)
        #expect(pool(.died(11, reason: "killed")).failures.map(\.job) == [1])
    }

    @Test func `A checkpoint that comes after the report that set its block aside brings it back`() {
        var pool = limit(1)
        pool.join(1)
        pool.submit(1, blocks: 3)
        let held = pool.granted(1)
        pool.finish(1, held[0])
        let next = Attempt(1, 1)
        #expect(pool(.failed(1, next, reason: "bad")).failures.isEmpty)
        pool(.checkpointed(1, next, steps: 4))
        pool(.left(1))
        #expect(pool.join(2, slots: 4).map(\.block) == [1, 2])
    }

    @Test func `A block that is set aside does not end a job of which another block has got somewhere`() {
        var pool = limit(1)
        pool.join(1, slots: 2)
        pool.submit(1, blocks: 2)
        pool(.checkpointed(1, Attempt(1, 1), steps: 3))
        #expect(pool(.failed(1, Attempt(1, 0), reason: "bad")).failures.isEmpty)
        #expect(pool.finish(1, Attempt(1, 1)).failures.map(\.job) == [1])
    }

    @Test func `Reports of an earlier life count, and a block that comes with all of them is set aside at once`() {
        var pool = limit(3)
        var progress = JobProgress()
        progress.reports = [0: ["one", "two"]]
        pool.submit(1, blocks: 1, progress)
        pool.join(1)
        #expect(pool(.died(1, reason: "three")).failures.first?.reason.contains("1. one; 2. two; 3. three") == true)
        progress.reports = [4: ["one", "two", "three"]]
        progress.stored = BlockSet([0])
        pool.submit(2, blocks: 6, progress)
        #expect(pool.join(2, slots: 10).map(\.block) == [1, 2, 3, 5])
    }

    @Test func `A failure that is told twice counts once`() {
        var (pool, held) = running(blocks: 10)
        for _ in 0..<10 { #expect(pool(.failed(1, held[0], reason: "again")).failures.isEmpty) }
    }

    @Test func `A block that failed at one worker goes to another, and to the first when all have failed`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 1)
        pool.join(2)
        #expect(pool(.failed(1, Attempt(1, 0), reason: "")).granted(1).isEmpty)
        #expect(pool.tick(after: .milliseconds(200), hearing: [1, 2]).granted(2) == [Attempt(1, 0, 2)])
        #expect(pool(.failed(2, Attempt(1, 0, 2), reason: "")).granted(2) == [Attempt(1, 0, 3)])
        #expect(pool(.failed(2, Attempt(1, 0, 3), reason: "")).granted(2).isEmpty)
        #expect(pool.tick(after: .milliseconds(200), hearing: [1, 2]).granted(1) == [Attempt(1, 0, 4)])
    }

    @Test func `A worker that fails at what others finish is sent home, and gets no more`() {
        var pool = limit(2)
        pool.join(1)
        pool.submit(1, blocks: 20)
        var bad = pool.granted(1)
        var good = pool.join(2)
        var wasDismissed = false
        for _ in 0..<60 {
            pool.wait(.milliseconds(200))
            if !bad.isEmpty { bad += pool(.failed(1, bad.removeFirst(), reason: "broken")).granted(1) }
            good += pool.granted(2)
            if !good.isEmpty { good += pool.finish(2, good.removeFirst()).granted(2) }
            if pool.actions.dismisses(1) {
                wasDismissed = true
                bad = []
            }
            let actions = pool.tick(after: .milliseconds(100), hearing: [1, 2])
            #expect(!wasDismissed || actions.granted(1).isEmpty)
            (bad, good) = (bad + actions.granted(1), good + actions.granted(2))
        }
        #expect(wasDismissed)
        #expect(pool.scheduler.view(of: 1) == nil)
        #expect(pool.join(1).isEmpty && pool.actions.dismisses(1))
    }

    @Test func `Workers are not sent home for blocks that fail everywhere`() {
        var pool = limit(2)
        pool.submit(1, blocks: 100)
        var held: [WorkerID: [Attempt]] = [:]
        for worker: WorkerID in 1...3 { held[worker] = pool.join(worker) }
        var dismissed = 0
        for step in 0..<400 {
            let worker = WorkerID(step % 3 + 1)
            guard let attempt = held[worker]?.first else { continue }
            held[worker]?.removeFirst()
            pool.wait(.milliseconds(10))
            // All but a few fail.
            let actions =
                attempt.block % 10 == 0 ? pool.finish(worker, attempt) : pool(.failed(worker, attempt, reason: "bad"))
            let more = actions + pool.tick(after: .milliseconds(100), hearing: [1, 2, 3])
            for id: WorkerID in 1...3 {
                held[id]? += more.granted(id)
                dismissed += more.dismisses(id) ? 1 : 0
            }
        }
        #expect(dismissed == 0)
    }

    @Test func `The second result of a block is not kept`() {
        var (pool, held) = running()
        #expect(pool(.finished(1, held[0])).first == .keep(held[0]))
        #expect(pool(.finished(1, held[0])).contains(.pass(held[0])))
        #expect(pool.scheduler.view(of: 1)?.finished == 1)
    }

    @Test func `A late result of a lost attempt is kept once, and the repetition is called off`() {
        var (pool, held) = running(blocks: 1)
        pool.tick(after: .seconds(7))
        #expect(pool.join(2) == [Attempt(1, 0, 2)])
        // Whoever is not known says so again when it is.
        #expect(pool(.finished(1, held[0])) == [.registerAgain(1), .pass(held[0])])
        pool.join(3, holding: held)
        #expect(pool.actions.revoked(3) == held)
        #expect(pool(.finished(3, held[0])) == [.keep(held[0]), .revoke(2, [Attempt(1, 0, 2)])])
        #expect(pool(.finished(2, Attempt(1, 0, 2))) == [.pass(Attempt(1, 0, 2))])
    }

    @Test func `A late result of a block that waits to run again is kept, and the block is not granted`() {
        var (pool, held) = running(blocks: 2)
        pool.tick(after: .seconds(7))
        pool(.storage(isFull: true))
        pool.join(2, slots: 4)
        #expect(pool(.finished(2, held[0])) == [.keep(held[0])])
        #expect(pool(.storage(isFull: false)).granted(2) == [Attempt(1, 1)])
    }

    @Test func `A block without progress is called back and runs again`() {
        var (pool, held) = running(blocks: 1)
        #expect(pool.tick(after: .seconds(300), hearing: [1]).isEmpty)
        let actions = pool.tick(after: .milliseconds(500), hearing: [1])
        #expect(actions.revoked(1) == held)
        #expect(actions.reported == held)
        #expect(actions.granted(1) == [Attempt(1, 0, 2)])
    }

    @Test func `A block that hangs from the start is found although others at its worker go on`() {
        var (pool, held) = running(slots: 2, blocks: 2)
        for second in 1...300 {
            pool(.progressed(1, held[1], fraction: Double(second) / 400))
            #expect(pool.tick(after: .seconds(1), hearing: [1]).isEmpty)
        }
        #expect(pool.tick(after: .milliseconds(500), hearing: [1]).revoked(1) == [held[0]])
    }

    @Test func `A block that reports progress, or checkpoints, is never hung, however long it runs`() {
        var (pool, held) = running(slots: 2, blocks: 2)
        for step in 1...40 {
            pool.tick(after: .seconds(200), hearing: [1])
            #expect(pool(.progressed(1, held[0], fraction: 0.01)).isEmpty)
            #expect(pool(.checkpointed(1, held[1], steps: step)) == [.keepCheckpoint(held[1], steps: step)])
            #expect(pool(.ticked).isEmpty)
        }
    }

    @Test func `Blocks whose worker is being sent their models are not hung, and are when that stops`() {
        var (pool, held) = running(blocks: 1)
        for _ in 0..<20 {
            #expect(pool.tick(after: .seconds(100), hearing: [1]).isEmpty)
            #expect(pool(.supplied(1)).isEmpty)
        }
        #expect(pool.tick(after: .seconds(301), hearing: [1]).revoked(1) == held)
        #expect(pool(.supplied(9)) == [.registerAgain(9)])
    }

    @Test func `A block that waits behind a long or a hung one is not taken for hung`() {
        var (pool, held) = running(blocks: 50)
        #expect(held.count == 2)
        for _ in 0..<10 {
            #expect(pool.tick(after: .seconds(100), hearing: [1]).revoked(1).isEmpty)
            pool(.progressed(1, held[0], fraction: 0.1))
        }
        #expect(pool.tick(after: .seconds(301), hearing: [1]).revoked(1) == [held[0]])
    }

    @Test func `A block that reports progress runs, and one that was granted before waits for its model`() {
        var (pool, held) = running(blocks: 50)
        #expect(held.count == 2)
        for _ in 0..<10 {
            pool(.progressed(1, held[1], fraction: 0.1))
            #expect(pool.tick(after: .seconds(200), hearing: [1]).revoked(1).isEmpty)
        }
        #expect(pool(.died(1, reason: "killed")).reported == [held[1]])
    }

    @Test func `A block that results overtake waits for its model, and is not taken for hung`() {
        var (pool, held) = running(blocks: 50)
        for _ in 0..<10 {
            #expect(pool.tick(after: .seconds(200), hearing: [1]).revoked(1).isEmpty)
            let overtaken = held.removeFirst()
            held += pool.finish(1, held.removeFirst()).granted(1)
            held.insert(overtaken, at: 0)
        }
        // Once nothing comes any more it is.
        #expect(pool.tick(after: .seconds(301), hearing: [1]).revoked(1) == [held[0]])
    }

    @Test func `A job that fails because its blocks hang calls each of them back once`() {
        var pool = limit(1)
        pool.join(1, slots: 4)
        pool.submit(1, blocks: 100)
        let held = pool.granted(1)
        #expect(held.count == 8)
        let actions = pool.tick(after: .seconds(301), hearing: [1])
        #expect(actions.failures.count == 1)
        #expect(actions.revoked(1).sorted { $0.block < $1.block } == held)
    }

    @Test func `Whoever is not known has to register, and nothing else happens`() {
        var pool = Pool()
        let attempt = Attempt(1, 0)
        #expect(pool(.heard(9)) == [.registerAgain(9)])
        #expect(pool(.counted(9, grant: 3, holding: 2)) == [.registerAgain(9)])
        #expect(pool(.progressed(9, attempt, fraction: 0.5)) == [.registerAgain(9)])
        #expect(pool(.checkpointed(9, attempt, steps: 1)) == [.registerAgain(9)])
        #expect(pool(.returned(9, attempt)) == [.registerAgain(9)])
        #expect(pool(.failed(9, attempt, reason: "")) == [.registerAgain(9)])
        #expect(pool(.finished(9, attempt)) == [.registerAgain(9), .pass(attempt)])
        #expect(pool(.left(9)).isEmpty)
        #expect(pool(.died(9, reason: "")).isEmpty)
    }
}
