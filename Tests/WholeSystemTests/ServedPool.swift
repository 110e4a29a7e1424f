import Foundation
import Testing

/// A pool whose coordinator may be killed and started again.
final class ServedPool {
    let commands: Commands
    let address: String
    private(set) var serve: Commands.Started
    private var lives = 1
    let state: String
    private let openFiles: Int?

    /// - Parameter openFiles: how many files the coordinator may have open; nil for as many as the tests.
    init(_ commands: Commands, state: String? = nil, openFiles: Int? = nil) throws {
        self.openFiles = openFiles
        self.commands = commands
        self.state = state ?? commands.path("state")
        address = "ipc://" + commands.path("pool")
        serve = try commands.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", self.state], label: "serve1",
            openFiles: openFiles)
    }

    /// - Parameter meanwhile: what happens between the two lives.
    func killCoordinator(
        restartAfter pause: Duration = .milliseconds(200), meanwhile: () throws -> Void = {}
    ) async throws {
        serve.signal(SIGKILL)
        _ = try await commands.ending(of: serve, label: "serve\(lives)")
        try await Task.sleep(for: pause)
        try meanwhile()
        lives += 1
        serve = try commands.start(
            "rrr-coordinator", ["serve", "--listen", address, "--state", state], label: "serve\(lives)",
            openFiles: openFiles)
    }

    /// What the coordinator has said in this life.
    var said: String { (try? String(contentsOfFile: commands.path("serve\(lives).err"), encoding: .utf8)) ?? "" }

    func worker(_ label: String) throws -> Commands.Started {
        try commands.start(
            "rrr-worker", ["--coordinator", address, "--slots", "1"], label: label,
            environment: ["RRR_LOG_LEVEL": "info"])
    }

    /// Ends a worker. - Returns: how many blocks it has run, and what it said.
    func end(_ worker: Commands.Started, _ label: String) async throws -> (blocks: Int, said: String) {
        worker.signal(SIGTERM)
        let ending = try await commands.ending(of: worker, label: label)
        #expect(ending.status == 0, "\(ending.errors)")
        let words = ending.errors.components(separatedBy: "leaving after ").last?.prefix { $0.isNumber } ?? ""
        return (Int(words) ?? -1, ending.errors)
    }

    func jobs() async throws -> [[String: Any]] {
        let status = try await commands.run(
            "rrr-coordinator", ["status", "--coordinator", address, "--json"], label: "status")
        let answer = try JSONSerialization.jsonObject(with: Data(status.output.utf8)) as? [String: Any]
        return answer?["jobs"] as? [[String: Any]] ?? []
    }

    /// Waits until a job is in that state, at most half a minute.
    ///
    /// - Parameter index: of the job, in the order in which they were handed in.
    func wait(until state: String, ofJob index: Int = 0) async throws {
        for _ in 0..<300 {
            let jobs = try await jobs()
            if index < jobs.count, jobs[index]["state"] as? String == state { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("no job is \(state): \(try await jobs())")
    }

    /// Waits until a condition holds of the first job, as `status --json` tells of it.
    func wait(until condition: ([String: Any]) -> Bool) async throws {
        for _ in 0..<300 {
            if let job = try await jobs().first, condition(job) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("it takes too long: \(try await jobs())")
    }

    func submit(_ job: String, _ label: String, _ more: [String] = []) throws -> Commands.Started {
        try commands.start(
            "rrr-coordinator",
            ["submit", job, "--coordinator", address, "--output", commands.path(label)] + more, label: label)
    }
}
