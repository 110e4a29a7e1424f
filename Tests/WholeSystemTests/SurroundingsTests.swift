import Foundation
import RunFolder
import Testing

@Suite("Commands in surroundings that are not what they expect", .oneAtATime)
struct SurroundingsTests {
    /// Runs a line of shell, in which the names of the commands stand for their paths.
    private func shell(
        _ commands: Commands, _ line: String, environment: [String: String] = [:]
    ) async throws -> Commands.Ending {
        let process = try commands.startShell(line, label: "shell", environment: environment)
        return try await commands.ending(of: process, label: "shell")
    }

    @Test(
        "Standard error that can't be written changes neither what a command does nor how it ends",
        arguments: ["2>/dev/full", "2>&-", "2> >(exec 0<&-; sleep 0.2)"])
    func unwritableErrors(redirection: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        let valid = try await shell(commands, "rrr-coordinator validate \(job) \(redirection)")
        #expect(valid.status == 0)
        #expect(valid.output.contains("\"ring-and-bar\""))
        #expect(try await shell(commands, "rrr-coordinator submit none.json \(redirection)").status == 66)
        #expect(try await shell(commands, "rrr-coordinator sumbit \(redirection)").status == 64)
        let run = try await shell(
            commands, "rrr-coordinator submit \(job) --workers 1 --output out \(redirection)",
            environment: ["RRR_LOG_LEVEL": "debug"])
        #expect(run.status == 0)
        #expect(FileManager.default.fileExists(atPath: commands.path("out/summary.json")))
    }

    @Test("A worker that is told to stop at any moment of its start ends")
    func stopAtStart() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        for milliseconds in stride(from: 0, to: 60, by: 2) {
            let label = "worker\(milliseconds)"
            let worker = try commands.start(
                "rrr-worker", ["--coordinator", "ipc://" + commands.path("nobody")], label: label)
            try await Task.sleep(for: .milliseconds(milliseconds))
            worker.signal(SIGTERM)
            let ending = try await commands.ending(of: worker, label: label)
            // By the signal itself before it listens to it, and by itself after that.
            #expect([0, SIGTERM].contains(ending.status), "\(ending.errors)")
            #expect(ending.time < .seconds(30))
        }
    }

    @Test("A result that can't be written to standard output is 74", arguments: [">/dev/full", ">&-"])
    func unwritableOutput(redirection: String) async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        for line in [
            "rrr-coordinator validate \(job)", "rrr-coordinator --help", "rrr-model --help", "rrr-worker --version",
            "rrr-coordinator submit \(job) --workers 1 --output out",
        ] {
            let ending = try await shell(commands, "\(line) \(redirection)")
            #expect(ending.status == 74, "\(line): \(ending.errors)")
            #expect(ending.errors.contains("standard output"), "\(line)")
        }
        // Whatever became of the telling, the result is there.
        #expect(FileManager.default.fileExists(atPath: commands.path("out/summary.json")))
    }

    @Test("A path that is not UTF-8 is refused, and nothing is written elsewhere")
    func notText() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 64, levels: 3)
        let before = try FileManager.default.contentsOfDirectory(atPath: commands.folder.path).count
        for line in [
            "rrr-coordinator submit \(job) --workers 1 --output $'bad\\xff'",
            "RRR_STATE=$'bad\\xff' rrr-coordinator serve", "rrr-worker --coordinator $'ipc://bad\\xff'",
            "rrr-model inspect $'bad\\xff'",
        ] {
            let ending = try await shell(commands, line)
            #expect(ending.status == 64, "\(line): \(ending.errors)")
            #expect(ending.errors.contains("not UTF-8"), "\(line)")
        }
        // The shell's own two files have come.
        #expect(try FileManager.default.contentsOfDirectory(atPath: commands.folder.path).count == before + 2)
    }

    @Test("A long TMPDIR is passed over for a shorter place of the pool's socket")
    func longFolder() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let long = commands.path(String(repeating: "x", count: 100))
        try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
        let job = try commands.job(chains: 64, levels: 3)
        let ending = try await shell(
            commands, "rrr-coordinator submit \(job) --workers 1 --output out", environment: ["TMPDIR": long])
        #expect(ending.status == 0, "\(ending.errors)")
    }

    @Test("A killed pool's private folder goes with the next run")
    func leftovers() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let place = commands.path("t")
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        func folders() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: place) }
        let long = try commands.start(
            "rrr-coordinator", ["submit", try commands.job(chains: 1_000_000), "--workers", "1", "--output", "long"],
            label: "long", environment: ["TMPDIR": place])
        for _ in 0..<500 where Commands.workers(of: long.identifier).isEmpty {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(try folders().count == 1)
        // That of a pool that lives is left alone.
        func run(_ label: String) async throws {
            let short = try commands.start(
                "rrr-coordinator",
                ["submit", try commands.job(chains: 64, levels: 3), "--workers", "1", "--output", label], label: label,
                environment: ["TMPDIR": place])
            #expect(try await commands.ending(of: short, label: label).status == 0)
        }
        try await run("beside")
        #expect(try folders().count == 1)
        long.signal(SIGKILL)
        _ = try await commands.ending(of: long, label: "long")
        #expect(try folders().count == 1)
        try await run("after")
        #expect(try folders().isEmpty)
    }

    @Test("A process that is bound to one processor starts one worker")
    func affinity() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 1_000_000)
        let submit = try commands.startShell(
            "exec taskset -c 0 rrr-coordinator submit \(job) --output out", label: "submit")
        for _ in 0..<500 where Commands.workers(of: submit.identifier).isEmpty {
            try await Task.sleep(for: .milliseconds(10))
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(Commands.workers(of: submit.identifier).count == 1)
        submit.signal(SIGTERM)
        #expect(try await commands.ending(of: submit, label: "submit").status == 143)
    }

    @Test("A coordinator is found by a name that has two families of addresses, whichever it listens at")
    func twoFamilies() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        try Data("127.0.0.1 localhost\n::1 dual\n127.0.0.1 dual\n".utf8)
            .write(to: URL(fileURLWithPath: commands.path("hosts")))
        // Namespaces are not everybody's.
        guard try await shell(commands, "unshare -m true").status == 0 else { return }
        let inside = "mount --make-rprivate / && mount --bind \(commands.path("hosts")) /etc/hosts && exec"
        for (index, host) in ["127.0.0.1", "[::1]"].enumerated() {
            let label = "serve\(index)"
            let serve = try commands.startShell(
                "exec rrr-coordinator serve --listen 'tcp://\(host):*' --state state\(index)", label: label)
            var port = ""
            for _ in 0..<500 where port.isEmpty {
                try await Task.sleep(for: .milliseconds(10))
                let text = (try? String(contentsOfFile: commands.path(label + ".err"), encoding: .utf8)) ?? ""
                port = text.split(separator: "\n").first.map { String($0.split(separator: ":").last ?? "") } ?? ""
            }
            let status = try await shell(
                commands, "unshare -m sh -c '\(inside) rrr-coordinator status --coordinator tcp://dual:\(port)'")
            // A machine without IPv6 has no second family.
            if host == "127.0.0.1" || !port.isEmpty { #expect(status.status == 0, "\(host): \(status.errors)") }
            serve.signal(SIGTERM)
            _ = try await commands.ending(of: serve, label: label)
        }
    }

    @Test("Without /proc a command says that it needs it")
    func withoutProc() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        guard try await shell(commands, "unshare -m true").status == 0 else { return }
        for command in ["rrr-coordinator status", "rrr-worker --once", "rrr-model inspect x"] {
            let ending = try await shell(
                commands, "unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs none /proc && exec \(command)'")
            #expect(ending.status == 70, "\(command): \(ending.output)")
            #expect(ending.errors.contains("/proc"), "\(command): \(ending.errors)")
        }
    }

    @Test("A job is read from standard input, and so are points")
    func standardInput() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 100)
        let submitted = try await commands.ending(
            of: try commands.startShell(
                "cat \(job) | rrr-coordinator submit - --workers 1 --output piped && "
                    + "rrr-coordinator submit \(job) --workers 1 --output named", label: "submit"), label: "submit")
        #expect(submitted.status == 0, "\(submitted.errors)")
        #expect(try commands.bytes(of: commands.path("piped")) == commands.bytes(of: commands.path("named")))

        let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("EnergyModelsTests/Fixtures/denoising.safetensors").path
        let dimension = 2
        var array = try ArrayStaging(
            folder: commands.folder.path, name: "points.npy", elementType: .float32, shape: [3, dimension])
        try array.write((0..<3 * dimension).map { Float($0) / 10 }, atRow: 0)
        try array.finish()
        let line = "rrr-model evaluate \(model) --level 2 --points"
        let evaluated = try await commands.ending(
            of: try commands.startShell(
                "cat points.npy | \(line) - --output a && \(line) points.npy --output b", label: "evaluate"),
            label: "evaluate")
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        for name in ["energy.npy", "gradient.npy"] {
            let (piped, named) = (commands.path("a/" + name), commands.path("b/" + name))
            #expect(try Data(contentsOf: URL(filePath: piped)) == Data(contentsOf: URL(filePath: named)))
        }
    }

    @Test("A limit of the size of files ends no command by a signal: the job fails and says which file is too large")
    func fileSizeLimit() async throws {
        let commands = try Commands()
        defer { commands.remove() }
        let job = try commands.job(chains: 100_000, levels: 5, transitions: 1, block: 500)
        // In units of 1 024 bytes; the samples take 800 000 bytes.
        let ending = try await commands.ending(
            of: try commands.startShell(
                "ulimit -f 600; rrr-coordinator submit \(job) --workers 1 --output out", label: "limited"),
            label: "limited")
        #expect([2, 74].contains(ending.status), "\(ending.status) \(ending.errors)")
        #expect(ending.errors.contains("samples.npy") && ending.errors.contains("File too large"), "\(ending.errors)")
        #expect(!FileManager.default.fileExists(atPath: commands.path("out/summary.json")))
    }
}
