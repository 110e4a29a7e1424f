import ArgumentParser
import Chaos
import CommandFrame
import Foundation
import StopSignals
import StrictJSON

struct ChaosCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Prove that a job gives the same bytes while processes are killed at random.",
        discussion: """
            Runs the job undisturbed. Then runs it in pools of its own, a coordinator, workers and a submitter, and at \
            random moments kills, pauses or stops one of these processes; what has ended starts again a moment later, \
            the coordinator on the same state and address. After --seconds the pool is left alone. Then all files but \
            provenance.json must have the bytes of the undisturbed run.

            Kinds of disturbance: \(Disturbance.allCases.map(\.rawValue).joined(separator: ", ")). \
            worker_killed also takes a block's work since its last checkpoint; a block that is lost five times without \
            getting any further ends its job as failed, so blocks should be short beside --every, or the job's \
            checkpoints close.

            A run that is not flawless leaves its logs, history, output and state in a folder that the report names. \
            Exit status 0 if all runs were identical, 2 if not, that of submit if the undisturbed run fails.
            """)

    @Argument(help: "The job file.")
    var job: String

    @Option(help: "Disturbed runs, one after the other.")
    var runs = 1

    @Option(help: "Worker processes.")
    var workers = 3

    @Option(help: "Mean number of seconds between two disturbances; the gaps are exponentially distributed.")
    var every = 1.0

    @Option(help: "Seconds of disturbance; a job that ends earlier ends its run.")
    var seconds = 60.0

    @Option(help: "Seconds that the job may go on after the last disturbance; then it counts as hung.")
    var patience = 120.0

    @Option(help: "Seed of the first run's choices, the next one's is greater by 1 (default: a random one).")
    var seed: UInt64?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Only these kinds of disturbance (default: all).", valueName: "kind"))
    var only: [Disturbance] = []

    @Option(help: "Where the coordinators listen (default: a free port of 127.0.0.1).")
    var listen = "tcp://127.0.0.1:*"

    @Flag(help: "Let coordinators listen where other hosts can connect, as with serve.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            """
            A shell command that starts a worker somewhere, such as "srun -n1 rrr-worker --coordinator {coordinator}"; \
            {worker} stands for the local binary. The signals go to the process group of the shell that is started here.
            """, valueName: "command"))
    var workerCommand: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A variable for all processes, repeatable; RRR_ variables do not reach them otherwise.",
            valueName: "name=value"))
    var environment: [String] = []

    @Option(help: "New folder for what the runs leave (default: one in the temporary folder).")
    var folder: String?

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        guard runs >= 1 else { throw ValidationError("--runs must be at least 1, is \(runs).") }
        guard (1...4096).contains(workers) else {
            throw ValidationError("--workers must be from 1 to 4096, is \(workers).")
        }
        for (name, value) in [("every", every), ("seconds", seconds), ("patience", patience)] {
            guard value > 0, value <= 1e6 else {
                throw ValidationError("--\(name) must be greater than 0 and at most 1000000, is \(value).")
            }
        }
        guard environment.allSatisfy({ $0.contains("=") && !$0.hasPrefix("=") }) else {
            throw ValidationError("--environment must be NAME=VALUE.")
        }
        try checkListening(at: listen, insecure: insecure)
        if let folder, FileManager.default.fileExists(atPath: folder) {
            throw ValidationError("\(folder) is there already; name a new folder.")
        }
    }

    func run() throws {
        try reportingFailure {
            do {
                try test()
            } catch let error as ChaosError {
                tell("rrr-coordinator: \(error)")
                throw ExitCode(error.exitStatus)
            }
        }
    }

    private func test() throws {
        let signals = StopSignals { _ in }
        let seed = seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        let folder = folder ?? NSTemporaryDirectory() + "rrr-chaos-" + UUID().uuidString.prefix(8)
        let variables = environment.map { $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false) }
        let commands = try PoolCommands(
            job: job, listen: listen, insecure: insecure, workerCommand: workerCommand,
            variables: Dictionary(variables.map { (String($0[0]), String($0[1])) }) { $1 })
        let settings = DisturbanceSettings(
            every: .seconds(every), lasting: .seconds(seconds), workers: workers,
            kinds: only.isEmpty ? Disturbance.allCases : Disturbance.allCases.filter(only.contains))
        let test = ChaosTest(
            commands: commands, settings: settings, patience: .seconds(patience),
            folder: URL(fileURLWithPath: folder).path, interruption: { signals.received })
        tell("seed \(seed)")
        let report = try test.run(runs: runs, seed: seed) { number, line in
            tell(number == 0 ? line : "run \(number) of \(runs), \(line)")
        }
        try printResult(json ? report.json.pretty : report.text)
        if !report.allIdentical { throw ExitCode(2) }
    }
}

extension Disturbance: ExpressibleByArgument {}
