import ContentHash
import CoordinatorCore
import JobFile
import Journal
import Messaging
import PoolCore
import Testing

/// What the core answers who asks why a job is where it is.
struct ExplanationTests {
    private let user: PeerID = [200]

    private func explanation(_ core: CoreUnderTest, of job: Job, chain: Int? = nil) -> Explanation? {
        core.hear(.explain(job: job.identity, chain: chain), from: user)
        if case .explanation(let explanation)? = core.sent(to: user).first { return explanation }
        return nil
    }

    @Test func `A job waits for a worker, for its turn, for urgent ones, or because it is paused`() throws {
        let (core, job, other) = (CoreUnderTest(), try SmallJob.job(), try SmallJob.job(chains: 400))
        _ = try #require(core.run(other))
        #expect(try #require(explanation(core, of: other)).status.notice.contains("there is no worker"))
        core.join([1])
        let running = try #require(explanation(core, of: other))
        #expect(running.status.notice.isEmpty)
        #expect(
            running.workers.map(\.blocksHeld).reduce(0, +) > 0 && running.workers.map(\.host) == [CoreUnderTest.host])
        _ = try #require(core.run(job))
        #expect(try #require(explanation(core, of: job)).status.notice.contains("its turn"))
        core.hear(.control(job: other.identity, .priority(1)), from: user)
        #expect(try #require(explanation(core, of: job)).status.notice.contains("rrr-coordinator prioritize"))
        core.hear(.control(job: job.identity, .pause), from: user)
        #expect(try #require(explanation(core, of: job)).status.notice.contains("rrr-coordinator resume"))
    }

    @Test func `Of a chain is told where its block is, how far, and what became of attempts before`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job(chains: 8))
        core.join([1])
        _ = try #require(core.run(job))
        let first = try #require(core.leases(to: [1]).first?.blocks.first)
        core.hear(.failure(first, text: "it broke"), from: [1])
        let leased = core.leases(to: [1]).flatMap(\.blocks)
        let again = try #require(leased.first { $0.block == first.block })
        core.hear(
            .progress(BlockProgress(attempt: again, stepsDone: 1, stepsTotal: 4, acceptance: 1)), from: [1])
        let block = try #require(explanation(core, of: job, chain: 4 * first.block + 3)?.block)
        #expect(block.block == first.block && block.stage == .held && block.attempts == 2)
        #expect(
            block.told == [
                BlockAttempt(worker: "1", number: 0, fraction: 0, failure: "it broke"),
                BlockAttempt(worker: "1", number: 2, fraction: 0.25, failure: ""),
            ])
        #expect(explanation(core, of: job)?.block == nil)
    }

    @Test func `Who brought a block that is done is asked of the journal`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job(chains: 8))
        core.join([1])
        let number = try #require(core.run(job))
        let attempt = try #require(core.leases(to: [1]).first?.blocks.first)
        core.hear(SmallJob.result(of: job, attempt), from: [1])
        core.hear(.explain(job: job.identity, chain: 4 * attempt.block), from: user)
        guard case .locate(attempt.block, number, let peer)? = core.asked.first else {
            Issue.record("\(core.actions)")
            return
        }
        #expect(peer == user && core.sent(to: user).isEmpty)
        let result = FinishedBlock(attempt: 1, worker: "1", seconds: 1, gradientEvaluations: 1)
        core(.archived(.located(block: attempt.block, of: number, result, for: peer)))
        guard case .explanation(let told)? = core.sent(to: user).first else {
            Issue.record("\(core.actions)")
            return
        }
        #expect(told.block?.stage == .done)
        #expect(told.block?.told == [BlockAttempt(worker: "1", number: 1, fraction: 1, failure: "")])
        #expect(told.workers.map(\.blocksDone) == [1])
    }

    @Test func `A job that is not known and a chain that there is not are refused`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        core.hear(.explain(job: job.identity, chain: nil), from: user)
        #expect(core.sent(to: user).contains { if case .refusal(66, _) = $0 { true } else { false } })
        _ = try #require(core.finish(job))
        core.hear(.explain(job: job.identity, chain: 4), from: user)
        #expect(core.sent(to: user).contains { if case .refusal(64, _) = $0 { true } else { false } })
        let over = try #require(explanation(core, of: job, chain: 3))
        #expect(over.status.state == .finished && over.block == nil && over.workers.map(\.blocksDone) == [1])
    }
}
