import Foundation

/// How the processes of a pool are started: the commands beside the one that runs, or a shell command for workers.
package struct PoolCommands: Sendable {
    /// The job's file.
    package var job: String
    /// Where the coordinator listens. Port `*` is chosen by the system, and kept when it starts again.
    package var listen: String
    /// Lets the coordinator listen beyond this host.
    package var insecure: Bool
    /// A shell command that starts a worker, with `{worker}` and `{coordinator}` in it; nil for the local one.
    package var workerCommand: String?
    /// Set in the environment of all processes, from which other RRR_ variables are removed.
    package var variables: [String: String]
    /// The folder of the commands.
    private let commands: String

    /// - Throws: ``ChaosError`` with exit status 70 if the commands are not beside the one that runs.
    package init(
        job: String, listen: String, insecure: Bool, workerCommand: String?, variables: [String: String]
    ) throws(ChaosError) {
        self.job = job
        self.listen = listen
        self.insecure = insecure
        self.workerCommand = workerCommand
        self.variables = variables
        commands = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        for name in ["rrr-coordinator", "rrr-worker"] {
            guard FileManager.default.isExecutableFile(atPath: commands + "/" + name) else {
                throw ChaosError(exitStatus: 70, "\(commands)/\(name) is missing (swift build makes it)")
            }
        }
    }

    /// The environment of a process whose model cache is in `folder`: an empty one, so that models travel too.
    private func environment(_ folder: String? = nil) -> [String: String] {
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("RRR_") }
        all["RRR_LOG_LEVEL"] = "info"
        if let folder { all["XDG_CACHE_HOME"] = folder + "/cache" }
        return all.merging(variables) { $1 }
    }

    private func coordinator(_ arguments: [String]) -> ProcessCommand {
        ProcessCommand(
            executable: commands + "/rrr-coordinator", arguments: arguments, environment: environment())
    }

    /// The job in a pool of its own, undisturbed.
    func submitLocally(workers: Int, output: String) -> ProcessCommand {
        coordinator(["submit", job, "--workers", String(workers), "--output", output])
    }

    func serve(listen: String, state: String) -> ProcessCommand {
        coordinator(["serve", "--listen", listen, "--state", state] + (insecure ? ["--insecure"] : []))
    }

    func submit(to address: String, output: String) -> ProcessCommand {
        coordinator(["submit", job, "--coordinator", address, "--output", output])
    }

    func ask(_ question: String, at address: String) -> ProcessCommand {
        coordinator([question, "--json", "--coordinator", address])
    }

    func worker(for address: String, folder: String) -> ProcessCommand {
        let worker = commands + "/rrr-worker"
        guard let workerCommand else {
            return ProcessCommand(
                executable: worker, arguments: ["--coordinator", address, "--slots", "1"],
                environment: environment(folder))
        }
        let text = workerCommand.replacing("{worker}", with: worker).replacing("{coordinator}", with: address)
        // This process ignores the signals it listens for, and what it starts would inherit that: ssh keeps to it.
        return ProcessCommand(
            executable: "/usr/bin/env", arguments: ["--default-signal=INT,TERM", "/bin/sh", "-c", text],
            environment: environment())
    }
}
