import ContentHash
import Foundation
import Synchronization
import Testing

/// The real commands, run as a user runs them.
struct Commands {
    /// What a command left behind when it ended.
    struct Ending {
        let status: Int32
        /// From start to end, by the clock of the thread that saw it end: other tests may keep this one waiting.
        let time: Duration
        let output: String
        let errors: String
    }

    /// A folder of this test's own, for jobs and outputs.
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rrr-test-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// The folder where the build put the commands: that of the test runner itself.
    private static let binaries: URL = {
        let runner = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let candidates = [
            runner, package.appendingPathComponent(".build/release"), package.appendingPathComponent(".build/debug"),
        ]
        return candidates.first {
            FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("rrr-coordinator").path)
        } ?? runner
    }()

    /// A command that was started.
    final class Started: Sendable {
        private let process: Process
        private let begin = ContinuousClock().now
        private let end = Mutex<ContinuousClock.Instant?>(nil)

        init(_ process: Process) throws {
            self.process = process
            process.terminationHandler = { [self] _ in end.withLock { $0 = ContinuousClock().now } }
            try process.run()
        }

        var identifier: Int32 { process.processIdentifier }
        var isRunning: Bool { end.withLock { $0 } == nil }
        var status: Int32 { process.isRunning ? -1 : process.terminationStatus }
        var time: Duration { (end.withLock { $0 } ?? ContinuousClock().now) - begin }

        func signal(_ number: Int32) { kill(identifier, number) }
    }

    /// Starts a command; its output goes to files named after `label`.
    ///
    /// - Parameters:
    ///   - environment: in addition to that of the tests.
    ///   - openFiles: how many files it may have open; nil for as many as the tests.
    func start(
        _ name: String, _ arguments: [String], label: String, environment: [String: String] = [:],
        openFiles: Int? = nil
    ) throws -> Started {
        let program = Self.binaries.appendingPathComponent(name)
        guard let openFiles else { return try start(program, arguments, label: label, environment: environment) }
        return try start(
            URL(fileURLWithPath: "/bin/sh"),
            ["-c", "ulimit -n \(openFiles) && exec \"$0\" \"$@\"", program.path] + arguments, label: label,
            environment: environment)
    }

    private func start(
        _ executable: URL, _ arguments: [String], label: String, environment: [String: String]
    ) throws -> Started {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("RRR_") }
            .merging(["XDG_CACHE_HOME": path("cache")]) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        for (suffix, keyPath) in [("out", \Process.standardOutput), ("err", \Process.standardError)] {
            let file = path("\(label).\(suffix)")
            _ = FileManager.default.createFile(atPath: file, contents: nil)
            process[keyPath: keyPath] = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        }
        return try Started(process)
    }

    /// Starts a line of bash that finds the commands by their names.
    func startShell(_ line: String, label: String, environment: [String: String] = [:]) throws -> Started {
        let path = Self.binaries.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
        return try start(
            URL(fileURLWithPath: "/bin/bash"), ["-c", line], label: label,
            environment: ["PATH": path].merging(environment) { $1 })
    }

    /// Waits for a command to end, at most a minute.
    func ending(of process: Started, label: String) async throws -> Ending {
        for _ in 0..<6_000 where process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
        if process.isRunning {
            process.signal(SIGKILL)
            Issue.record("\(label) did not end within a minute")
        }
        func text(_ suffix: String) -> String {
            (try? String(contentsOfFile: path("\(label).\(suffix)"), encoding: .utf8)) ?? ""
        }
        return Ending(status: process.status, time: process.time, output: text("out"), errors: text("err"))
    }

    /// Waits for a line that contains `words` in a file of this test, at most 20 seconds. - Returns: the line.
    @discardableResult
    func wait(for words: String, in file: String) async throws -> String {
        for _ in 0..<1_000 {
            let text = try String(contentsOfFile: path(file), encoding: .utf8)
            if let line = text.split(separator: "\n").first(where: { $0.contains(words) }) { return String(line) }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw CocoaError(.fileReadUnknown, userInfo: [NSLocalizedDescriptionKey: "\(file) has no \"\(words)\""])
    }

    /// Runs a command to its end.
    func run(_ name: String, _ arguments: [String], label: String) async throws -> Ending {
        try await ending(of: try start(name, arguments, label: label), label: label)
    }

    /// Writes a job: the ring and bar with HMC.
    ///
    /// - Parameters:
    ///   - sampler: more members of the sampler, each with a comma before it.
    ///   - target: another target than the product.
    func job(
        chains: Int, levels: Int = 20, transitions: Int = 3, block: Int = 64, draws: Int = 1, sampler: String = "",
        target: String = ""
    ) throws -> String {
        let step = sampler.contains("step_size") ? "" : #", "step_size": 0.03"#
        let target = target.isEmpty ? #"{"product": ["ring", "bar"]}"# : target
        let text = """
            {"rrr": 1, "name": "ring-and-bar", "seed": 7,
             "models": {"ring": {"kind": "gaussian_mixture", "means": [[0.5, 0], [0, 0.5], [-0.5, 0], [0, -0.5]], "std": 0.03},
                        "bar": {"kind": "uniform_box", "low": [-0.2, -1], "high": [0.2, 1]}},
             "target": \(target), "schedule": {"kind": "cosine", "levels": \(levels)},
             "sampler": {"kind": "hmc"\(step), "transitions": \(transitions)\(sampler)}, "chains": \(chains),
             "draws": \(draws), "block": \(block)}
            """
        let file = path("job-\(chains)-\(levels)-\(transitions).json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    /// SHA-256 of every file that must not depend on where the job ran.
    func bytes(of output: String) throws -> [String] {
        try ["job.json", "samples.npy", "summary.json", "statistics.npz"].map {
            SHA256.hash(of: Array(try Data(contentsOf: URL(fileURLWithPath: output + "/" + $0)))).hex
        }
    }

    /// The worker processes that a command has started.
    static func workers(of parent: Int32) -> [Int32] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return processes.filter { Self.parent(ofWorker: $0) == parent }
    }

    /// How long a process has computed, all its threads together; 0 for one that is gone.
    static func computingSeconds(of process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let fields = text.split(separator: ")").last?.split(separator: " "), fields.count > 12
        else { return 0 }
        return fields[11...12].compactMap { Double($0) }.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Whether a worker process still runs; one that has ended and only waits to be buried does not.
    static func isRunning(_ process: Int32) -> Bool { parent(ofWorker: process) != nil }

    /// The parent of a worker process that runs.
    private static func parent(ofWorker process: Int32) -> Int32? {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            status.contains("(rrr-worker)"), let end = status.lastIndex(of: ")")
        else { return nil }
        let fields = status[status.index(end, offsetBy: 2)...].split(separator: " ")
        guard fields.count > 1, fields[0] != "Z", let parent = Int32(fields[1]) else { return nil }
        return parent
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}
