import Foundation
import GRDB
import Testing

@Suite("What a disk or a hand has changed is found out, and runs again", .oneAtATime, .serialized)
struct DamageTests {
    private func undisturbed(_ job: String, _ commands: Commands) async throws -> [String] {
        let ending = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", commands.path("calm")], label: "calm")
        #expect(ending.status == 0, "\(ending.errors)")
        return try commands.bytes(of: commands.path("calm"))
    }

    /// The folder of the only job of a coordinator.
    private func jobFolder(in state: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: state + "/jobs")
        return state + "/jobs/" + (try #require(names.first))
    }

    /// Makes zeros of the rows of the first chains.
    private func zero(_ file: String) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        try handle.seek(toOffset: 128)
        try handle.write(contentsOf: Data(count: 4_000))
        try handle.close()
    }

    /// Waits until a part of the only job is done, at most half a minute.
    private func waitForResults(_ pool: ServedPool) async throws {
        for _ in 0..<300 {
            if let done = try await pool.jobs().first?["chains_done"] as? Int, done > 2_000 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("nothing gets done: \(try await pool.jobs())")
    }

    @Test("Rows of an interrupted local job that were zeroed run again", arguments: ["samples", "acceptance"])
    func localJob(array: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 40_000, levels: 100, transitions: 5)
        let output = commands.path("out")
        let arguments = ["submit", job, "--workers", "2", "--output", output]
        let first = try commands.start("rrr-coordinator", arguments, label: "first")
        try await Task.sleep(for: .milliseconds(1_500))
        first.signal(SIGINT)
        #expect(try await commands.ending(of: first, label: "first").status == 130)
        let pool = try #require(
            try FileManager.default.contentsOfDirectory(atPath: output).first { $0.hasPrefix(".pool-") })
        try zero(try jobFolder(in: "\(output)/\(pool)") + "/.\(array).npy.partial")
        let second = try await commands.run("rrr-coordinator", arguments, label: "second")
        #expect(second.status == 0, "\(second.errors)")
        #expect(second.errors.contains("stored blocks are damaged"))
        #expect(try commands.bytes(of: output) == (try await undisturbed(job, commands)))
    }

    @Test(
        "Rows that are zeroed, or files that are removed, while a job runs make its blocks run again",
        arguments: ["zeroed", "removed"])
    func runningJob(how: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 40_000, levels: 100, transitions: 5)
        let pool = try ServedPool(commands)
        let workers = [try pool.worker("worker1"), try pool.worker("worker2")]
        let submit = try pool.submit(job, "out")
        try await waitForResults(pool)
        let folder = try jobFolder(in: pool.state)
        if how == "zeroed" {
            try zero(folder + "/.samples.npy.partial")
        } else {
            try FileManager.default.removeItem(atPath: folder + "/.divergences.npy.partial")
            // It shows long before the end.
            for _ in 0..<30 where !pool.said.contains("removed or replaced") {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(submit.isRunning && pool.said.contains("removed or replaced"))
        }
        let ending = try await commands.ending(of: submit, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(pool.said.contains("stored blocks are lost"))
        #expect(try commands.bytes(of: commands.path("out")) == (try await undisturbed(job, commands)))
        for (index, worker) in workers.enumerated() { _ = try await pool.end(worker, "worker\(index + 1)") }
        pool.serve.signal(SIGTERM)
    }

    @Test("A finished job whose samples were changed in the coordinator's folder is run again")
    func finishedJob() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 2_000)
        let pool = try ServedPool(commands)
        let worker = try pool.worker("worker")
        let first = try await commands.ending(of: try pool.submit(job, "first"), label: "first")
        #expect(first.status == 0, "\(first.errors)")
        try zero(try jobFolder(in: pool.state) + "/samples.npy")
        let second = try await commands.ending(of: try pool.submit(job, "second"), label: "second")
        #expect(second.status == 0, "\(second.errors)")
        #expect(pool.said.contains("SHA-256"))
        #expect(try commands.bytes(of: commands.path("second")) == commands.bytes(of: commands.path("first")))
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test(
        "A journal that tells of blocks that there are not sets that job apart; others go on, and --force mends it",
        arguments: [
            "UPDATE finished SET block = block + 100000 WHERE block = (SELECT max(block) FROM finished)",
            "INSERT INTO report (job, block, attempt, worker, reason) SELECT job, 9223372036854775807, 1, 'w', 'r' FROM finished LIMIT 1",
        ])
    func journal(sql: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 20_000, levels: 100, transitions: 5)
        let pool = try ServedPool(commands)
        let worker = try pool.worker("worker")
        let handedIn = try await commands.ending(of: try pool.submit(job, "a", ["--detach"]), label: "a")
        #expect(handedIn.status == 0, "\(handedIn.errors)")
        try await waitForResults(pool)
        try await pool.killCoordinator {
            let queue = try DatabaseQueue(path: pool.state + "/journal.sqlite")
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
            try queue.close()
        }
        try await pool.wait(until: "failed")
        #expect((try await pool.jobs().first?["failure"] as? String)?.contains("--force") == true)
        let other = try await commands.ending(of: try pool.submit(try commands.job(chains: 640), "b"), label: "b")
        #expect(other.status == 0, "\(other.errors)")
        let refused = try await commands.ending(of: try pool.submit(job, "c"), label: "c")
        #expect(refused.status == 65, "\(refused.errors)")
        let forced = try await commands.ending(of: try pool.submit(job, "d", ["--force"]), label: "d")
        #expect(forced.status == 0, "\(forced.errors)")
        #expect(try commands.bytes(of: commands.path("d")) == (try await undisturbed(job, commands)))
        _ = try await pool.end(worker, "worker")
        pool.serve.signal(SIGTERM)
    }

    @Test("With few open files many jobs wait, go on after a restart and finish, and a lost journal is told")
    func fewOpenFiles() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands, openFiles: 96)
        let count = 40
        for index in 0..<count {
            let job = try commands.job(chains: 100 + index, levels: 5, transitions: 1, block: 50)
            let ending = try await commands.ending(
                of: try pool.submit(job, "j\(index)", ["--detach"]), label: "j\(index)")
            #expect(ending.status == 0, "\(ending.errors)")
        }
        try await pool.killCoordinator()
        let worker = try pool.worker("worker")
        for index in 0..<count { try await pool.wait(until: "finished", ofJob: index) }
        _ = try await pool.end(worker, "worker")
        try await pool.killCoordinator {
            for name in try FileManager.default.contentsOfDirectory(atPath: pool.state) where name.hasPrefix("journal.")
            {
                try FileManager.default.removeItem(atPath: pool.state + "/" + name)
            }
        }
        _ = try await pool.jobs()
        #expect(pool.said.contains("knows nothing of \(count) jobs"))
        pool.serve.signal(SIGTERM)
    }

    @Test("A job of which no draw is finite fails and says so")
    func noFiniteDraw() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let text = """
            {"rrr": 1, "name": "infinite", "seed": 1, "target": "g",
             "models": {"g": {"kind": "gaussian", "mean": [0], "covariance": [[1]]}},
             "schedule": {"kind": "cosine", "levels": 50}, "chains": 64, "block": 64, "draws": 1,
             "sampler": {"kind": "ula", "transitions": 5, "step_size": 5.0}}
            """
        let file = commands.path("infinite.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        let ending = try await commands.run(
            "rrr-coordinator", ["submit", file, "--workers", "1", "--output", commands.path("out")], label: "infinite")
        #expect(ending.status == 2)
        #expect(ending.errors.contains("not one of the 64 draws is finite"))
    }
}
