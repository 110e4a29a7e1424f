import Foundation
import Testing

@Suite("What the commands of a pool tell without being asked", .oneAtATime)
struct PoolWordsTests {
    @Test("A worker tells where it connects to and that it is known, the coordinator when a job begins and ends")
    func words() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        let worker = try commands.start("rrr-worker", ["--coordinator", pool.address, "--slots", "1"], label: "worker")
        let job = try commands.job(chains: 64)
        let detached = try await commands.ending(of: try pool.submit(job, "detached", ["--detach"]), label: "detached")
        #expect(detached.status == 0)
        #expect(detached.output.trimmingCharacters(in: .newlines).allSatisfy { $0.isHexDigit })
        let way = "collect it with: rrr-coordinator submit \(job) --coordinator \(pool.address)"
        #expect(detached.errors.contains(way), "\(detached.errors)")
        try await pool.wait(until: "finished")
        worker.signal(SIGTERM)
        let said = try await commands.ending(of: worker, label: "worker").errors
        #expect(said.contains("connecting to \(pool.address)"), "\(said)")
        #expect(said.contains("registered as worker 1 at \(pool.address)"), "\(said)")
        pool.serve.signal(SIGTERM)
        let served = try await commands.ending(of: pool.serve, label: "serve1").errors
        #expect(served.contains("begins: 1 blocks") && served.contains(": finished"), "\(served)")
    }

    @Test("An address that is none ends a worker with 64 and says how one is written")
    func noAddress() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        for address in ["tcp://nowhere", "nonsense", "gopher://127.0.0.1:70"] {
            let ending = try await commands.run("rrr-worker", ["--coordinator", address], label: "worker")
            #expect(ending.status == 64, "\(address): \(ending.errors)")
            #expect(ending.errors.contains("\"\(address)\" is no address"), "\(ending.errors)")
        }
    }
}
