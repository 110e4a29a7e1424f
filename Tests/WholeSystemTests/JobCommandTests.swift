import Foundation
import Testing

@Suite("Commands about the jobs of a coordinator", .oneAtATime)
struct JobCommandTests {
    private let commands: Commands
    private let pool: ServedPool

    init() throws {
        commands = try Commands()
        pool = try ServedPool(commands)
    }

    private func run(_ arguments: [String], label: String = "asked") async throws -> Commands.Ending {
        try await commands.run("rrr-coordinator", arguments + ["--coordinator", pool.address], label: label)
    }

    private func end(_ worker: Commands.Started) {
        for process in [worker, pool.serve] { process.signal(SIGKILL) }
        commands.remove()
    }

    private func submit(_ job: String, _ label: String) async throws -> String {
        let ending = try await commands.ending(of: try pool.submit(job, label, ["--detach"]), label: label)
        #expect(ending.status == 0, "\(ending.errors)")
        return ending.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("A job is followed to its end, listed and brought by the first digits of its hash or as the last one")
    func listWatchFetch() async throws {
        let worker = try pool.worker("worker")
        defer { end(worker) }
        let job = try commands.job(chains: 640)
        let id = try await submit(job, "submit")
        let other = try await submit(try commands.job(chains: 64), "other")
        let watched = try await run(["watch", String(id.prefix(12))])
        #expect(watched.status == 0 && watched.output.contains("fetch \(id.prefix(8)) DIR"), "\(watched)")
        let lines = try await run(["watch", "last", "--json"])
        #expect(lines.status == 0, "\(lines.errors)")
        let told = try #require(lines.output.split(separator: "\n").last)
        let last = try JSONSerialization.jsonObject(with: Data(told.utf8)) as? [String: Any]
        let jobs = try #require(last?["jobs"] as? [[String: Any]])
        #expect(jobs.map { $0["job"] as? String } == [other] && jobs[0]["state"] as? String == "finished")

        let list = try await run(["list"])
        let rows = list.output.split(separator: "\n")
        #expect(rows.count == 3 && rows[0].hasPrefix("JOB ") && rows[1].hasPrefix(id.prefix(8)), "\(list.output)")
        let table = try await run(["list", "--json"])
        let object = try JSONSerialization.jsonObject(with: Data(table.output.utf8)) as? [String: Any]
        #expect(object?["format"] as? Int == 1 && (object?["jobs"] as? [Any])?.count == 2)

        let folder = commands.path("fetched")
        let fetched = try await run(["fetch", id, folder])
        #expect(fetched.status == 0, "\(fetched.errors)")
        let alone = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", commands.path("alone")], label: "alone")
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(try commands.bytes(of: folder) == commands.bytes(of: commands.path("alone")))
        // Not into a folder that holds anything.
        let again = try await run(["fetch", id, folder])
        #expect(again.status == 73 && again.errors.contains("is not empty"), "\(again.errors)")
    }

    @Test("What can't be done yet, or is not known, is refused with the command to type instead")
    func refusals() async throws {
        let worker = try pool.worker("worker")
        defer { end(worker) }
        let id = try await submit(try commands.job(chains: 1_000_000, levels: 100), "submit").prefix(8)
        for command in [["fetch", "last", commands.path("out")], ["delete", "last"]] {
            let ending = try await run(command)
            let next = command[0] == "fetch" ? "watch" : "cancel"
            #expect(ending.status == 75 && ending.errors.contains("rrr-coordinator \(next) \(id)"), "\(ending.errors)")
        }
        try await commands.wait(for: "registered", in: "worker.err")
        try await Task.sleep(for: .seconds(1))
        let explained = try await run(["explain", "last", "0", "--json"])
        #expect(explained.status == 0, "\(explained.errors)")
        let told = try JSONSerialization.jsonObject(with: Data(explained.output.utf8)) as? [String: Any]
        let workers = told?["workers"] as? [[String: Any]]
        #expect((workers?.first?["blocks_held"] as? Int ?? 0) > 0, "\(explained.output)")
        #expect((told?["block"] as? [String: Any])?["block"] as? Int == 0)
        #expect(try await run(["explain", "last", "1000000"]).status == 64)
        for command in ["status", "watch", "cancel", "pause", "delete", "explain"] {
            let ending = try await run([command, "xyz"])
            #expect(ending.status == 66 && ending.errors.contains("rrr-coordinator list"), "\(ending.errors)")
        }
        let watching = try commands.start(
            "rrr-coordinator", ["watch", "last", "--coordinator", pool.address], label: "watching")
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await run(["cancel", "last"]).status == 0)
        let watched = try await commands.ending(of: watching, label: "watching")
        #expect(watched.status == 2 && watched.errors.contains("cancelled"), "\(watched.errors)")
        let fetched = try await run(["fetch", "last", commands.path("out")])
        #expect(fetched.status == 66 && fetched.errors.contains("rrr-coordinator status \(id)"), "\(fetched.errors)")
    }

    @Test("A deleted job is gone with its folder, in the next life too, and runs again when it is handed in")
    func delete() async throws {
        let worker = try pool.worker("worker")
        defer { end(worker) }
        let job = try commands.job(chains: 64)
        let id = try await submit(job, "submit")
        #expect(try await run(["watch", "last"]).status == 0)
        let folder = pool.state + "/jobs/" + id
        #expect(FileManager.default.fileExists(atPath: folder))
        let deleted = try await run(["delete", String(id.prefix(6))])
        #expect(deleted.status == 0, "\(deleted.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(try await run(["delete", id]).status == 66)
        try await pool.killCoordinator()
        #expect(try await pool.jobs().isEmpty)
        #expect(!pool.said.contains("knows nothing of"), "\(pool.said)")
        #expect(try await submit(job, "again") == id)
        #expect(try await run(["watch", "last"]).status == 0)
        #expect(FileManager.default.fileExists(atPath: folder + "/summary.json"))
    }

    @Test("Jobs that ended longer ago than they are kept for go by themselves")
    func keep() async throws {
        let address = "ipc://" + commands.path("keeping")
        let keeping = try commands.start(
            "rrr-coordinator",
            ["serve", "--listen", address, "--state", commands.path("kept"), "--keep", "1s"], label: "keeping")
        defer { keeping.signal(SIGKILL) }
        let worker = try commands.start("rrr-worker", ["--coordinator", address, "--slots", "1"], label: "worker")
        defer { end(worker) }
        let submitted = try await commands.run(
            "rrr-coordinator", ["submit", try commands.job(chains: 64), "--coordinator", address, "--detach"],
            label: "submit")
        #expect(submitted.status == 0, "\(submitted.errors)")
        let jobs = commands.path("kept") + "/jobs"
        try await commands.wait(for: ": finished", in: "keeping.err")
        for _ in 0..<100 where try !FileManager.default.contentsOfDirectory(atPath: jobs).isEmpty {
            try await Task.sleep(for: .milliseconds(100))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: jobs).isEmpty)
        for age in ["30", "d", "0d", "-1h", "1.5h", "99999999d"] {
            let ending = try await commands.run("rrr-coordinator", ["serve", "--keep", age], label: "wrong")
            #expect(ending.status == 64 && ending.errors.contains("--keep"), "\(ending.errors)")
        }
    }
}
