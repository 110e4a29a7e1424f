import PoolCore
import Testing

/// What a worker's words, its silence and its arithmetic count for.
struct BeliefTests {

    // MARK: Silence.

    @Test func `Workers that register and are never heard of again count against no block`() {
        var pool = Pool()
        pool.submit(1, blocks: 4)
        for worker: WorkerID in 1...40 {
            #expect(!pool.join(worker).isEmpty)
            let actions = pool.tick(after: .milliseconds(6_200))
            #expect(actions.forgets(worker) && actions.reported.isEmpty && actions.failures.isEmpty)
        }
        #expect(pool.join(41).map(\.block) == [0, 1])
    }

    @Test func `Silence counts against the block of a worker that has told of its beginning`() {
        var pool = Pool()
        pool.submit(1, blocks: 1)
        var failures: [JobNumber] = []
        for worker: WorkerID in 1...5 {
            let held = pool.join(worker)
            pool(.progressed(worker, held[0], fraction: 0))
            let actions = pool.tick(after: .milliseconds(6_200))
            #expect(actions.reported == held)
            failures += actions.failures.map(\.job)
        }
        #expect(failures == [1])
    }

    @Test func `Silence counts against a block whose worker has brought a result before`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        let held = pool.join(1)
        pool.finish(1, held[0])
        #expect(pool.tick(after: .milliseconds(6_200)).reported == [held[1]])
    }

    @Test func `To tell of a block that was never granted proves nothing`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        pool.join(1)
        pool(.progressed(1, Attempt(1, 7), fraction: 0))
        #expect(pool.tick(after: .milliseconds(6_200)).reported.isEmpty)
    }

    @Test func `A connection that is gone counts as silence does, a process that is known to be dead always`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        let held = pool.join(1)
        #expect(pool(.vanished(1, reason: "gone")).reported.isEmpty)
        #expect(pool.join(2).map(\.block) == held.map(\.block))
        #expect(pool(.died(2, reason: "signal 11")).reported.map(\.block) == [0])
        let again = pool.join(3)
        pool(.progressed(3, again[0], fraction: 0))
        #expect(pool(.vanished(3, reason: "gone")).reported == [again[0]])
    }

    // MARK: Failures of the worker's own.

    @Test func `A lone worker that can't run a block rests, ever longer, and its job waits and tells why`() {
        var pool = Pool()
        pool.submit(1, blocks: 4)
        var held = pool.join(1)
        var tries: [Duration] = []
        for _ in 0..<600 {
            for attempt in held {
                let actions = pool(.unable(1, attempt, reason: "no room for the model"))
                #expect(actions.reported.isEmpty && actions.failures.isEmpty && actions.granted(1).isEmpty)
            }
            if !held.isEmpty { tries.append(pool.now) }
            #expect(pool.scheduler.view(of: 1)?.obstacle?.contains("no room for the model") == true)
            held = pool.tick(after: .milliseconds(500), hearing: [1]).granted(1)
        }
        // After 0, 1, 3, 7, 15, 31, 63, 123, 183 and 243 s, each within a tick.
        #expect(tries.count == 10)
        let pauses = zip(tries, tries.dropFirst()).map { $1 - $0 }
        for (pause, usual) in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]) {
            #expect(.seconds(usual)...(.seconds(usual) + .milliseconds(500)) ~= pause)
        }
    }

    @Test func `What one worker can't run goes to another, and the first takes other jobs meanwhile`() {
        var pool = Pool()
        pool.submit(1, blocks: 4)
        for attempt in pool.join(1) { pool(.unable(1, attempt, reason: "no room")) }
        #expect(pool.join(2).map(\.block) == [0])
        #expect(pool.scheduler.view(of: 1)?.obstacle == nil)
        #expect(pool.submit(2, blocks: 1).granted(1) == [Attempt(2, 0)])
        // Nor is it given what takes long elsewhere.
        pool.finish(1, Attempt(2, 0))
        #expect(pool.tick(after: .milliseconds(900), hearing: [1, 2]).granted(1).isEmpty)
    }

    // MARK: Arithmetics.

    @Test func `A job is not tied to the arithmetic of a worker that was granted a block and brings nothing`() {
        var pool = Pool()
        pool.submit(1, blocks: 10)
        let strange = pool.join(1, group: "b")
        let held = pool.join(2, group: "a")
        #expect(!strange.isEmpty && !held.isEmpty)
        let actions = pool(.finished(2, held[0]))
        #expect(actions.first == .keep(held[0]))
        #expect(actions.revoked(1) == strange)
        #expect(pool(.finished(1, strange[0])) == [.drop(strange[0])])
    }

    @Test func `A job of which a stranger that left did one block begins anew after a minute`() {
        var pool = Pool()
        pool.submit(1, blocks: 4)
        pool.finish(1, pool.join(1, group: "b")[0])
        pool(.left(1))
        pool.join(2, group: "a")
        #expect(!pool.tick(after: .seconds(60), hearing: [2]).contains(.beginAnew(1)))
        #expect(pool.tick(after: .seconds(1), hearing: [2]).contains(.beginAnew(1)))
        #expect(pool.scheduler.view(of: 1) == nil)
        #expect(!pool.submit(1, blocks: 4).granted(2).isEmpty)
    }

    @Test func `Much work is not thrown away, and none while nobody else is there or the right ones come back`() {
        var pool = Pool()
        pool.submit(1, blocks: 20)
        pool.submit(2, blocks: 20)
        pool.submit(3, blocks: 20)
        pool.join(1, slots: 200, group: "b")
        for block in 0..<3 { pool.finish(1, Attempt(1, block)) }
        pool.finish(1, Attempt(2, 0))
        pool(.left(1))
        // Nobody at all: nothing to begin anew with.
        #expect(pool.tick(after: .seconds(200)).isEmpty)
        pool.join(2, group: "a")
        pool.tick(after: .seconds(50), hearing: [2])
        pool.join(3, group: "b")
        pool.tick(after: .seconds(1), hearing: [2, 3])
        pool(.left(3))
        let actions = pool.tick(after: .seconds(59), hearing: [2])
        #expect(!actions.contains(.beginAnew(2)))
        #expect(pool.tick(after: .seconds(3), hearing: [2]).contains(.beginAnew(2)))
        #expect(pool.tick(after: .seconds(500), hearing: [2]).allSatisfy { $0 != .beginAnew(1) })
        #expect(pool.scheduler.view(of: 1)?.missingGroup == "b")
    }
}
