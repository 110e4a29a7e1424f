import Foundation
import Testing

@Suite("Chaos", .oneAtATime, .serialized)
struct ChaosTests {
    private struct Report: Decodable {
        struct Run: Decodable {
            let outcome: String
            let details: [String]
            let folder: String?
        }

        let runs: Int
        let identical: Int
        let hung: Int
        let disturbances: [String: Int]
        let each: [Run]
    }

    private func report(_ ending: Commands.Ending) throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(ending.output.utf8))
    }

    @Test("A job gives the same bytes while its processes are killed, paused and stopped at random")
    func sameBytes() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 100_000, levels: 100, transitions: 10)
        let folder = commands.path("runs")
        let ending = try await commands.run(
            "rrr-coordinator",
            ["chaos", job, "--seed", "3", "--every", "0.5", "--seconds", "10", "--patience", "25", "--json"]
                + ["--folder", folder], label: "chaos")
        #expect(ending.status == 0, "\(ending.errors)")
        let report = try report(ending)
        #expect(report.runs == 1 && report.identical == 1)
        #expect(report.disturbances.values.reduce(0, +) >= 3, "the job was hardly disturbed")
        #expect(ending.errors.contains("seed 3"))
    }

    @Test("Other bytes are told: status 2, and the files that differ")
    func otherBytes() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 12_800, levels: 100, transitions: 10)
        let folder = commands.path("runs")
        let chaos = try commands.start(
            "rrr-coordinator", ["chaos", job, "--json", "--folder", folder], label: "chaos")
        // The undisturbed run has read the job when it claims its folder; the disturbed one will read another.
        for _ in 0..<2_000 where !FileManager.default.fileExists(atPath: folder + "/undisturbed") {
            try await Task.sleep(for: .milliseconds(2))
        }
        let text = try String(contentsOfFile: job, encoding: .utf8)
        try Data(text.replacing("\"seed\": 7", with: "\"seed\": 8").utf8).write(
            to: URL(fileURLWithPath: job), options: .atomic)
        let ending = try await commands.ending(of: chaos, label: "chaos")
        #expect(ending.status == 2, "\(ending.errors)")
        let report = try report(ending)
        #expect(report.each.first?.outcome == "different")
        #expect(
            report.each.first?.details == ["job.json", "samples.npy", "statistics.npz", "summary.json"])
    }

    @Test("A pool without workers hangs: status 2, and what it left is kept")
    func hang() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 100)
        let folder = commands.path("runs")
        let ending = try await commands.run(
            "rrr-coordinator",
            ["chaos", job, "--worker-command", "echo {worker} for {coordinator}; exec sleep 60", "--workers", "1"]
                + ["--only", "worker_paused", "--seconds", "1", "--patience", "1", "--json", "--folder", folder],
            label: "chaos")
        #expect(ending.status == 2, "\(ending.errors)")
        let report = try report(ending)
        #expect(report.identical == 0 && report.hung == 1)
        let kept = try #require(report.each.first?.folder)
        let status = try String(contentsOfFile: kept + "/status.json", encoding: .utf8)
        #expect(status.contains("ring-and-bar"))
        let worker = try String(contentsOfFile: kept + "/worker-1.log", encoding: .utf8)
        #expect(worker.contains("/rrr-worker for tcp://127.0.0.1:"))
        #expect(try String(contentsOfFile: kept + "/history.log", encoding: .utf8).contains("submitter: start"))
    }

    @Test("A job that can't run undisturbed ends with the status of submit")
    func badJob() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let folder = commands.path("runs")
        let missing = try await commands.run(
            "rrr-coordinator", ["chaos", "none.json", "--folder", folder], label: "missing")
        #expect(!FileManager.default.fileExists(atPath: folder))
        #expect(missing.status == 66)
        #expect(missing.errors.contains("none.json"))
        let usage = try await commands.run("rrr-coordinator", ["chaos", "none.json", "--every", "0"], label: "usage")
        #expect(usage.status == 64)
    }

    @Test("Interrupted or killed, it leaves none of the processes that it has started", arguments: [SIGINT, SIGKILL])
    func interruption(signal: Int32) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 2_000)
        let folder = commands.path("runs")
        // A shell that stays, with the folder in its command line: so it is found below.
        let worker = "sleep 60; : \(folder)"
        let chaos = try commands.start(
            "rrr-coordinator",
            ["chaos", job, "--worker-command", worker, "--workers", "2", "--folder", folder], label: "chaos")
        let log = folder + "/run-1/submitter.log"
        for _ in 0..<2_000 where !FileManager.default.fileExists(atPath: log) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try !processes(naming: folder).isEmpty)
        chaos.signal(signal)
        let ending = try await commands.ending(of: chaos, label: "chaos")
        #expect(ending.status == (signal == SIGINT ? 130 : SIGKILL))
        #expect(FileManager.default.fileExists(atPath: folder) == (signal == SIGKILL))
        // The system may take a moment to bury them.
        for _ in 0..<1_000 where try !processes(naming: folder).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try processes(naming: folder) == [])
    }

    /// The processes with a text in their command line.
    private func processes(naming text: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
            guard let arguments = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            return String(decoding: arguments, as: UTF8.self).contains(text)
        }
    }
}
