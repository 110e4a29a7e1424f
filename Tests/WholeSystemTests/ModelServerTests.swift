import Foundation
import Testing

/// The Python that `.ci/run` sets up for model servers.
enum ServerPython {
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Its path; nil if it is not there or lacks what servers need.
    static let path: String? = {
        let python = package.appendingPathComponent(".build/python/bin/python").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", "import zmq, numpy, google.protobuf"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        process.waitUntilExit()
        return process.terminationStatus == 0 ? python : nil
    }()
}

/// Jobs whose model is a Python program beside the worker, in fair weather and foul. Where the Python that `.ci/run` sets
/// up is not there they are left out.
@Suite("Model servers", .oneAtATime, .enabled(if: ServerPython.path != nil))
struct ModelServerTests {
    /// The command line's offer of the Gaussian of the package's tests.
    private static func offer(_ flags: String = "") -> String {
        let (folder, python) = (ServerPython.package.appendingPathComponent("python").path, ServerPython.path ?? "")
        return "gauss=PYTHONPATH='\(folder)' exec '\(python)' '\(folder)/tests/gaussian_server.py' \(flags)"
    }

    /// A job of it. - Parameter fault: what it is to do wrong.
    private static func job(
        _ commands: Commands, fault: String? = nil, gives: String = "energy", chains: Int = 60, transitions: Int = 4
    ) throws -> String {
        let condition = fault.map { ", \"condition\": {\"fault\": \"\($0)\"}" } ?? ""
        let file = commands.path("job-\(fault ?? "none")-\(chains)-\(transitions).json")
        let sampler = gives == "energy" ? "mala" : "ula"
        try Data(
            """
            {"rrr": 1, "name": "served", "seed": 3,
             "models": {"g": {"kind": "server", "server": "gauss", "shape": [2], "gives": "\(gives)"\(condition)}},
             "target": "g", "schedule": {"kind": "cosine", "levels": 10},
             "sampler": {"kind": "\(sampler)", "step_size": 0.1, "transitions": \(transitions)}, "chains": \(chains),
             "block": 20}
            """.utf8
        ).write(to: URL(fileURLWithPath: file))
        return file
    }

    private static func samples(_ output: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: output + "/samples.npy"))
    }

    private static func submit(
        _ commands: Commands, _ job: String, workers: Int = 1, flags: String = "", label: String
    ) async throws -> Commands.Ending {
        try await commands.run(
            "rrr-coordinator",
            ["submit", job, "--workers", "\(workers)", "--server", offer(flags), "--output", commands.path(label)],
            label: label)
    }

    /// The processes that run the Gaussian for this test, which its folder's name tells.
    private static func servers(of commands: Commands) -> [Int32] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return processes.filter { process in
            let line = (try? String(contentsOfFile: "/proc/\(process)/cmdline", encoding: .utf8)) ?? ""
            let folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
            // The worker's own line has the server's in it.
            return line.hasPrefix(ServerPython.path ?? "") && line.contains("gaussian_server.py")
                && folder == commands.folder.path
        }
    }

    private static func waitUntilGone(_ commands: Commands) async throws {
        for _ in 0..<250 where !servers(of: commands).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        #expect(servers(of: commands).isEmpty)
    }

    private static func worker(
        _ commands: Commands, _ pool: ServedPool, flags: String = "", limit: String = "60", label: String = "worker"
    ) throws -> Commands.Started {
        try commands.start(
            "rrr-worker",
            [
                "--coordinator", pool.address, "--slots", "1", "--server", offer(flags), "--server-time-limit", limit,
            ], label: label)
    }

    @Test(
        "one worker and two give the same bytes, provenance tells the server's arithmetic, and nothing is left behind")
    func sameBytes() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try Self.job(commands)
        for workers in [1, 2] {
            let ending = try await Self.submit(commands, job, workers: workers, label: "of-\(workers)")
            #expect(ending.status == 0, "\(ending.errors)")
        }
        #expect(try commands.bytes(of: commands.path("of-1")) == commands.bytes(of: commands.path("of-2")))
        let provenance = try String(contentsOfFile: commands.path("of-2/provenance.json"), encoding: .utf8)
        #expect(provenance.contains(/"fingerprint": "[0-9a-f]{16} gauss=[0-9a-f]{16}"/))
        try await Self.waitUntilGone(commands)
    }

    @Test("a server that is slow to start is waited for")
    func slowStart() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let ending = try await Self.submit(commands, try Self.job(commands), flags: "--slow", label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(ending.time > .milliseconds(1_500))
    }

    @Test(
        "what a server does wrong with each evaluation fails the job, with the reason",
        arguments: [
            ("exception", "", "RuntimeError: told to fail"), ("nan", "", "gave NaN for all 16 points"),
            ("shape", "", "the energy has the shape [16, 1], and [16] is needed"),
            (nil, "--short", "it gave 15 energies and 31 components of gradients, and 16 and 32 were asked for"),
            (nil, "--levels", "was trained on another schedule, of 2 levels"),
        ] as [(String?, String, String)])
    func faults(_ fault: String?, _ flags: String, _ reason: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let ending = try await Self.submit(commands, try Self.job(commands, fault: fault), flags: flags, label: "out")
        #expect(ending.status == 2, "\(ending.errors)")
        #expect(ending.errors.contains("the model server \"gauss\"") || fault == "nan", "\(ending.errors)")
        #expect(ending.errors.contains(reason), "\(ending.errors)")
        if fault == "exception" { #expect(ending.errors.contains("gaussian_server.py\", line")) }
    }

    @Test("a job that says something else of the server than it is fails, with the reason")
    func otherKind() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let ending = try await Self.submit(commands, try Self.job(commands, gives: "score"), label: "out")
        #expect(ending.status == 2)
        #expect(ending.errors.contains("gives an energy, but the job says \"gives\": \"score\""), "\(ending.errors)")
    }

    @Test(
        "a block whose server dies or hangs is run again, with the same bytes", arguments: ["death-once", "hang-once"])
    func startedAgain(_ fault: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        let worker = try Self.worker(commands, pool, limit: "1.5")
        defer { for process in [worker, pool.serve] { process.signal(SIGKILL) } }
        for (job, label) in [(try Self.job(commands), "calm"), (try Self.job(commands, fault: fault), "rough")] {
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", job, "--coordinator", pool.address, "--output", commands.path(label)],
                label: label)
            #expect(ending.status == 0, "\(ending.errors)")
        }
        #expect(try Self.samples(commands.path("calm")) == Self.samples(commands.path("rough")))
        let said = try String(contentsOfFile: commands.path("worker.err"), encoding: .utf8)
        #expect(said.contains(fault == "death-once" ? "it ended with signal 9" : "was not answered within"), "\(said)")
    }

    @Test("a server that is killed half-way is started again, and the job ends with the same bytes")
    func killed() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try Self.job(commands, chains: 200, transitions: 40)
        let calm = try await Self.submit(commands, job, label: "calm")
        #expect(calm.status == 0, "\(calm.errors)")
        let pool = try ServedPool(commands)
        let workers = try (1...2).map { try Self.worker(commands, pool, label: "worker\($0)") }
        defer { for process in workers + [pool.serve] { process.signal(SIGKILL) } }
        let submission = try commands.start(
            "rrr-coordinator", ["submit", job, "--coordinator", pool.address, "--output", commands.path("rough")],
            label: "rough")
        try await pool.wait(until: "running")
        for server in Self.servers(of: commands) { kill(server, SIGKILL) }
        let ending = try await commands.ending(of: submission, label: "rough")
        #expect(ending.status == 0, "\(ending.errors)")
        #expect(try commands.bytes(of: commands.path("calm")) == commands.bytes(of: commands.path("rough")))
        let said = try String(contentsOfFile: commands.path("worker1.err"), encoding: .utf8)
        #expect(said.contains("it ended with signal 9"), "\(said)")
    }

    @Test("a worker without the server never gets the block, and the job says what it waits for")
    func lacking() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        let bare = try pool.worker("bare")
        let submission = try commands.start(
            "rrr-coordinator",
            ["submit", try Self.job(commands), "--coordinator", pool.address, "--output", commands.path("out")],
            label: "out")
        defer { for process in [bare, submission, pool.serve] { process.signal(SIGKILL) } }
        try await Task.sleep(for: .seconds(1))
        let notice = try await pool.jobs().first?["notice"] as? String
        #expect(notice?.contains("waits for a worker with the model server \"gauss\"") == true, "\(notice ?? "")")
        let worker = try Self.worker(commands, pool)
        defer { worker.signal(SIGKILL) }
        let ending = try await commands.ending(of: submission, label: "out")
        #expect(ending.status == 0, "\(ending.errors)")
        let list = try await commands.run("rrr-coordinator", ["workers", "--coordinator", pool.address], label: "list")
        #expect(list.output.split(separator: "\n").filter { $0.contains(/, server gauss [0-9a-f]{16}/) }.count == 1)
        #expect(try await pool.end(bare, "bare").blocks == 0)
    }

    @Test("a server of another version of the protocol is not offered, and the worker says why")
    func otherVersion() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        let worker = try Self.worker(commands, pool, flags: "--version")
        defer { for process in [worker, pool.serve] { process.signal(SIGKILL) } }
        let line = try await commands.wait(for: "version", in: "worker.err")
        #expect(line.contains("the request is of protocol version 1; this server speaks 2"), "\(line)")
    }

    @Test("a server that does not listen, since it loads or computes, ends with its worker as well")
    func deaf() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        // The name at the end is for it to be found by.
        let deaf = "gauss=\(try #require(ServerPython.path)) -c 'import time; time.sleep(300)' gaussian_server.py"
        let worker = try commands.start(
            "rrr-worker", ["--coordinator", pool.address, "--slots", "1", "--server", deaf], label: "worker")
        defer { for process in [worker, pool.serve] { process.signal(SIGKILL) } }
        for _ in 0..<500 where Self.servers(of: commands).isEmpty { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!Self.servers(of: commands).isEmpty)
        worker.signal(SIGKILL)
        try await Self.waitUntilGone(commands)
    }

    @Test("a local job whose server nobody has named is refused before any work")
    func nobody() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try Self.job(commands)
        for flags in [[], ["--server", "other=true"]] {
            let ending = try await commands.run(
                "rrr-coordinator", ["submit", job, "--workers", "1", "--output", commands.path("out")] + flags,
                label: "out")
            #expect(ending.status == 64 && ending.errors.contains("--server gauss=COMMAND"), "\(ending.errors)")
        }
    }

    @Test("servers end with their worker, whether it is asked to end or killed", arguments: [SIGTERM, SIGKILL])
    func ends(_ signal: Int32) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let pool = try ServedPool(commands)
        let worker = try Self.worker(commands, pool)
        defer { pool.serve.signal(SIGKILL) }
        _ = try await commands.wait(for: "server gauss is ready", in: "worker.err")
        #expect(Self.servers(of: commands).count == 1)
        worker.signal(signal)
        _ = try await commands.ending(of: worker, label: "worker")
        try await Self.waitUntilGone(commands)
    }
}
