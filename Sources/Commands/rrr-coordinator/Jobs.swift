import ArgumentParser
import CommandFrame
import ContentHash
import Coordinator
import Messaging
import PoolKeys
import RunFolder
import StopSignals
import StrictJSON
import TerminalProgress

/// The job that a command is about, and the coordinator that has it.
struct JobArgument: ParsableArguments {
    /// - Parameter alternative: what holds without it.
    static func help(orElse alternative: String? = nil) -> ArgumentHelp {
        ArgumentHelp(
            "The first digits of a job's hash, or last for the newest (one that is handed in again keeps its place)"
                + (alternative.map { "; \($0)." } ?? "."))
    }

    @Argument(help: JobArgument.help())
    var id: String

    @OptionGroup var connection: CoordinatorOption

    /// The job, and a client that may ask of it.
    ///
    /// - Parameter interruption: where a signal's number arrives that should end waiting.
    func find(
        as roles: [PeerRole] = [.submitter], interruption: Mailbox<Int32> = Mailbox()
    ) throws -> (client: PoolClient, job: JobStatus) {
        var client = try connection.client(as: roles, interruption: interruption)
        return (client, try client.job(named: id))
    }

    /// Tells the coordinator what is wanted of the job, and waits until that is so.
    func tell(_ wish: (Digest) -> Message) throws {
        let found = try find()
        var client = found.client
        _ = try client.ask(wish(found.job.job)) { answer -> PoolStatus? in
            if case .poolStatus(let status) = answer { status } else { nil }
        }
    }
}

struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the jobs of a coordinator, the latest last.")

    @OptionGroup var connection: CoordinatorOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try reportingFailure {
            var client = try connection.client(as: PeerRole.asking)
            let jobs = try client.status().jobs
            try printResult(json ? JobListing(jobs).json.pretty : JobListing(jobs).table)
            tellIfCut(jobs)
        }
    }
}

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a job until it is over; exit status 2 if it failed or was cancelled.")

    @OptionGroup var job: JobArgument

    @Flag(help: "Print a line of JSON twice a second.")
    var json = false

    func run() throws {
        try reportingFailure {
            let interruption = Mailbox<Int32>()
            let signals = StopSignals { interruption.post($0) }
            defer { withExtendedLifetime(signals) {} }
            let (client, found) = try job.find(as: PeerRole.asking, interruption: interruption)
            var watch = JobWatch(client, of: found.job)
            var progress = ProgressLine()
            defer { progress.clear() }
            try watch.run { status in
                progress.show(secondsElapsed: status.secondsElapsed, status.progressText)
                if json { try printResult(JobListing([status]).json.canonical) }
            }
            progress.clear()
            let id = found.job.hex.prefix(8)
            if !json { try printResult("\(found.name) \(id) is finished: rrr-coordinator fetch \(id) DIR brings it") }
        }
    }
}

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell where a job runs, what it waits for and when it will end.")

    @OptionGroup var job: JobArgument

    @Argument(help: "A chain, from 0: how its block stands as well.")
    var chain: Int?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if let chain, chain < 0 { throw ValidationError("A chain is a number from 0, is \(chain).") }
    }

    func run() throws {
        try reportingFailure {
            let found = try job.find(as: PeerRole.asking)
            var client = found.client
            let explanation = try client.ask(.explain(job: found.job.job, chain: chain)) { answer -> Explanation? in
                if case .explanation(let explanation) = answer { explanation } else { nil }
            }
            let told = JobExplanation(explanation, chain: chain)
            try printResult(json ? told.json.pretty : told.text)
        }
    }
}

struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the files of a finished job into a folder that is empty, or not there yet.")

    @OptionGroup var job: JobArgument

    @Argument(help: "The folder.")
    var folder: String

    @Flag(help: "Print the summary as JSON.")
    var json = false

    func run() throws {
        try reportingFailure {
            let interruption = Mailbox<Int32>()
            let signals = StopSignals { interruption.post($0) }
            defer { withExtendedLifetime(signals) {} }
            let (client, found) = try job.find(interruption: interruption)
            guard found.state == .finished else { throw PoolClientError(unfinished: found) }
            let claim = try FolderClaim(folder)
            defer { withExtendedLifetime(claim) {} }
            try OutputFolder.expectEmpty(folder)
            var transfer = RunTransfer(client, of: found.job, to: folder) { try OutputFolder.expectEmpty(folder) }
            let summary = try transfer.run()
            try printResult(json ? summary.json : summary.text + "\n\(folder)")
        }
    }
}

extension PoolClientError {
    /// That a job has no files to be fetched, and what to do.
    fileprivate init(unfinished job: JobStatus) {
        let id = job.job.hex.prefix(8)
        self.init(
            exitStatus: job.state.isOver ? 66 : 75,
            "job \(id) is \(job.state.rawValue) and has no files; "
                + (job.state.isOver
                    ? "rrr-coordinator status \(id) tells of it, submit it again to run it again"
                    : "wait for it with: rrr-coordinator watch \(id)"))
    }
}

struct Cancel: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Cancel a job.")

    @OptionGroup var job: JobArgument

    func run() throws { try reportingFailure { try job.tell { .cancel(job: $0) } } }
}

struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Forget a job that is over, and remove its files at the coordinator.")

    @OptionGroup var job: JobArgument

    func run() throws { try reportingFailure { try job.tell { .delete(job: $0) } } }
}
