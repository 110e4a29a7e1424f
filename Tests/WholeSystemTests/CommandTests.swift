import Foundation
import RunFolder
import Testing

@Suite("What the commands say and how they end", .oneAtATime)
struct CommandTests {
    @Test("A missing job file ends with 66, a malformed one with 65 and the place of the mistake")
    func badInput() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let missing = try await commands.run("rrr-coordinator", ["submit", "none.json"], label: "missing")
        #expect(missing.status == 66)
        #expect(missing.errors.contains("none.json: no such file"))
        let file = commands.path("bad.json")
        try Data("{\"rrr\": 1, \"name\": \"x\",\n \"chians\": 3}".utf8).write(to: URL(fileURLWithPath: file))
        let malformed = try await commands.run("rrr-coordinator", ["validate", file], label: "malformed")
        #expect(malformed.status == 65)
        #expect(malformed.errors.contains("bad.json:2: /chians: no such key; did you mean \"chains\"?"))
        #expect(malformed.output.isEmpty)
    }

    @Test("A coordinator that nobody runs ends every command with 69 within five seconds")
    func unreachable() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 1)
        let address = "ipc://" + commands.path("nobody")
        for arguments in [["submit", job], ["status"], ["workers"]] {
            let ending = try await commands.run(
                "rrr-coordinator", arguments + ["--coordinator", address], label: arguments[0])
            #expect(ending.status == 69)
            #expect(ending.time < .seconds(5))
            #expect(ending.errors.contains("rrr-coordinator serve"))
        }
    }

    @Test(
        "Wrong usage ends with 64",
        arguments: [
            ["submit"], ["submit", "job.json", "--workers", "0"], ["submit", "job.json", "--detach"], ["nonsense"],
            ["serve", "--listen", "tcp://0.0.0.0:7757"],
        ])
    func usage(arguments: [String]) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        #expect(try await commands.run("rrr-coordinator", arguments, label: "usage").status == 64)
    }

    @Test("An output folder that holds the job is left as it is; --force runs it again; --json prints JSON alone")
    func finishedFolder() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        let output = commands.path("out")
        func submit(_ more: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run(
                "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output] + more, label: label)
        }
        func written() throws -> Date? {
            try FileManager.default.attributesOfItem(atPath: output + "/provenance.json")[.modificationDate] as? Date
        }
        #expect(try await submit([], "first").status == 0)
        let before = try written()
        let again = try await submit(["--json"], "again")
        #expect(again.status == 0)
        #expect(try written() == before)
        let summary = try JSONSerialization.jsonObject(with: Data(again.output.utf8)) as? [String: Any]
        #expect(summary?["chains"] as? Int == 64)
        #expect(summary?["samples_sha256"] as? String == (try commands.bytes(of: output))[1])
        #expect(try await submit(["--force"], "force").status == 0)
        #expect(try written() != before)
    }

    @Test("Ctrl-C ends a run with 130, leaves no process behind, and the same command goes on with what was done")
    func interruption() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 150_000, levels: 100, transitions: 10)
        let output = commands.path("out")
        let submit = try commands.start(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "submit")
        var workers: [Int32] = []
        for _ in 0..<200 where workers.count < 2 {
            try await Task.sleep(for: .milliseconds(20))
            workers = Commands.workers(of: submit.identifier)
        }
        #expect(workers.count == 2)
        try await Task.sleep(for: .seconds(1))
        submit.signal(SIGINT)
        let ending = try await commands.ending(of: submit, label: "submit")
        #expect(ending.status == 130)
        #expect(ending.errors.contains("the same command goes on from there"))
        for worker in workers { #expect(!Commands.isRunning(worker), "worker \(worker) is still there") }
        let left = try FileManager.default.contentsOfDirectory(atPath: output)
        #expect(left.count == 1 && left[0].hasPrefix(".pool-"))

        // Neither a second interruption, before anything new is done, nor another job in the same folder loses it.
        let second = try commands.start(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "second")
        try await Task.sleep(for: .milliseconds(60))
        second.signal(SIGINT)
        #expect(try await commands.ending(of: second, label: "second").status == 130)
        let other = try await commands.run(
            "rrr-coordinator", ["submit", try commands.job(chains: 64), "--output", output], label: "other")
        #expect(other.status == 0, "\(other.errors)")
        #expect(FileManager.default.fileExists(atPath: output + "/" + left[0]))
        // The other job's result is not replaced.
        let refused = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "refused")
        #expect(refused.status == 73, "\(refused.errors)")
        for name in RunFolder.fileNames { try FileManager.default.removeItem(atPath: output + "/" + name) }

        let again = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "again")
        #expect(again.status == 0, "\(again.errors)")
        let calm = commands.path("calm")
        let undisturbed = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", calm], label: "calm")
        #expect(undisturbed.status == 0, "\(undisturbed.errors)")
        #expect(try commands.bytes(of: output) == commands.bytes(of: calm))
        #expect(!FileManager.default.fileExists(atPath: output + "/" + left[0]))
        // Those of the first life are in the second one's provenance, so their work was not done again.
        let provenance =
            try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: output + "/provenance.json"))) as? [String: Any]
        let contributors = provenance?["workers"] as? [[String: Any]] ?? []
        #expect(contributors.count > 2)
        #expect(contributors.reduce(0) { $0 + ($1["blocks"] as? Int ?? 0) } == 2_344)
    }

    @Test("Ctrl-C before anything is done leaves nothing behind")
    func earlyInterruption() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        // A block takes far longer than this test lets it.
        let job = try commands.job(chains: 10_000_000, levels: 100, transitions: 10, block: 65_536)
        let output = commands.path("out")
        let submit = try commands.start(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output], label: "submit")
        for _ in 0..<200 where Commands.workers(of: submit.identifier).isEmpty {
            try await Task.sleep(for: .milliseconds(5))
        }
        submit.signal(SIGINT)
        let ending = try await commands.ending(of: submit, label: "submit")
        #expect(ending.status == 130)
        // On a machine that is busy the signal may come late: then what is left is named.
        let isKept = ending.errors.contains("the same command goes on from there")
        #expect(FileManager.default.fileExists(atPath: output) == isKept)
    }

    @Test("An output path that can't be a folder is refused with 73 before any work")
    func unwritableOutput() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 1_000_000, levels: 100, transitions: 10)
        let ending = try await commands.run(
            "rrr-coordinator", ["submit", job, "--output", job], label: "submit")
        #expect(ending.status == 73)
        #expect(ending.time < .seconds(5))
    }

    @Test("Two submitters may watch one job: one that gives up leaves it to the other, the last one cancels it")
    func givingUp() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 6_400)
        let address = "ipc://" + commands.path("pool")
        let serve = try commands.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", commands.path("state")], label: "serve")
        defer { serve.signal(SIGTERM) }
        func submit(_ name: String) throws -> Commands.Started {
            try commands.start(
                "rrr-coordinator", ["submit", job, "--coordinator", address, "--output", commands.path(name)],
                label: name)
        }
        // There are no workers yet, so the job waits.
        let first = try submit("first")
        let second = try submit("second")
        try await Task.sleep(for: .milliseconds(500))
        first.signal(SIGINT)
        #expect(try await commands.ending(of: first, label: "first").status == 130)
        let worker = try commands.start("rrr-worker", ["--coordinator", address, "--slots", "2"], label: "worker")
        defer { worker.signal(SIGTERM) }
        #expect(try await commands.ending(of: second, label: "second").status == 0)
        worker.signal(SIGTERM)
        #expect(try await commands.ending(of: worker, label: "worker").status == 0)

        let other = try commands.job(chains: 6_399)
        let last = try commands.start(
            "rrr-coordinator", ["submit", other, "--coordinator", address, "--output", commands.path("last")],
            label: "last")
        try await Task.sleep(for: .milliseconds(300))
        last.signal(SIGINT)
        #expect(try await commands.ending(of: last, label: "last").status == 130)
        let status = try await commands.run("rrr-coordinator", ["status", "--coordinator", address], label: "status")
        #expect(status.output.contains("cancelled"))
        #expect(!status.output.contains("queued"))
    }

    @Test("A job that is cancelled and handed in again at once is not held up by its first life")
    func cancelledAndAgain() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 3_000, levels: 2, block: 1)
        let address = "ipc://" + commands.path("pool")
        let serve = try commands.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", commands.path("state")], label: "serve")
        let worker = try commands.start("rrr-worker", ["--coordinator", address, "--slots", "2"], label: "worker")
        for round in 1...5 {
            let detached = try await commands.run(
                "rrr-coordinator", ["submit", job, "--detach", "--force", "--coordinator", address], label: "detach")
            #expect(detached.status == 0)
            let id = detached.output.trimmingCharacters(in: .whitespacesAndNewlines)
            _ = try await commands.run("rrr-coordinator", ["cancel", id, "--coordinator", address], label: "cancel")
            let again = try await commands.run(
                "rrr-coordinator",
                ["submit", job, "--force", "--coordinator", address, "--output", commands.path("out")],
                label: "again\(round)")
            #expect(again.status == 0)
        }
        serve.signal(SIGTERM)
        #expect(try await commands.ending(of: worker, label: "worker").status == 0)
    }

    @Test("A worker whose coordinator process is killed ends by itself")
    func orphans() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 1_000_000, levels: 100, transitions: 10)
        let submit = try commands.start("rrr-coordinator", ["submit", job, "--workers", "2"], label: "submit")
        var workers: [Int32] = []
        for _ in 0..<200 where workers.count < 2 {
            try await Task.sleep(for: .milliseconds(20))
            workers = Commands.workers(of: submit.identifier)
        }
        #expect(workers.count == 2)
        submit.signal(SIGKILL)
        for _ in 0..<300 where workers.contains(where: Commands.isRunning) {
            try await Task.sleep(for: .milliseconds(10))
        }
        for worker in workers { #expect(!Commands.isRunning(worker), "worker \(worker) is still there") }
    }
}
