import ArgumentParser
import ContentHash
import Coordinator
import Foundation
import JobFile
import Messaging
import RunFolder
import StopSignals
import TerminalProgress

struct Submit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a job and write its output folder.",
        discussion: """
            Without --coordinator (and without RRR_COORDINATOR) the job runs on this host: a coordinator in this process \
            and one worker process per core. The same job gives the same bytes either way.
            """)

    @Argument(help: "The job file.")
    var job: String

    @Option(help: "The output folder (default: runs/NAME-HASH8).")
    var output: String?

    @Option(help: "Local worker processes (default: one per core).")
    var workers: Int?

    @Option(help: "Address of a coordinator that is running, such as tcp://127.0.0.1:7757.")
    var coordinator: String?

    @Flag(help: "Hand the job in and return; needs a coordinator.")
    var detach = false

    @Flag(help: "Run the job from its start, even if the output folder holds its result or a part of it.")
    var force = false

    @OptionGroup var treatment: TreatmentOptions

    @Flag(help: "Print the summary as JSON.")
    var json = false

    func validate() throws {
        if let workers, !(1...4096).contains(workers) {
            throw ValidationError("--workers must be from 1 to 4096, is \(workers).")
        }
        if detach, Environment.coordinator(coordinator) == nil {
            throw ValidationError("--detach needs a coordinator that outlives this command: give --coordinator.")
        }
        if workers != nil, coordinator != nil {
            throw ValidationError("--workers starts local workers; a coordinator has its own.")
        }
    }

    func run() throws {
        try reportingFailure {
            let job = try Job.load(path: job)
            let folder = output ?? "runs/\(job.name)-\(job.identity.hex.prefix(8))"
            if !force, !detach, RunFolder.isComplete(folder, jobHash: job.identity.hex) {
                // A run that was killed at its very end may have left it.
                try? FileManager.default.removeItem(atPath: stateFolder(of: job, in: folder))
                return try show(try RunFolder.summary(in: folder), folder)
            }
            let claim = detach ? nil : try FolderClaim(folder)
            defer { withExtendedLifetime(claim) {} }
            let interruption = Mailbox<Int32>()
            let signals = StopSignals { interruption.post($0) }
            defer { withExtendedLifetime(signals) {} }
            // --workers, being a flag, wins over RRR_COORDINATOR.
            if let endpoint = workers == nil ? Environment.coordinator(coordinator) : nil {
                try submit(job, folder, try PoolClient(endpoint: endpoint, interruption: interruption))
            } else {
                try submitLocally(job, folder, interruption)
            }
        }
    }

    private func submit(_ job: Job, _ folder: String, _ client: PoolClient) throws {
        var submission = Submission(
            client: client, job: job, folder: folder, force: force, terms: treatment.terms)
        if detach {
            try submission.submit(watch: false)
            try printResult(job.identity.hex)
            tell("collect it with: rrr-coordinator submit \(self.job) --coordinator \(Environment.coordinator(coordinator) ?? "")")
            return
        }
        try show(try run(&submission), folder)
    }

    /// Runs the job in this process and workers beside it. What is done is kept in a hidden folder of the output
    /// folder until the job is, so that the same command goes on after a crash or an interruption.
    private func submitLocally(_ job: Job, _ folder: String, _ interruption: Mailbox<Int32>) throws {
        let state = stateFolder(of: job, in: folder)
        if force { try? FileManager.default.removeItem(atPath: state) }
        let isBegun = FileManager.default.fileExists(atPath: state)
        let pool = try LocalPool(
            workers: workers ?? ProcessInfo.processInfo.activeProcessorCount, stateFolder: state,
            logger: Environment.logger)
        var submission = Submission(
            client: try PoolClient(endpoint: pool.endpoint, interruption: interruption), job: job, folder: folder,
            force: force, terms: treatment.terms, cancelsWhenInterrupted: false)
        let summary: RunSummary
        do {
            summary = try run(&submission)
        } catch {
            let isKept = isBegun || submission.fractionDone > 0
            pool.close(keepingState: isKept)
            if isKept, FileManager.default.fileExists(atPath: state) {
                tell("rrr-coordinator: what is done is kept in \(state); the same command goes on from there")
            }
            throw error
        }
        pool.close(keepingState: false)
        try show(summary, folder)
    }

    /// Jobs that are sent into one folder must not meet.
    private func stateFolder(of job: Job, in folder: String) -> String {
        "\(folder)/.pool-\(job.identity.hex.prefix(8))"
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
