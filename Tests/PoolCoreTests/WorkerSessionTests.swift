import PoolCore
import Testing

/// When a worker registers, runs, delivers, stops and leaves.
struct WorkerSessionTests {

    private func attempts(_ blocks: Range<Int>, job: JobNumber = 1) -> [Attempt] { blocks.map { Attempt(job, $0) } }

    /// A session that was welcomed at time 0.
    private func welcomed(slots: Int, once: Bool = false) -> WorkerSession {
        var session = WorkerSession(slots: slots, once: once, at: .zero)
        #expect(session.handle(.ticked, at: .zero) == [.register(1, holding: [])])
        #expect(session.handle(welcome(1), at: .zero).isEmpty)
        return session
    }

    private func welcome(_ number: UInt32) -> WorkerSession.Event {
        .welcomed(registration: number, heartbeat: .seconds(1), silence: .seconds(6))
    }

    private func heartbeat(_ grant: UInt64, _ holding: Int) -> WorkerSession.Action {
        .sendHeartbeat(grant: grant, holding: holding)
    }

    // MARK: Registration.

    @Test func `A new session registers again and again, ever more rarely, until it is welcomed`() {
        var session = WorkerSession(slots: 1, at: .zero)
        var times: [Int] = []
        for tenth in 0..<400 {
            let actions = session.handle(.ticked, at: .milliseconds(tenth * 100))
            #expect(actions == [] || actions == [.register(UInt32(times.count + 1), holding: [])])
            if !actions.isEmpty { times.append(tenth / 10) }
        }
        #expect(times == [0, 1, 3, 7, 13, 19, 25, 31, 37])
        #expect(session.handle(welcome(9), at: .seconds(40)).isEmpty)
        #expect(session.handle(.ticked, at: .seconds(40)) == [heartbeat(0, 0)])
    }

    @Test func `The answer to an earlier registration is none, however late it comes`() {
        var session = WorkerSession(slots: 1, at: .zero)
        for time in [0, 1, 3] { _ = session.handle(.ticked, at: .seconds(time)) }
        _ = session.handle(welcome(2), at: .seconds(4))
        #expect(session.handle(.leased(grant: 1, attempts(0..<1)), at: .seconds(4)).isEmpty)
        _ = session.handle(welcome(3), at: .seconds(5))
        #expect(
            session.handle(.leased(grant: 1, attempts(0..<1)), at: .seconds(5)) == [
                .announce(Attempt(1, 0)), .start(Attempt(1, 0)),
            ])
    }

    @Test func `A worker whose coordinator falls silent goes on with its blocks and tells what it holds`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<3)), at: .zero)
        #expect(session.handle(.ticked, at: .seconds(6)) == [heartbeat(1, 3)])
        #expect(session.handle(.ticked, at: .seconds(7)) == [.register(2, holding: attempts(0..<3))])
        // It delivers what is ready, keeps it, and runs the next.
        #expect(
            session.handle(.ended(Attempt(1, 0), hasResult: true), at: .seconds(7))
                == [.deliver(Attempt(1, 0)), .start(Attempt(1, 1))])
        #expect(
            session.handle(.ticked, at: .seconds(8))
                == [.register(3, holding: [Attempt(1, 1), Attempt(1, 2), Attempt(1, 0)])])
        #expect(session.handle(welcome(3), at: .seconds(9)) == [.announce(Attempt(1, 1)), .deliver(Attempt(1, 0))])
    }

    @Test func `A worker that is not known registers at once, and once for all messages that say so`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<2)), at: .zero)
        #expect(
            session.handle(.registrationWanted, at: .milliseconds(10)) == [.register(2, holding: attempts(0..<2))])
        for _ in 0..<10 { #expect(session.handle(.registrationWanted, at: .milliseconds(20)).isEmpty) }
        #expect(session.handle(.ticked, at: .milliseconds(1_000)).isEmpty)
        #expect(session.handle(.ticked, at: .milliseconds(1_010)) == [.register(3, holding: attempts(0..<2))])
    }

    @Test func `Any word from the coordinator ends its silence`() {
        var session = welcomed(slots: 1)
        for second in 1...30 {
            _ = session.handle(.heard, at: .seconds(second * 5))
            #expect(session.handle(.ticked, at: .seconds(second * 5 + 4)) == [heartbeat(0, 0)])
        }
    }

    // MARK: Heartbeats and grants.

    @Test func `A heartbeat tells the last grant and what is here, every interval`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<3)), at: .zero)
        #expect(session.handle(.ticked, at: .milliseconds(999)).isEmpty)
        #expect(session.handle(.ticked, at: .seconds(1)) == [heartbeat(1, 3)])
        #expect(session.handle(.ticked, at: .milliseconds(1_999)).isEmpty)
        _ = session.handle(.ended(Attempt(1, 0), hasResult: true), at: .seconds(2))
        #expect(session.handle(.ticked, at: .seconds(2)) == [heartbeat(1, 2)])
    }

    @Test func `A grant that was missed makes the worker register; one that comes twice does nothing`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<1)), at: .zero)
        #expect(session.handle(.leased(grant: 1, attempts(0..<1)), at: .zero).isEmpty)
        #expect(
            session.handle(.leased(grant: 3, attempts(2..<3)), at: .zero) == [.register(2, holding: attempts(0..<1))])
        #expect(session.holding == attempts(0..<1))
    }

    // MARK: Slots.

    @Test func `Blocks beyond the slots wait, and each end starts the next`() {
        var session = welcomed(slots: 2)
        let blocks = attempts(0..<4)
        #expect(
            session.handle(.leased(grant: 1, blocks), at: .zero)
                == [.announce(blocks[0]), .start(blocks[0]), .start(blocks[1])])
        #expect(session.handle(.ended(blocks[1], hasResult: false), at: .zero) == [.start(blocks[2])])
        #expect(session.handle(.ended(blocks[0], hasResult: false), at: .zero) == [.start(blocks[3])])
        #expect(session.handle(.ended(blocks[2], hasResult: false), at: .zero).isEmpty)
    }

    @Test func `What runs is held first, then what waits, then results`() {
        var session = welcomed(slots: 2)
        _ = session.handle(.leased(grant: 1, attempts(0..<4)), at: .zero)
        _ = session.handle(.ended(Attempt(1, 0), hasResult: true), at: .zero)
        #expect(session.holding.map(\.block) == [1, 2, 3, 0])
    }

    @Test func `Revoking drops what waits and abandons what runs, which is no longer held`() {
        var session = welcomed(slots: 2)
        let (blocks, other) = (attempts(0..<5), attempts(1..<2, job: 2))
        _ = session.handle(.leased(grant: 1, blocks + other), at: .zero)
        #expect(session.handle(.revoked(job: 1, blocks: [1, 2, 3]), at: .zero) == [.abandon(blocks[1])])
        #expect(session.holding == [blocks[0], blocks[4], other[0]])
        #expect(session.handle(.ticked, at: .seconds(1)) == [heartbeat(1, 3)])
        // The slot is free only when the block has ended.
        #expect(session.handle(.ended(blocks[1], hasResult: false), at: .seconds(1)) == [.start(blocks[4])])
        #expect(session.handle(.ended(blocks[0], hasResult: false), at: .seconds(1)) == [.start(other[0])])
    }

    @Test func `Revoking no blocks by number revokes the whole job`() {
        var session = welcomed(slots: 2)
        let (blocks, other) = (attempts(0..<5), attempts(0..<1, job: 2))
        _ = session.handle(.leased(grant: 1, blocks + other), at: .zero)
        #expect(
            session.handle(.revoked(job: 1, blocks: []), at: .zero) == [.abandon(blocks[0]), .abandon(blocks[1])])
        #expect(session.handle(.ended(blocks[0], hasResult: false), at: .zero) == [.start(other[0])])
    }

    @Test func `Recalling gives back what waits and hands back what runs`() {
        var session = welcomed(slots: 1)
        let (blocks, other) = (attempts(0..<3), attempts(0..<1, job: 2))
        _ = session.handle(.leased(grant: 1, blocks + other), at: .zero)
        #expect(
            session.handle(.recalled(job: 1, blocks: [0, 2]), at: .zero) == [
                .giveBack(blocks[2]), .handBack(blocks[0]),
            ])
        // It is held until it has been handed back.
        #expect(session.holding == [blocks[0], blocks[1], other[0]])
        #expect(session.handle(.ended(blocks[0], hasResult: false), at: .zero) == [.start(blocks[1])])
    }

    // MARK: Results.

    @Test func `A result is kept until it is taken`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<1)), at: .zero)
        #expect(session.handle(.ended(Attempt(1, 0), hasResult: true), at: .zero) == [.deliver(Attempt(1, 0))])
        _ = session.handle(.revoked(job: 1, blocks: []), at: .zero)
        #expect(session.holding == [Attempt(1, 0)])
        #expect(session.handle(.taken(job: 1, blocks: [3]), at: .zero).isEmpty)
        #expect(session.handle(.taken(job: 2, blocks: [0]), at: .zero).isEmpty)
        #expect(session.handle(.taken(job: 1, blocks: [0]), at: .zero) == [.release(Attempt(1, 0))])
        #expect(session.handle(.taken(job: 1, blocks: [0]), at: .zero).isEmpty)
        #expect(session.holding.isEmpty)
    }

    @Test func `A result that nobody confirms is offered again after half a minute`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<1)), at: .zero)
        _ = session.handle(.ended(Attempt(1, 0), hasResult: true), at: .zero)
        var times: [Int] = []
        for second in 1...70 {
            _ = session.handle(.heard, at: .seconds(second))
            if session.handle(.ticked, at: .seconds(second)).contains(.deliver(Attempt(1, 0))) { times.append(second) }
        }
        #expect(times == [31, 62])
    }

    // MARK: Stopping.

    @Test(arguments: [WorkerSession.Event.stopped, .drained])
    func `A worker that is to stop hands back what runs, then leaves, and starts nothing more`(
        event: WorkerSession.Event
    ) {
        var session = welcomed(slots: 2)
        let blocks = attempts(0..<4)
        _ = session.handle(.leased(grant: 1, blocks), at: .zero)
        #expect(session.handle(event, at: .seconds(1)) == [.handBack(blocks[0]), .handBack(blocks[1])])
        #expect(session.handle(event, at: .seconds(1)).isEmpty)
        #expect(session.handle(.leased(grant: 2, attempts(7..<9)), at: .seconds(1)).isEmpty)
        #expect(session.handle(.registrationWanted, at: .seconds(1)).isEmpty)
        #expect(session.handle(.ended(blocks[0], hasResult: false), at: .seconds(1)).isEmpty)
        // One that is done just then still counts.
        #expect(session.handle(.ended(blocks[1], hasResult: true), at: .seconds(2)) == [.deliver(blocks[1]), .leave])
        #expect(session.handle(.ticked, at: .seconds(30)).isEmpty)
    }

    @Test func `A worker that leaves waits only so long for its blocks`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(grant: 1, attempts(0..<1)), at: .zero)
        _ = session.handle(.stopped, at: .zero)
        #expect(session.handle(.ticked, at: .milliseconds(1_200)).isEmpty)
        #expect(session.handle(.ticked, at: .milliseconds(1_201)) == [.leave])
        #expect(session.handle(.ended(Attempt(1, 0), hasResult: false), at: .seconds(2)).isEmpty)
    }

    @Test
    func `A worker for one round leaves two idle seconds after its results are taken, but not before it had work`() {
        var session = welcomed(slots: 1, once: true)
        for second in 1...5 {
            _ = session.handle(.heard, at: .seconds(second))
            #expect(session.handle(.ticked, at: .seconds(second)) == [heartbeat(0, 0)])
        }
        _ = session.handle(.leased(grant: 1, attempts(0..<1)), at: .seconds(5))
        _ = session.handle(.ended(Attempt(1, 0), hasResult: true), at: .seconds(6))
        #expect(session.handle(.ticked, at: .seconds(10)) == [heartbeat(1, 0)])
        _ = session.handle(.taken(job: 1, blocks: [0]), at: .seconds(10))
        #expect(session.handle(.ticked, at: .milliseconds(10_001)) == [.leave])
    }

    // MARK: Models.

    @Test func `Blocks wait for their job's models while others run, and start when they are there`() {
        var session = welcomed(slots: 2)
        let (held, others) = (attempts(0..<3), attempts(0..<2, job: 2))
        #expect(session.handle(.preparing(job: 1), at: .zero).isEmpty)
        #expect(session.handle(.leased(grant: 1, held), at: .zero).isEmpty)
        #expect(
            session.handle(.leased(grant: 2, others), at: .zero)
                == [.announce(others[0]), .start(others[0]), .start(others[1])])
        #expect(session.jobs == [1, 2])
        #expect(session.handle(.ended(others[0], hasResult: false), at: .zero).isEmpty)
        #expect(session.handle(.prepared(job: 1), at: .zero) == [.start(held[0])])
        #expect(session.handle(.ended(others[1], hasResult: false), at: .zero) == [.start(held[1])])
        #expect(session.jobs == [1])
    }

    @Test func `Waiting blocks of a job that cannot be prepared are refused`() {
        var session = welcomed(slots: 1)
        let blocks = attempts(0..<2)
        _ = session.handle(.preparing(job: 1), at: .zero)
        _ = session.handle(.leased(grant: 1, blocks), at: .zero)
        #expect(session.handle(.unprepared(job: 1), at: .zero) == [.refuse(blocks[0]), .refuse(blocks[1])])
        #expect(session.jobs.isEmpty)
        #expect(session.handle(.unprepared(job: 1), at: .zero).isEmpty)
        #expect(
            session.handle(.leased(grant: 2, attempts(7..<8)), at: .zero) == [
                .announce(Attempt(1, 7)), .start(Attempt(1, 7)),
            ])
    }

    @Test func `Blocks that wait for models are dropped when the worker stops or they are revoked`() {
        for event in [WorkerSession.Event.stopped, .drained, .revoked(job: 1, blocks: [])] {
            var session = welcomed(slots: 1)
            _ = session.handle(.preparing(job: 1), at: .zero)
            _ = session.handle(.leased(grant: 1, attempts(0..<3)), at: .zero)
            _ = session.handle(event, at: .zero)
            #expect(session.handle(.prepared(job: 1), at: .zero).isEmpty)
            #expect(session.jobs.isEmpty)
        }
    }

    @Test func `With once, a worker waits for models as long as it takes`() {
        var session = welcomed(slots: 1, once: true)
        _ = session.handle(.preparing(job: 1), at: .zero)
        _ = session.handle(.leased(grant: 1, attempts(0..<1)), at: .zero)
        for second in 1...60 {
            _ = session.handle(.heard, at: .seconds(second))
            #expect(!session.handle(.ticked, at: .seconds(second)).contains(.leave))
        }
        #expect(session.handle(.unprepared(job: 1), at: .seconds(60)) == [.refuse(Attempt(1, 0))])
        _ = session.handle(.heard, at: .seconds(63))
        #expect(session.handle(.ticked, at: .seconds(63)).contains(.leave))
    }

    @Test(arguments: [false, true])
    func `An attempt that is leased again while it stops begins when it has stopped, unless it came to its end`(
        hasResult: Bool
    ) {
        var session = welcomed(slots: 2)
        let attempt = Attempt(1, 0)
        _ = session.handle(.leased(grant: 1, [attempt]), at: .zero)
        #expect(session.handle(.revoked(job: 1, blocks: []), at: .zero) == [.abandon(attempt)])
        // The job has begun anew, and its attempts count from 1 again.
        #expect(session.handle(.leased(grant: 2, [attempt]), at: .zero).isEmpty)
        #expect(session.holding == [attempt])
        let actions = session.handle(.ended(attempt, hasResult: hasResult), at: .zero)
        #expect(actions == [hasResult ? .deliver(attempt) : .start(attempt)])
        #expect(session.holding == [attempt])
    }
}
