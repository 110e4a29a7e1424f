import PoolCore
import Testing

@Suite("Jobs that take model servers")
struct ServerTests {
    private static func pool(servers: Set<String> = ["sd"], blocks: Int = 8, _ progress: JobProgress = JobProgress())
        -> Pool
    {
        var pool = Pool()
        pool(.submitted(1, JobTerms(blocks: blocks, servers: servers), progress))
        return pool
    }

    @Test("an arithmetic reads back from its text")
    func texts() {
        for arithmetic in [
            Arithmetic(program: "a"), Arithmetic(program: "1f", servers: ["sd": "09", "clip-2": "ab"]),
        ] { #expect(Arithmetic("\(arithmetic)") == arithmetic) }
        #expect("\(Arithmetic(program: "a", servers: ["z": "1", "b": "2"]))" == "a b=2 z=1")
    }

    @Test("a worker without the server never gets a block")
    func lacking() {
        var pool = Self.pool()
        #expect(pool.join(1, slots: 4) == [])
        #expect(pool.join(2, slots: 4, group: "a clip=1") == [])
        #expect(pool.join(3, slots: 2, group: "a sd=1").isEmpty == false)
        #expect(pool.tick(after: .seconds(30), hearing: [1, 2, 3]).granted(1).isEmpty)
        #expect(pool.actions.granted(2).isEmpty)
    }

    @Test("a job that nobody can serve says for what it waits, and goes on when the server has come")
    func waiting() {
        var pool = Self.pool(servers: ["sd", "clip"])
        pool.join(1, group: "a sd=1")
        #expect(pool.scheduler.view(of: 1)?.missingServers == ["clip", "sd"])
        #expect(pool.join(1, group: "a clip=2 sd=1").isEmpty == false)
        #expect(pool.scheduler.view(of: 1)?.missingServers == [])
    }

    @Test("workers whose servers compute other bytes do not share a job, others of theirs being their own matter")
    func mixing() {
        var pool = Self.pool()
        let first = pool.join(1, group: "a sd=1 x=1")
        #expect(pool.join(2, group: "a sd=2").isEmpty == false)
        let actions = pool.finish(1, first[0])
        #expect(actions.contains { if case .revoke(2, _) = $0 { true } else { false } })
        #expect(pool.join(3, group: "a sd=2") == [])
        #expect(pool.join(4, group: "b sd=1") == [])
        #expect(pool.join(5, group: "a sd=1 y=7").isEmpty == false)
    }

    @Test("a job without servers is shared by workers with servers and without")
    func withoutServers() {
        var pool = Self.pool(servers: [])
        let first = pool.join(1, group: "a sd=1")
        pool.finish(1, first[0])
        #expect(pool.join(2, group: "a").isEmpty == false)
        #expect(pool.join(3, group: "b") == [])
    }

    @Test("a result that comes after its worker's server has changed is not kept")
    func lateResult() {
        var pool = Self.pool()
        let first = pool.join(1, slots: 2, group: "a sd=1")
        pool.finish(1, first[0])
        let held = first.dropFirst().map { $0 }
        pool.join(1, slots: 2, group: "a sd=2", holding: held)
        #expect(pool(.finished(1, first[1])).contains(.drop(first[1])))
    }

    @Test("a job whose numbers were found with a part of its servers is tied to the others by its first result")
    func partlyBound() {
        var progress = JobProgress()
        progress.group = "a sd=1"
        var pool = Self.pool(servers: ["sd", "clip"], progress)
        #expect(pool.join(1, group: "a clip=1 sd=2") == [])
        let first = pool.join(2, group: "a clip=1 sd=1")
        #expect(pool.join(3, group: "a clip=2 sd=1").isEmpty == false)
        pool.finish(2, first[0])
        #expect(pool.join(4, group: "a clip=2 sd=1") == [])
    }

    @Test("a block that failed at the one worker that has its server is tried there again")
    func failing() {
        var pool = Self.pool(blocks: 1)
        pool.join(1, slots: 4)
        let first = pool.join(2, group: "a sd=1")
        let again = pool(.failed(2, first[0], reason: "the server crashed")).granted(2)
        #expect(again.map(\.block) == [0])
    }

    @Test("a job whose server is away is not begun anew because other workers are there")
    func orphaned() {
        var pool = Self.pool()
        let first = pool.join(1, group: "a sd=1")
        pool.finish(1, first[0])
        pool.join(2)
        pool(.left(1))
        let actions = pool.tick(after: .seconds(120), hearing: [2])
        #expect(!actions.contains(.beginAnew(1)))
        #expect(pool.scheduler.view(of: 1)?.missingServers == ["sd"])
        #expect(pool.scheduler.view(of: 1)?.missingGroup == "a sd=1")
    }
}
