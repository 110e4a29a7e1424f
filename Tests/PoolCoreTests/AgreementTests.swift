import PoolCore
import Testing

/// How scheduler and workers come to agree on what is held, and what is done about blocks that are late.
struct AgreementTests {

    @Test func `What a worker says that it holds is taken over by a coordinator that is new`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        let held = [Attempt(1, 4, 3), Attempt(1, 6)]
        #expect(pool.join(1, slots: 2, holding: held).map(\.block) == [0, 1])
        #expect(pool.actions.revoked(1).isEmpty)
        #expect(pool.running(1) == 4)
        // All others are granted by somebody, none of those twice.
        #expect(pool.join(2, slots: 8).map(\.block).allSatisfy { ![0, 1, 4, 6].contains($0) })
        // The attempts go on from what was taken over.
        pool(.left(1))
        #expect(pool.join(3, slots: 8).contains(Attempt(1, 4, 4)))
    }

    @Test func `What runs elsewhere, is done, or is of a job that is over is not taken over`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10)
        let held = pool.granted(1)
        pool(.finished(1, held[0]))
        pool.join(2, holding: [held[0], held[1], Attempt(9, 0), Attempt(1, 99), Attempt(1, -1)])
        #expect(pool.actions.revoked(2) == [held[0], held[1], Attempt(9, 0), Attempt(1, 99), Attempt(1, -1)])
    }

    @Test func `What a worker no longer holds when it registers again comes back, and counts against nobody`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10)
        let held = pool.granted(1)
        pool.join(1, holding: [held[1]])
        #expect(pool.actions.reported.isEmpty)
        #expect(pool.granted(1) == [Attempt(1, held[0].block, 2)])
    }

    @Test func `Held blocks of a paused job are taken over and called back with what they have come to`() {
        var pool = Pool()
        var progress = JobProgress()
        progress.isPaused = true
        pool.submit(1, blocks: 10, progress)
        let held = [Attempt(1, 0)]
        pool.join(1, holding: held)
        #expect(pool.actions == [.recall(1, held)])
        #expect(pool.running(1) == 1)
    }

    @Test func `The first blocks that a worker holds are those that run`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        pool.join(1, holding: [Attempt(1, 7), Attempt(1, 2)])
        #expect(pool(.died(1, reason: "killed")).reported == [Attempt(1, 7)])
    }

    @Test func `A grant that was lost shows in the counts, but not while it may be on its way`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10)
        let held = pool.granted(1)
        pool.wait(.seconds(2))
        #expect(pool(.counted(1, grant: 0, holding: 0)).isEmpty)
        pool.wait(.seconds(2))
        #expect(pool(.counted(1, grant: 0, holding: 0)) == [.registerAgain(1)])
        #expect(pool(.counted(1, grant: 0, holding: 0)).isEmpty)
        #expect(pool.join(1, holding: []) == held.map { Attempt(1, $0.block, 2) })
    }

    @Test func `A result that was lost shows in the counts although new grants keep coming`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 1_000)
        var held = pool.granted(1)
        let lost = held.removeFirst()
        var (grant, wanted): (UInt64, [Bool]) = (1, [])
        for _ in 0..<100 {
            pool.wait(.milliseconds(100))
            held += pool.finish(1, held.removeFirst()).granted(1)
            for case .grant(_, let number, _) in pool.actions { grant = number }
            wanted.append(pool(.counted(1, grant: grant, holding: held.count)).contains(.registerAgain(1)))
        }
        #expect(wanted.contains(true))
        #expect(wanted.count { $0 } <= 4)
        #expect(pool.scheduler.holds(1, lost))
    }

    @Test func `Counts that agree ask for nothing`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 10)
        for _ in 0..<20 {
            #expect(pool.tick(after: .seconds(1), hearing: [1]).isEmpty)
            #expect(pool(.counted(1, grant: 1, holding: 2)).isEmpty)
        }
    }

    @Test func `A block that waits behind a long one moves to a worker that has nothing to do`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 4)
        let held = pool.granted(1)
        #expect(held.map(\.block) == [0, 1])
        let helped = pool.join(2)
        pool.wait(.seconds(1))
        var rest = pool.finish(2, helped[0]).granted(2)
        while !rest.isEmpty { rest = pool.finish(2, rest[0]).granted(2) + rest.dropFirst() }
        let actions = pool.tick(after: .seconds(1), hearing: [1, 2])
        #expect(actions.revoked(1) == [held[1]])
        #expect(actions.granted(2) == [Attempt(1, 1, 2)])
    }

    @Test func `A block that takes far longer than usual runs a second time elsewhere, and the first result counts`() {
        var pool = Pool()
        pool.join(1)
        pool.submit(1, blocks: 3)
        let slow = pool.granted(1)[0]
        var quick = pool.join(2)
        while !quick.isEmpty {
            pool.tick(after: .seconds(1), hearing: [1, 2])
            quick += pool.actions.granted(2) + pool.finish(2, quick.removeFirst()).granted(2)
        }
        pool.tick(after: .seconds(3), hearing: [1, 2])
        let second = Attempt(1, slow.block, 2)
        #expect(pool.scheduler.holds(1, slow) && pool.scheduler.holds(2, second))
        pool.join(3)
        #expect(pool.tick(after: .seconds(5), hearing: [1, 2, 3]).granted(3).isEmpty)
        let actions = pool.finish(2, second)
        #expect(actions.first == .keep(second))
        #expect(actions.revoked(1) == [slow])
        #expect(actions.contains(.jobFinished(1)))
    }

    @Test func `A block that has taken a worker down is not run at two at once`() {
        var pool = Pool()
        pool.submit(1, blocks: 3)
        pool.join(1)
        pool(.died(1, reason: "killed"))
        let slow = pool.join(1)[0]
        #expect(slow == Attempt(1, 0, 2))
        var quick = pool.join(2)
        while !quick.isEmpty {
            pool.tick(after: .seconds(1), hearing: [1, 2])
            quick += pool.actions.granted(2) + pool.finish(2, quick.removeFirst()).granted(2)
        }
        #expect(pool.tick(after: .seconds(10), hearing: [1, 2]).granted(2).isEmpty)
        #expect(pool.scheduler.holds(1, slow))
    }
}
