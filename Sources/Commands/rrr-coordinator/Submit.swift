import ArgumentParser
import CommandFrame
import ContentHash
import Coordinator
import Foundation
import JobFile
import MachineCapacity
import Messaging
import PoolKeys
import RunFolder
import StopSignals
import TerminalProgress

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a job and write its output folder.",
        discussion: """
            Without --coordinator (and without RRR_COORDINATOR) the job runs on this host: a coordinator in this process \
            and one worker process per core that it may use. The same job gives the same bytes either way.
            """)

    @Argument(help: "The job file; - for standard input.")
    var job: String

    @Option(help: "The output folder (default: runs/NAME-HASH8).")
    var output: String?

    @Option(help: "Local worker processes (default: one per core that this process may use).")
    var workers: Int?

    @OptionGroup var networks: MemoryOption

    @Option(
        help: ArgumentHelp(
            "A model server that each local worker runs beside it, as for rrr-worker. May be given several times.",
            valueName: "name=command|name=ipc://path"))
    var server: [String] = []

    @Option(help: "Address of a coordinator that is running, such as tcp://127.0.0.1:7757.")
    var coordinator: String?

    @OptionGroup var keys: KeysOption

    @Flag(help: "Hand the job in and return; needs a coordinator.")
    var detach = false

    @Flag(
        help: """
            Run the job from its start, even if the output folder holds its result or a part of it, and replace what \
            else has the names of its files there.
            """)
    var force = false

    @OptionGroup var treatment: TreatmentOptions

    @Flag(help: "Print the summary as JSON.")
    var json = false

    func validate() throws {
        if let workers, !(1...4096).contains(workers) {
            throw ValidationError("--workers must be from 1 to 4096, is \(workers).")
        }
        if detach, try Environment.coordinator(coordinator) == nil {
            throw ValidationError("--detach needs a coordinator that outlives this command: give --coordinator.")
        }
        if keys.keys != nil, try Environment.coordinator(coordinator) == nil {
            throw ValidationError("--keys are for a coordinator that was started with serve: give --coordinator.")
        }
        if workers != nil, coordinator != nil {
            throw ValidationError("--workers starts local workers; a coordinator has its own.")
        }
        do throws(ServerOffer.Malformed) {
            _ = try ServerOffer.all(server)
        } catch {
            throw ValidationError("--server \(error).")
        }
        if !server.isEmpty, coordinator != nil {
            throw ValidationError("--server is that of local workers; a coordinator's have their own.")
        }
        if networks.memory != nil, coordinator != nil {
            throw ValidationError("--memory is that of local workers; a coordinator's have their own.")
        }
    }

    func run() throws {
        try reportingFailure {
            let job = try Job.load(path: job)
            let folder = output ?? "runs/\(job.name)-\(job.identity.hex.prefix(8))"
            let claim = detach ? nil : try claim(folder)
            if !force, !detach, try OutputFolder(folder, for: job.identity).holdsResult() {
                // A run that was killed at its very end may have left it.
                PoolState(ofJob: job.identity.hex, in: folder).remove()
                return try show(try RunFolder.summary(in: folder), folder)
            }
            defer { withExtendedLifetime(claim) {} }
            let interruption = Mailbox<Int32>()
            let signals = StopSignals { interruption.post($0) }
            defer { withExtendedLifetime(signals) {} }
            // --workers, --memory and --server, being flags, win over RRR_COORDINATOR.
            let isLocal = workers != nil || networks.memory != nil || !server.isEmpty
            if let endpoint = isLocal ? nil : try Environment.coordinator(coordinator) {
                try submit(job, folder, to: endpoint, interruption)
            } else {
                try submitLocally(job, folder, interruption)
            }
        }
    }

    private func submit(
        _ job: Job, _ folder: String, to endpoint: String, _ interruption: Mailbox<Int32>
    ) throws {
        var submission = Submission(
            client: try PoolClient(
                endpoint: endpoint, keys: try keys.path.map { try KeyFolder.clientKeys($0, for: [.submitter]) },
                interruption: interruption), job: job, folder: folder, force: force, terms: treatment.terms)
        if detach {
            try submission.submit(watch: false)
            try printResult(job.identity.hex)
            tell("collect it with: rrr-coordinator submit \(self.job) --coordinator \(endpoint)")
            return
        }
        try show(try run(&submission), folder)
    }

    /// Runs the job in this process and workers beside it. What is done is kept in a hidden folder of the output
    /// folder until the job is, so that the same command goes on after a crash or an interruption.
    private func submitLocally(_ job: Job, _ folder: String, _ interruption: Mailbox<Int32>) throws {
        let offered = Set(server.map { String($0.prefix { $0 != "=" }) })
        if let missing = job.servers.subtracting(offered).min() {
            throw PoolClientError(
                exitStatus: 64,
                "\(self.job): a model is evaluated by the server \"\(missing)\"; say how it is started, --server "
                    + "\(missing)=COMMAND, or where it runs, --server \(missing)=ipc://PATH")
        }
        let state = PoolState(ofJob: job.identity.hex, in: folder)
        if force { state.remove() }
        for other in state.removeSpentNeighbours() {
            tell("rrr-coordinator: \(other.path) holds what another job has done; it stays for that job to go on")
        }
        let pool = try LocalPool(
            workers: workers ?? MachineCapacity.processors, memory: try networks.bytes(), servers: server,
            state: state, logger: Environment.logger)
        var submission = Submission(
            client: try PoolClient(endpoint: pool.endpoint, interruption: interruption), job: job, folder: folder,
            force: force, terms: treatment.terms, cancelsWhenInterrupted: false)
        let summary: RunSummary
        do {
            summary = try run(&submission)
        } catch {
            pool.close(keepingWork: true)
            if state.exists {
                let isFailure = (error as? PoolClientError)?.exitStatus == 2
                tell(
                    "rrr-coordinator: what is done is kept in \(state.path); the same command "
                        + (isFailure ? "tries again what failed, with --force all of it" : "goes on from there"))
            }
            throw error
        }
        pool.close(keepingWork: false)
        try show(summary, folder)
    }

    private func claim(_ folder: String) throws -> FolderClaim {
        guard !folder.isEmpty else {
            throw PoolClientError(exitStatus: 73, "--output is empty; name a folder for the result")
        }
        do {
            return try FolderClaim(folder)
        } catch {
            guard error.code == .cannotCreate else { throw error }
            throw PoolClientError(
                exitStatus: error.exitStatus,
                "the output folder can't be written: \(error); name another with --output")
        }
    }

    private func run(_ submission: inout Submission) throws -> RunSummary {
        var progress = ProgressLine()
        defer { progress.clear() }
        return try submission.run { progress.show(secondsElapsed: $0.secondsElapsed, $0.progressText) }
    }

    private func show(_ summary: RunSummary, _ folder: String) throws {
        try printResult(json ? summary.json : summary.text + "\n\(folder)")
    }
}
