import ContentHash
import CoordinatorCore
import JobFile
import Journal
import Logging
import Messaging
import PoolCore
import Testing

/// What the core makes of what submitters say.
struct JobEventTests {
    private let worker: PeerID = [1]
    private let user: PeerID = [200]

    @Test func `A job is accepted when it is noted, not before`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        let number = try #require(core.submit(job))
        #expect(!core.sent(to: user).contains(.accepted(job: job.identity, alreadyFinished: false)))
        core(.archived(.opened(number, nil)))
        #expect(core.sent(to: user).contains(.accepted(job: job.identity, alreadyFinished: false)))
    }

    @Test func `With a full disk nothing new is taken on, and what runs is told why it waits`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        _ = try #require(core.run(job))
        core(.archived(.full(reason: "no room")))
        core.hear(
            .submit(jobText: Array(try SmallJob.job(chains: 8).canonicalText.utf8), force: false, watch: false),
            from: user)
        guard case .refusal(75, let text)? = core.sent(to: user).first else {
            Issue.record("\(core.actions)")
            return
        }
        #expect(text.contains("no room"))
        core.hear(.statusRequest(job: nil), from: user)
        guard case .poolStatus(let status)? = core.sent(to: user).first else {
            Issue.record("\(core.actions)")
            return
        }
        #expect(status.jobs.map { $0.notice.contains("no room") } == [true])
    }

    @Test func `A cancelled job's last results are not confirmed to a worker that runs it again`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job(chains: 8))
        core.join(worker)
        let number = try #require(core.run(job))
        let attempt = try #require(core.leases(to: worker).first?.blocks.first)
        core.hear(SmallJob.result(of: job, attempt), from: worker)
        core(.archived(.stored(Attempt(job: number, block: attempt.block, number: 1), 1, Acceptance())))
        core.hear(.cancel(job: job.identity), from: user)
        let again = try #require(core.run(job))
        #expect(again == number)
        #expect(!core.leases(to: worker).isEmpty)
        core.wait(.seconds(1))
        #expect(!core.sent(to: worker).contains { if case .taken = $0 { true } else { false } })
    }

    @Test func `That a pilot pauses with the job that waits for it is not noted`() throws {
        let core = CoreUnderTest()
        let job = try SmallJob.job(steps: #"{"target_acceptance": 0.57, "pilots": 2}"#)
        _ = try #require(core.run(job))
        let pilot = try #require(job.preliminary?.job.identity)
        core(.inspected(pilot, .nothing()))
        guard case .open(let number, _, _, _, _)? = core.asked.first else {
            Issue.record("\(core.actions)")
            return
        }
        core(.archived(.opened(number, nil)))
        core.hear(.control(job: job.identity, .pause), from: user)
        let paused = core.asked.compactMap { request -> JobNumber? in
            if case .note(.paused(let job, true), _) = request { job } else { nil }
        }
        #expect(paused.count == 1 && paused != [number])
        core.hear(.statusRequest(job: nil), from: user)
        guard case .poolStatus(let status)? = core.sent(to: user).first else { return }
        #expect(status.jobs.map(\.state) == [.paused, .paused])
    }

    @Test func `A finished job whose files are damaged runs again for who asks for it`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        let text = Array(job.canonicalText.utf8)
        let submission = HandedIn(text: text, force: false, watch: true, peer: user)
        core(.lookedUp(job.identity, hasRun: true, .submission(submission)))
        #expect(core.actions.contains { if case .inspect(job.identity) = $0 { true } else { false } })
        core(.inspected(job.identity, .nothing(damage: "a bit")))
        #expect(core.actions.contains { if case .receive(.read) = $0 { true } else { false } })
        #expect(core.actions.contains { if case .log(.error, let line) = $0 { line.contains("a bit") } else { false } })
    }
}
