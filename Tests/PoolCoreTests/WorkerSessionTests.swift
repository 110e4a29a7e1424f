import PoolCore
import Testing

/// When a worker registers, runs, stops and leaves.
struct WorkerSessionTests {
    private typealias Key = WorkerSession.BlockKey

    private func keys(_ blocks: Range<Int>, job: String = "a") -> [Key] {
        blocks.map { Key(job: job, block: $0, attempt: 1) }
    }

    /// A session that has been welcomed at time 0.
    private func welcomed(slots: Int, once: Bool = false) -> WorkerSession {
        var session = WorkerSession(slots: slots, once: once, at: .zero)
        #expect(session.handle(.welcomed(heartbeat: .seconds(1), silence: .seconds(6)), at: .zero).isEmpty)
        return session
    }

    @Test func `A new session registers again and again until it is welcomed`() {
        var session = WorkerSession(slots: 1, at: .zero)
        for second in 1...20 {
            #expect(session.handle(.ticked, at: .seconds(second)) == [.register])
            #expect(session.handle(.ticked, at: .milliseconds(second * 1000 + 500)).isEmpty)
        }
        #expect(session.handle(.welcomed(heartbeat: .seconds(2), silence: .seconds(9)), at: .seconds(20)).isEmpty)
        #expect(session.handle(.ticked, at: .seconds(21)).isEmpty)
        #expect(session.handle(.ticked, at: .seconds(22)) == [.sendHeartbeat])
    }

    @Test func `A worker that reports progress without end asks for signs of life and keeps its long block`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.leased(keys(0..<1)), at: .zero)
        var asked = 0
        for tenth in 1...600 {
            let now = Duration.milliseconds(tenth * 100)
            _ = session.handle(.sent, at: now)
            let actions = session.handle(.ticked, at: now)
            // The coordinator answers heartbeats, and nothing else.
            if actions == [.sendHeartbeat] {
                asked += 1
                #expect(session.handle(.heard, at: now + .milliseconds(1)).isEmpty)
            } else {
                #expect(actions.isEmpty)
            }
        }
        #expect(asked >= 50)
    }

    @Test func `A heartbeat is sent only when nothing else was`() {
        var session = welcomed(slots: 1)
        for half in 1...8 {
            _ = session.handle(.sent, at: .milliseconds(half * 500))
            _ = session.handle(.heard, at: .milliseconds(half * 500))
            #expect(session.handle(.ticked, at: .milliseconds(half * 500 + 499)).isEmpty)
        }
        #expect(session.handle(.ticked, at: .seconds(5)) == [.sendHeartbeat])
        #expect(session.handle(.ticked, at: .milliseconds(5999)).isEmpty)
    }

    @Test func `Blocks beyond the slots wait, and each end starts the next`() {
        var session = welcomed(slots: 2)
        let blocks = keys(0..<4)
        #expect(session.handle(.leased(blocks), at: .zero) == [.start(blocks[0]), .start(blocks[1])])
        #expect(session.handle(.ended(blocks[1]), at: .zero) == [.start(blocks[2])])
        #expect(session.handle(.ended(blocks[0]), at: .zero) == [.start(blocks[3])])
        #expect(session.handle(.ended(blocks[2]), at: .zero).isEmpty)
    }

    @Test func `Revoking drops what waits and abandons what runs`() {
        var session = welcomed(slots: 2)
        let blocks = keys(0..<5)
        let other = keys(1..<2, job: "b")
        _ = session.handle(.leased(blocks + other), at: .zero)
        #expect(session.handle(.revoked(job: "a", blocks: [1, 2, 3]), at: .zero) == [.abandon(blocks[1])])
        // The slot is free only when the block has ended.
        #expect(session.handle(.ended(blocks[1]), at: .zero) == [.start(blocks[4])])
        #expect(session.handle(.ended(blocks[0]), at: .zero) == [.start(other[0])])
    }

    @Test func `Revoking no blocks by number revokes the whole job`() {
        var session = welcomed(slots: 2)
        let blocks = keys(0..<5)
        let other = keys(0..<1, job: "b")
        _ = session.handle(.leased(blocks + other), at: .zero)
        let actions = session.handle(.revoked(job: "a", blocks: []), at: .zero)
        #expect(actions == [.abandon(blocks[0]), .abandon(blocks[1])])
        #expect(session.handle(.ended(blocks[0]), at: .zero) == [.start(other[0])])
    }

    @Test func `A coordinator that falls silent takes its leases with it, and the worker registers again`() {
        var session = welcomed(slots: 1)
        let blocks = keys(0..<3)
        _ = session.handle(.leased(blocks), at: .zero)
        #expect(session.handle(.ticked, at: .seconds(6)) == [.sendHeartbeat])
        #expect(session.handle(.ticked, at: .seconds(7)) == [.abandon(blocks[0]), .register])
        #expect(session.handle(.ticked, at: .seconds(8)) == [.register])
        #expect(session.handle(.ended(blocks[0]), at: .seconds(8)).isEmpty)
        #expect(session.handle(.welcomed(heartbeat: .seconds(1), silence: .seconds(6)), at: .seconds(9)).isEmpty)
        #expect(session.handle(.ticked, at: .seconds(10)) == [.sendHeartbeat])
    }

    @Test func `Any word from the coordinator ends its silence`() {
        var session = welcomed(slots: 1)
        for second in 1...30 {
            _ = session.handle(.heard, at: .seconds(second * 5))
            #expect(session.handle(.ticked, at: .seconds(second * 5 + 4)) == [.sendHeartbeat])
        }
    }

    @Test func `A worker that is not known there forgets its leases and registers at once`() {
        var session = welcomed(slots: 1)
        let blocks = keys(0..<3)
        _ = session.handle(.leased(blocks), at: .zero)
        #expect(session.handle(.registrationWanted, at: .milliseconds(10)) == [.abandon(blocks[0]), .register])
        #expect(session.handle(.ended(blocks[0]), at: .milliseconds(20)).isEmpty)
        #expect(session.handle(.ticked, at: .milliseconds(1009)).isEmpty)
        #expect(session.handle(.ticked, at: .milliseconds(1010)) == [.register])
    }

    @Test func `A worker for one round leaves after two idle seconds, but not before it had work`() {
        var session = welcomed(slots: 1, once: true)
        for second in 1...5 { #expect(session.handle(.ticked, at: .seconds(second)) == [.sendHeartbeat]) }
        let blocks = keys(0..<2)
        _ = session.handle(.leased(blocks), at: .seconds(5))
        _ = session.handle(.ended(blocks[0]), at: .seconds(6))
        #expect(session.handle(.ticked, at: .seconds(10)) == [.sendHeartbeat])
        _ = session.handle(.ended(blocks[1]), at: .seconds(10))
        _ = session.handle(.sent, at: .seconds(12))
        #expect(session.handle(.ticked, at: .seconds(12)).isEmpty)
        #expect(session.handle(.ticked, at: .milliseconds(12_001)) == [.leave(returning: [])])
    }

    @Test(arguments: [WorkerSession.Event.stopped, .drained])
    func `A worker that is to stop returns what it holds, once, and starts nothing more`(
        event: WorkerSession.Event
    ) {
        var session = welcomed(slots: 2)
        let blocks = keys(0..<4)
        _ = session.handle(.leased(blocks), at: .zero)
        let actions = session.handle(event, at: .seconds(1))
        guard case .leave(let held) = actions.first else {
            Issue.record("it does not leave")
            return
        }
        #expect(actions.count == 1)
        #expect(Set(held) == Set(blocks))
        #expect(session.handle(event, at: .seconds(1)).isEmpty)
        #expect(session.handle(.ended(blocks[0]), at: .seconds(1)).isEmpty)
        #expect(session.handle(.leased(keys(7..<9)), at: .seconds(1)).isEmpty)
        #expect(session.handle(.ticked, at: .seconds(30)).isEmpty)
    }

    @Test func `A worker that is leaving does not register again`() {
        var session = welcomed(slots: 1)
        _ = session.handle(.stopped, at: .zero)
        #expect(!session.handle(.registrationWanted, at: .seconds(1)).contains(.register))
    }

    @Test func `Blocks wait for their job's models while others run, and start when they are there`() {
        var session = welcomed(slots: 2)
        let (held, others) = (keys(0..<3), keys(0..<2, job: "b"))
        #expect(session.handle(.preparing(job: "a"), at: .zero).isEmpty)
        #expect(session.handle(.leased(held), at: .zero).isEmpty)
        #expect(session.handle(.leased(others), at: .zero) == [.start(others[0]), .start(others[1])])
        #expect(session.jobs == ["a", "b"])
        #expect(session.handle(.ended(others[0]), at: .zero).isEmpty)
        #expect(session.handle(.prepared(job: "a"), at: .zero) == [.start(held[0])])
        #expect(session.handle(.ended(others[1]), at: .zero) == [.start(held[1])])
        #expect(session.jobs == ["a"])
    }

    @Test func `Waiting blocks of a job that cannot be prepared are refused; the next lease is a new attempt`() {
        var session = welcomed(slots: 1)
        let blocks = keys(0..<2)
        _ = session.handle(.preparing(job: "a"), at: .zero)
        _ = session.handle(.leased(blocks), at: .zero)
        #expect(session.handle(.unprepared(job: "a"), at: .zero) == [.refuse(blocks[0]), .refuse(blocks[1])])
        #expect(session.jobs.isEmpty)
        #expect(session.handle(.unprepared(job: "a"), at: .zero).isEmpty)
        #expect(session.handle(.leased(keys(7..<8)), at: .zero) == [.start(keys(7..<8)[0])])
    }

    @Test func `Blocks that wait for models are handed back on stopping and dropped when revoked or forgotten`() {
        for event in [WorkerSession.Event.stopped, .drained] {
            var session = welcomed(slots: 1)
            _ = session.handle(.preparing(job: "a"), at: .zero)
            _ = session.handle(.leased(keys(0..<3)), at: .zero)
            #expect(session.handle(event, at: .zero) == [.leave(returning: keys(0..<3))])
            #expect(session.handle(.prepared(job: "a"), at: .zero).isEmpty)
        }
        for event in [WorkerSession.Event.revoked(job: "a", blocks: []), .registrationWanted] {
            var session = welcomed(slots: 1)
            _ = session.handle(.preparing(job: "a"), at: .zero)
            _ = session.handle(.leased(keys(0..<3)), at: .zero)
            _ = session.handle(event, at: .zero)
            #expect(session.handle(.prepared(job: "a"), at: .zero).isEmpty)
            #expect(session.jobs.isEmpty)
        }
    }

    @Test func `With once, a worker waits for models as long as it takes`() {
        var session = welcomed(slots: 1, once: true)
        _ = session.handle(.preparing(job: "a"), at: .zero)
        _ = session.handle(.leased(keys(0..<1)), at: .zero)
        for second in 1...60 {
            _ = session.handle(.heard, at: .seconds(second))
            #expect(!session.handle(.ticked, at: .seconds(second)).contains(.leave(returning: [])))
        }
        #expect(session.handle(.unprepared(job: "a"), at: .seconds(60)) == [.refuse(keys(0..<1)[0])])
        _ = session.handle(.heard, at: .seconds(63))
        #expect(session.handle(.ticked, at: .seconds(63)).contains(.leave(returning: [])))
    }
}
