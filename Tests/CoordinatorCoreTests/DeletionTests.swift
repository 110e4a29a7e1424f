import ContentHash
import CoordinatorCore
import JobFile
import Journal
import Messaging
import PoolCore
import Testing

/// How jobs that are over go.
struct DeletionTests {
    private let user: PeerID = [200]

    /// The jobs whose deletion the archive is asked for since the last event.
    private func deleted(_ core: CoreUnderTest) -> [JobNumber] {
        core.asked.compactMap { if case .delete(let job, _, _) = $0 { job } else { nil } }
    }

    private func refusal(_ core: CoreUnderTest) -> (status: Int32, text: String)? {
        if case .refusal(let status, let text)? = core.sent(to: user).first { (status, text) } else { nil }
    }

    private func states(_ core: CoreUnderTest) -> [JobStatus.State]? {
        core.hear(.statusRequest(job: nil), from: user)
        if case .poolStatus(let pool)? = core.sent(to: user).first { return pool.jobs.map(\.state) }
        return nil
    }

    @Test func `A finished job goes with its files, and whoever wanted that hears when it is noted`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        let number = try #require(core.finish(job))
        core.hear(.delete(job: job.identity), from: user)
        #expect(core.actions.contains { if case .removeSummary(job.identity) = $0 { true } else { false } })
        guard case .delete(number, let folder, let receipt?)? = core.asked.first else {
            Issue.record("\(core.actions)")
            return
        }
        #expect(folder.hasSuffix(job.identity.hex))
        #expect(core.sent(to: user).isEmpty)
        core(.archived(.noted(receipt)))
        guard case .poolStatus(let pool)? = core.sent(to: user).first else {
            Issue.record("\(core.actions)")
            return
        }
        #expect(pool.jobs.isEmpty)
        #expect(states(core) == [])
        // It is a new job for who hands it in now.
        #expect(core.submit(job) == number + 1)
    }

    @Test func `A job that is not over stays, and the refusal says how to end it`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        _ = try #require(core.run(job))
        core.hear(.delete(job: job.identity), from: user)
        let refused = try #require(refusal(core))
        #expect(refused.status == 75 && refused.text.contains("rrr-coordinator cancel \(job.identity.hex.prefix(8))"))
        #expect(states(core) == [.queued])
        core.hear(.cancel(job: job.identity), from: user)
        core.hear(.delete(job: job.identity), from: user)
        #expect(deleted(core).count == 1)
    }

    @Test func `What is not known can't be deleted, nor what somebody looks at just now`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        core.hear(.delete(job: job.identity), from: user)
        #expect(try #require(refusal(core)).status == 66)
        _ = try #require(core.finish(job))
        let submission = HandedIn(text: Array(job.canonicalText.utf8), force: false, watch: true, peer: [201])
        core(.lookedUp(job.identity, hasRun: true, .submission(submission)))
        core.hear(.delete(job: job.identity), from: user)
        #expect(try #require(refusal(core)).status == 75)
        #expect(states(core) == [.finished])
    }

    @Test func `Jobs go when they are over for longer than they are kept, and no others`() throws {
        let core = CoreUnderTest(keptFor: .seconds(60))
        core.wait(.seconds(100))
        let (old, running) = (try SmallJob.job(), try SmallJob.job(chains: 8))
        let number = try #require(core.finish(old))
        _ = try #require(core.run(running))
        core.wait(.seconds(59))
        #expect(deleted(core).isEmpty)
        core.wait(.seconds(2))
        #expect(deleted(core) == [number])
        core.wait(.seconds(600))
        #expect(deleted(core).isEmpty)
        #expect(states(core)?.count == 1)
    }

    @Test func `A job whose files are being brought stays until nobody has asked for more of them for a minute`() throws
    {
        let core = CoreUnderTest(keptFor: .seconds(1))
        let job = try SmallJob.job()
        let number = try #require(core.finish(job))
        for _ in 0..<5 {
            core.hear(.fetch(job: job.identity, file: "samples.npy", offset: 0, length: 1), from: user)
            core.wait(.seconds(50))
            #expect(deleted(core).isEmpty)
        }
        core.wait(.seconds(15))
        #expect(deleted(core) == [number])
    }

    @Test func `Jobs of an earlier life go by their time too; what is set apart goes when it is asked for`() throws {
        let core = CoreUnderTest(keptFor: .seconds(60))
        let (old, broken) = (try SmallJob.job(), try SmallJob.job(chains: 8))
        var finished = RecoveredJob(
            record: JobRecord(number: 1, hash: old.identity, text: Array(old.canonicalText.utf8), submittedAt: -50))
        (finished.outcome, finished.secondsElapsed) = (.finished, 20)
        let damaged = RecoveredJob(
            record: JobRecord(number: 2, hash: broken.identity, text: [1, 2, 3], submittedAt: -5_000))
        core(.began([PastJob(finished), PastJob(damaged)], lastJob: 2, complete: []))
        core.wait(.seconds(29))
        #expect(deleted(core).isEmpty)
        core.wait(.seconds(2))
        #expect(deleted(core) == [1])
        #expect(states(core) == [.failed])
        core.hear(.delete(job: broken.identity), from: user)
        #expect(deleted(core) == [2])
    }
}
