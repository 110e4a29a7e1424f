import PoolCore
import Testing

/// Results that are computed once more by somebody else, and parties that have brought wrong ones.
struct VerificationTests {

    /// A job of so many blocks, of which a worker of party "a" has finished the first, which is to be verified.
    private func checked(blocks: Int = 1, party: String = "a") -> Pool {
        var pool = Pool()
        pool.join(1, party: party)
        pool.submit(1, blocks: blocks)
        pool(.finished(1, Attempt(1, 0)))
        pool(.verify(Attempt(1, 0), besides: [party.isEmpty ? "1" : party]))
        pool(.stored(1, block: 0))
        return pool
    }

    @Test func `A result that is to be verified is computed once more by another party, and only then the job ends`() {
        var pool = Pool()
        pool.join(1, party: "a")
        pool.submit(1, blocks: 1)
        #expect(pool(.finished(1, Attempt(1, 0))) == [.keep(Attempt(1, 0))])
        #expect(pool(.verify(Attempt(1, 0), besides: ["a"])).isEmpty)
        #expect(pool(.stored(1, block: 0)).isEmpty)
        // Another worker of the same party is no other party.
        #expect(pool.join(2, party: "a").isEmpty)
        #expect(pool.scheduler.view(of: 1)?.obstacle?.contains("another key") == true)
        #expect(pool.join(3, party: "b") == [Attempt(1, 0, 2)])
        #expect(pool.running(1) == 1)
        #expect(pool(.finished(3, Attempt(1, 0, 2))) == [.compare(Attempt(1, 0, 2))])
        #expect(pool.running(1) == 0)
        #expect(pool(.verified(1, block: 0)) == [.jobFinished(1)])
    }

    @Test func `Without a key of its own each worker is a party`() {
        var pool = checked(party: "")
        #expect(pool.join(2) == [Attempt(1, 0, 2)])
    }

    @Test func `A result that differs goes on to a third party`() {
        var pool = checked()
        pool.join(2, party: "b")
        pool(.finished(2, Attempt(1, 0, 2)))
        #expect(pool(.verify(Attempt(1, 0, 2), besides: ["a", "b"])).isEmpty)
        #expect(pool.join(3, party: "c") == [Attempt(1, 0, 3)])
    }

    @Test func `A verifying run that is lost, comes back or fails is begun again elsewhere`() {
        var pool = checked()
        pool.join(2, party: "b")
        pool(.died(2, reason: "killed"))
        #expect(pool.join(3, party: "c") == [Attempt(1, 0, 3)])
        pool(.failed(3, Attempt(1, 0, 3), reason: "broken"))
        #expect(pool.granted(3) == [Attempt(1, 0, 4)])
        pool(.returned(3, Attempt(1, 0, 4)))
        #expect(pool.granted(3) == [Attempt(1, 0, 5)])
    }

    @Test func `A result that nobody else can compute ends its job as failed`() {
        var pool = checked()
        for worker: WorkerID in 2...6 {
            #expect(pool.join(worker, party: "party \(worker)") == [Attempt(1, 0, Int(worker))])
            pool(.died(worker, reason: "killed"))
        }
        #expect(pool.actions.failures.map(\.job) == [1])
    }

    @Test func `A verifying run is not run a second time however long it takes, and its states are not kept`() {
        var pool = checked(blocks: 2)
        pool.finish(1, Attempt(1, 1))
        pool.join(2, party: "b")
        pool.join(3, party: "c")
        #expect(pool(.checkpointed(2, Attempt(1, 0, 2), steps: 3)).isEmpty)
        #expect(pool.tick(after: .seconds(60), hearing: [1, 2, 3]).isEmpty)
    }

    @Test func `A verifying run takes the place of a result that is thrown away meanwhile`() {
        var pool = checked()
        pool.join(2, party: "b")
        pool(.lost(1, blocks: [0]))
        #expect(pool.running(1) == 1)
        #expect(pool(.finished(2, Attempt(1, 0, 2))) == [.keep(Attempt(1, 0, 2))])
        #expect(pool(.stored(1, block: 0)) == [.jobFinished(1)])
    }

    @Test func `Who brings wrong results gets no more work, and what it still brings counts for nothing`() {
        var pool = checked(blocks: 20)
        let held = pool.scheduler.view(of: 1, at: pool.now)?.running
        #expect(held ?? 0 > 0)
        let actions = pool(.distrusted(party: "a", reason: "it lies"))
        #expect(actions.dismisses(1))
        #expect(pool(.finished(1, Attempt(1, 1))) == [.drop(Attempt(1, 1))])
        #expect(pool(.checkpointed(1, Attempt(1, 2), steps: 3)).isEmpty)
        // Nor does another worker of that party.
        #expect(pool.join(2, party: "a").isEmpty)
        #expect(pool.actions.dismisses(2))
        #expect(!pool.join(3, party: "b").isEmpty)
    }

    @Test func `What is to be verified is known after a restart`() {
        var pool = Pool()
        var progress = JobProgress()
        progress.stored = BlockSet([0, 1])
        progress.checks = [1: PendingCheck(parties: ["a"], attempts: 3)]
        pool.submit(1, blocks: 2, progress)
        #expect(pool.join(1, party: "a").isEmpty)
        #expect(pool.join(2, party: "b") == [Attempt(1, 1, 4)])
    }
}
