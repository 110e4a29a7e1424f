import Foundation
import Messaging
import PoolKeys
import Testing

@Suite("A pool that computes some results twice", .oneAtATime)
struct VerifiedPoolTests {
    /// Two more keys for workers.
    private func addKeys(_ commands: Commands, _ keys: String) async throws {
        for name in ["second", "third"] {
            let made = try await commands.run(
                "rrr-coordinator", ["keygen", keys, "--add", "worker", "--name", name], label: name)
            #expect(made.status == 0, "\(made.errors)")
        }
    }

    @Test("A worker that changes a bit in one of fifty results is found and named, and the job's bytes are right")
    func liar() async throws {
        let commands = try Commands()
        let keys = commands.path("keys")
        #expect(try await commands.run("rrr-coordinator", ["keygen", keys], label: "keygen").status == 0)
        try await addKeys(commands, keys)
        let pool = try await GuardedPool(commands, ["--verify", "1"], makesKeys: false)
        defer { pool.end() }
        let relay = try LyingRelay(
            at: commands.path("relay"), to: pool.address,
            keys: try KeyFolder.clientKeys(keys + "/second.key", for: [.worker]), lyingEvery: 50)
        defer { relay.end() }
        let others = [
            ("liar", ["--coordinator", relay.address]),
            ("third", ["--coordinator", pool.address, "--keys", keys + "/third.key"]),
        ]
        let workers = try others.map { try commands.start("rrr-worker", $1 + ["--slots", "1"], label: $0) }
        defer { for worker in workers { worker.signal(SIGKILL) } }

        let job = try commands.job(chains: 20_000, levels: 30)
        let alone = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", commands.path("alone")], label: "alone")
        #expect(alone.status == 0, "\(alone.errors)")
        let ending = try await pool.run(
            ["submit", job, "--output", commands.path("out")], keys: "submitter.key", label: "job")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: commands.path("out")) == commands.bytes(of: commands.path("alone")))
        let status = try await pool.run(["status", "last", "--json"], keys: "status.key", label: "status")
        #expect(
            status.output.contains(#""blocks_verified":313"#) || status.output.contains(#""blocks_verified": 313"#),
            "\(status.output)")
        #expect(relay.lies > 0)
        let said = try String(contentsOfFile: commands.path("serve.err"), encoding: .utf8)
        #expect(said.contains("(the key second) is not trusted any more"), "\(said)")
        #expect(!said.contains("(the key third) is not") && !said.contains("(the key worker) is not"))
        // It is sent home, as a worker of no use.
        #expect(try await commands.ending(of: workers[0], label: "liar").status == 70)
    }

    @Test("One key can't be compared with itself, and no part of results is more than all")
    func refused() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let keys = commands.path("keys")
        #expect(try await commands.run("rrr-coordinator", ["keygen", keys], label: "keygen").status == 0)
        for (arguments, words) in [
            (["--keys", keys, "--verify", "0.1"], "keygen \(keys) --add worker --name NAME"),
            (["--verify", "1.5"], "not 1.5"), (["--verify", "0"], "not 0"), (["--verify", "nan"], "not nan"),
        ] {
            let ending = try await commands.run(
                "rrr-coordinator",
                ["serve", "--listen", "tcp://127.0.0.1:*", "--state", commands.path("s")] + arguments,
                label: "serve")
            #expect(ending.status == 64)
            #expect(ending.errors.contains(words), "\(ending.errors)")
        }
    }
}
