import Foundation
import Testing

@Suite("What stands in an output folder is not lost", .oneAtATime)
struct OutputFolderTests {
    @Test("What is kept of an interrupted run is what is on the disk, told of or not")
    func untoldProgress() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        // Rows on the disk are plenty here before the first word about the job.
        let job = commands.path("job.json")
        let text = """
            {"rrr": 1, "name": "untold", "seed": 1, "target": "g", "schedule": {"kind": "cosine", "levels": 1000},
             "models": {"g": {"kind": "gaussian", "mean": [0.3], "covariance": [[1]]}},
             "sampler": {"kind": "ula", "transitions": 1, "step_size": 0.5, "levels": [0, 0]},
             "chains": 108000, "block": 4000}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: job))
        let output = commands.path("out")
        let submit = try commands.start(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output], label: "submit")
        let state = try await firstBlock(in: output)
        submit.signal(SIGINT)
        let ending = try await commands.ending(of: submit, label: "submit")
        #expect(ending.status == 130)
        #expect(ending.errors.contains("the same command goes on from there"), "\(ending.errors)")
        #expect(FileManager.default.fileExists(atPath: state))
    }

    /// Waits until rows of a job are written. - Returns: the state folder.
    private func firstBlock(in output: String) async throws -> String {
        for _ in 0..<3_000 {
            try await Task.sleep(for: .milliseconds(2))
            let names = (try? FileManager.default.contentsOfDirectory(atPath: output)) ?? []
            guard let state = names.first(where: { $0.hasPrefix(".pool-") }) else { continue }
            let jobs = "\(output)/\(state)/jobs"
            let folders = (try? FileManager.default.contentsOfDirectory(atPath: jobs)) ?? []
            guard let folder = folders.first else { continue }
            // Laid out, but not written, the rows are zeros.
            guard let file = FileHandle(forReadingAtPath: "\(jobs)/\(folder)/.samples.npy.partial") else { continue }
            try file.seek(toOffset: 128)
            if try file.read(upToCount: 8_000)?.contains(where: { $0 != 0 }) == true {
                // From the rows to the journal it is a moment.
                try await Task.sleep(for: .milliseconds(500))
                return "\(output)/\(state)"
            }
        }
        Issue.record("no block was written within its time")
        return output
    }

    @Test("A finished result of another job is refused with 73, by name, before any work; --force replaces it")
    func anotherJob() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let first = try commands.job(chains: 64, levels: 3)
        let second = try commands.job(chains: 65, levels: 3)
        let output = commands.path("out")
        func submit(_ job: String, _ more: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run("rrr-coordinator", ["submit", job, "--output", output] + more, label: label)
        }
        #expect(try await submit(first, ["--workers", "1"], "first").status == 0)
        let before = try commands.bytes(of: output)
        // A coordinator that isn't there is not even asked.
        let ways = [("local", ["--workers", "1"]), ("far", ["--coordinator", "ipc://" + commands.path("nobody")])]
        for (label, way) in ways {
            let refused = try await submit(second, way, label)
            #expect(refused.status == 73)
            #expect(refused.errors.contains("another job, ring-and-bar ("), "\(refused.errors)")
            #expect(refused.errors.contains("--force"))
        }
        #expect(try commands.bytes(of: output) == before)
        #expect(try await submit(second, ["--workers", "1", "--force"], "force").status == 0)
        #expect(try commands.bytes(of: output) != before)
    }

    @Test("Files of the same names that are no run's are refused with 73, others don't matter, a damaged result is 65")
    func ownFiles() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        let output = commands.path("out")
        func submit(_ more: [String], _ label: String) async throws -> Commands.Ending {
            try await commands.run(
                "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output] + more, label: label)
        }
        try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
        for name in ["samples.npy", "notes.txt"] {
            try Data("mine".utf8).write(to: URL(fileURLWithPath: output + "/" + name))
        }
        let refused = try await submit([], "refused")
        #expect(refused.status == 73)
        #expect(refused.errors.contains("would replace: samples.npy;"), "\(refused.errors)")
        #expect(try String(contentsOfFile: output + "/samples.npy", encoding: .utf8) == "mine")
        try FileManager.default.removeItem(atPath: output + "/samples.npy")
        #expect(try await submit([], "beside").status == 0)
        #expect(try String(contentsOfFile: output + "/notes.txt", encoding: .utf8) == "mine")

        let file = try FileHandle(forUpdating: URL(fileURLWithPath: output + "/samples.npy"))
        try file.seek(toOffset: 200)
        try file.write(contentsOf: Data([1, 2, 3, 4]))
        try file.close()
        let damaged = try await submit([], "damaged")
        #expect(damaged.status == 65)
        #expect(damaged.errors.contains("samples.npy") && damaged.errors.contains("--force runs it again"))
        #expect(try await submit(["--force"], "force").status == 0)
        #expect(try await submit([], "again").status == 0)
    }

    @Test("Files that come into the folder while the job runs are not replaced, and the work is kept")
    func meanwhile() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 30_000, levels: 100, transitions: 3)
        let output = commands.path("out")
        let submit = try commands.start(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "submit")
        _ = try await firstBlock(in: output)
        let mine = output + "/statistics.npz"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: mine))
        let ending = try await commands.ending(of: submit, label: "submit")
        #expect(ending.status == 73)
        #expect(ending.errors.contains("statistics.npz"))
        #expect(try String(contentsOfFile: mine, encoding: .utf8) == "mine")
        try FileManager.default.removeItem(atPath: mine)
        let again = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "2", "--output", output], label: "again")
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test("A path is a path, whatever it looks like")
    func pathsLikeAddresses() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        for output in ["file:x", "http://y", "a?b#c%20d"] {
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output], label: "submit")
            #expect(ending.status == 0, "\(output): \(ending.errors)")
            #expect(FileManager.default.fileExists(atPath: commands.path("") + "/" + output + "/summary.json"))
        }
    }

    @Test(
        "A folder that can't be one is refused with 73, and the flag is named",
        arguments: ["", "job-64-3-3.json", "job-64-3-3.json/x", "/proc/x"])
    func impossible(output: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        let ending = try await commands.run(
            "rrr-coordinator", ["submit", job, "--workers", "1", "--output", output], label: "submit")
        #expect(ending.status == 73)
        #expect(ending.errors.contains("--output"), "\(ending.errors)")
    }

    @Test("What a killed pool left beside another job goes if nothing is done in it, and stays if something is")
    func neighbours() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let long = try commands.job(chains: 1_000_000, levels: 100, transitions: 10, block: 2_000)
        let output = commands.path("out")
        let killed = try commands.start(
            "rrr-coordinator", ["submit", long, "--workers", "1", "--output", output], label: "killed")
        let state = try await firstBlock(in: output)
        killed.signal(SIGKILL)
        _ = try await commands.ending(of: killed, label: "killed")
        let empty = output + "/.pool-00000000"
        try FileManager.default.createDirectory(atPath: empty + "/models", withIntermediateDirectories: true)
        let other = try await commands.run(
            "rrr-coordinator",
            ["submit", try commands.job(chains: 64, levels: 3), "--workers", "1", "--output", output], label: "other")
        #expect(other.status == 0, "\(other.errors)")
        #expect(other.errors.contains("\(state) holds what another job has done"), "\(other.errors)")
        #expect(FileManager.default.fileExists(atPath: state))
        #expect(!FileManager.default.fileExists(atPath: empty))
    }
}
