import ContentHash
import CoordinatorCore
import JobFile
import Journal
import Messaging
import PoolCore
import Testing

/// What the core makes of what workers say, and of what cannot be said to them.
struct WorkerEventTests {
    private let worker: PeerID = [1]

    /// What the journal has of a job whose only block has got three steps far.
    private func begun(_ job: Job, _ number: JobNumber) -> RecoveredJob {
        var stored = RecoveredJob(
            record: JobRecord(number: number, hash: job.identity, text: [], submittedAt: 0))
        stored.checkpoints = [0: CheckpointMark(attempt: 1, stepsDone: 3)]
        return stored
    }

    @Test func `Who is not known is to register, and is welcomed then`() throws {
        let core = CoreUnderTest()
        core.hear(.heartbeat(), from: worker)
        guard case .registerAgain? = core.sent(to: worker).first else {
            Issue.record("\(core.actions)")
            return
        }
        core.join(worker)
        guard case .welcome(1, _, _, _)? = core.sent(to: worker).first else {
            Issue.record("\(core.actions)")
            return
        }
    }

    @Test func `A result is kept once, and confirmed when it is stored, not before`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        core.join(worker)
        let number = try #require(core.run(job))
        let attempt = try #require(core.leases(to: worker).first?.blocks.first)
        core.hear(SmallJob.result(of: job, attempt), from: worker)
        #expect(core.asked.contains { if case .result = $0 { true } else { false } })
        #expect(!core.sent(to: worker).contains(.taken(job: job.identity, blocks: [0])))
        core.hear(SmallJob.result(of: job, attempt), from: worker)
        #expect(!core.asked.contains { if case .result = $0 { true } else { false } })
        core(.archived(.stored(Attempt(job: number, block: 0, number: 1), 1, Acceptance())))
        #expect(core.asked.contains { if case .finish = $0 { true } else { false } })
        core.wait(.seconds(1))
        #expect(core.sent(to: worker).contains(.taken(job: job.identity, blocks: [0])))
    }

    @Test func `What a worker holds of a job that is about to go on is not called back`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        let number = try #require(core.submit(job))
        let attempt = AttemptID(job: job.identity, block: 0, attempt: 1)
        core.join(worker, holding: [attempt])
        // It asks again, and the job has been opened meanwhile.
        #expect(core.sent(to: worker).isEmpty)
        core(.archived(.opened(number, begun(job, number))))
        core.join(worker, holding: [attempt])
        #expect(core.sent(to: worker).contains { if case .welcome = $0 { true } else { false } })
        #expect(!core.sent(to: worker).contains { if case .revoke = $0 { true } else { false } })
    }

    @Test func `A block that waits for its state is not sent after a pause`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        core.join(worker)
        let number = try #require(core.submit(job))
        core(.archived(.opened(number, begun(job, number))))
        core.wait(.milliseconds(1))
        guard case .load(let attempt, let id, _)? = core.asked.first else {
            Issue.record("\(core.actions)")
            return
        }
        core.hear(.control(job: job.identity, .pause), from: [200])
        // It has nothing that it could hand back.
        #expect(!core.sent(to: worker).contains { if case .revoke = $0 { true } else { false } })
        core(.archived(.loaded(attempt, id, StatePiece(stepsDone: 3, offset: 0, data: [1], isLast: true))))
        #expect(core.leases(to: worker).isEmpty)
        core.hear(.control(job: job.identity, .resume), from: [200])
        core.wait(.milliseconds(1))
        core(
            .archived(
                .loaded(
                    Attempt(job: number, block: 0, number: 2), id,
                    StatePiece(stepsDone: 3, offset: 0, data: [1], isLast: true))))
        #expect(core.leases(to: worker).map(\.checkpoints) == [[0: [1]]])
    }

    @Test func `A block that could not be sent to a worker that is gone counts against nobody`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        core.join(worker)
        _ = try #require(core.run(job))
        let lease = try #require(core.leases(to: worker).first)
        core(.undelivered(.lease(lease), to: worker, isGone: true))
        #expect(!core.asked.contains { if case .note(.report, _) = $0 { true } else { false } })
        // What it said before its end is heard for a while; then it has vanished.
        core.wait(.milliseconds(500))
        core.hear(.heartbeat(), from: worker)
        #expect(!core.sent(to: worker).contains { if case .registerAgain = $0 { true } else { false } })
        core.wait(.milliseconds(600))
        core.hear(.heartbeat(), from: worker)
        #expect(core.sent(to: worker).contains { if case .registerAgain = $0 { true } else { false } })
        #expect(!core.asked.contains { if case .note(.report, _) = $0 { true } else { false } })
    }

    @Test func `States on their way have a limit together, but one alone may be longer`() throws {
        let (core, job) = (CoreUnderTest(unfinishedStates: 5), try SmallJob.job(chains: 8))
        for peer in [worker, [2]] as [PeerID] { core.join(peer) }
        _ = try #require(core.run(job))
        let held = [worker, [2]].compactMap { core.leases(to: $0).first?.blocks.first }
        #expect(held.count == 2)
        func send(_ place: Int, from peer: PeerID) -> Bool {
            let state = BlockState(attempt: held[Int(peer[0]) - 1], stepsDone: 1, state: [1, 2, 3, 4, 5, 6, 7, 8, 9])
            core.hear(.checkpoint(state.pieces(from: 0, atMost: 3)[place]), from: peer)
            return core.asked.contains {
                switch $0 {
                case .piece, .checkpoint: true
                default: false
                }
            }
        }
        #expect([0, 1].allSatisfy { send($0, from: worker) })
        // There is no room for a second one beside the first.
        #expect(!send(0, from: [2]))
        #expect(send(2, from: worker))
        #expect([0, 1, 2].allSatisfy { send($0, from: [2]) })
    }

    @Test func `A message of another version, or too long a one, is answered with what is wrong`() {
        let core = CoreUnderTest()
        for (code, status) in [(MessagingError.Code.version(9), 75), (.tooLong, 65)] as [(MessagingError.Code, Int32)] {
            core(.message(.failure(MessagingError(code: code, message: "nonsense")), from: [9], over: nil))
            guard case .refusal(status, let text)? = core.sent(to: [9]).first else {
                Issue.record("\(core.actions)")
                continue
            }
            #expect(text.contains("nonsense"))
        }
    }
}
