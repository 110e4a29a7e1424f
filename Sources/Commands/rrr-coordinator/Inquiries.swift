import ArgumentParser
import CommandFrame
import ContentHash
import Coordinator
import Foundation
import JobFile
import Messaging
import PoolKeys
import StrictJSON

struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a job file without running it; print its canonical form.")

    @Argument(help: "The job file; - for standard input.")
    var job: String

    func run() throws {
        try reportingFailure {
            let job = try Job.load(path: job)
            try printResult(job.canonicalText)
            tell("\(job.name) \(job.identity.hex.prefix(8)): \(job.chains) chains in \(job.blocks) blocks")
            for warning in job.warnings + [job.problemOfBlocks].compactMap(\.self) { tell("warning: \(warning)") }
        }
    }
}

/// What a command needs to talk to a coordinator.
struct CoordinatorOption: ParsableArguments {
    @Option(help: "Address of the coordinator (default: RRR_COORDINATOR, else tcp://127.0.0.1:7757).")
    var coordinator: String?

    @OptionGroup var keys: KeysOption

    /// - Parameters:
    ///   - roles: whose keys serve, the best first.
    ///   - interruption: where a signal's number arrives that should end waiting.
    func client(
        as roles: [PeerRole] = [.submitter], interruption: Mailbox<Int32> = Mailbox()
    ) throws -> PoolClient {
        try PoolClient(
            endpoint: try Environment.coordinator(coordinator) ?? Endpoint.usual,
            keys: try keys.path.map { try KeyFolder.clientKeys($0, for: roles) }, interruption: interruption)
    }
}

extension PeerRole {
    /// Who may ask how things stand, the one with the fewest rights first.
    static let asking: [PeerRole] = [.status, .submitter]
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the jobs of a coordinator.")

    @Argument(help: JobArgument.help(orElse: "all jobs if left out"))
    var id: String?

    @OptionGroup var connection: CoordinatorOption

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show the pool as a whole and not its jobs: how it is protected, and what it has not taken from peers.")
    var pool = false

    func run() throws {
        try reportingFailure {
            var client = try connection.client(as: PeerRole.asking)
            // A job alone is told of in full.
            let job = try id.map { try client.job(named: $0).job }
            let answer = try client.status(of: job)
            if pool { return try printResult(json ? answer.json.pretty : answer.text) }
            let jobs = answer.jobs
            if json {
                try printResult(JobListing(jobs).json.pretty)
            } else {
                try printResult("\(answer.workers) workers, \(answer.slots) slots, up \(Int(answer.uptimeSeconds)) s")
                if let warning = answer.warning { try printResult(warning) }
                for job in jobs {
                    let line = job.progressText
                    try printResult(
                        "\(job.job.hex.prefix(8)) \(job.state.rawValue): \(line)"
                            + (job.failure.isEmpty ? "" : ": " + job.failure))
                }
            }
            tellIfCut(jobs)
        }
    }
}

/// Says that there may be more jobs than a coordinator lists.
func tellIfCut(_ jobs: [JobStatus]) {
    if jobs.count >= PoolStatus.mostJobs { tell("these are the latest \(PoolStatus.mostJobs) jobs; there may be more") }
}

extension PoolStatus {
    /// What everybody should know who looks at the pool; nil if nothing.
    fileprivate var warning: String? {
        protection == .insecure
            ? "INSECURE: nothing is encrypted, and whoever reaches it may hand in jobs, cancel them and return samples"
            : nil
    }

    fileprivate var text: String {
        let isProtected = protection == .keys ? "by keys, encrypted" : "by where it listens: this host alone"
        let counts = refused.filter { $0.count > 0 }.map { "\($0.count) \($0.name)" }
        return """
            \(workers) workers, \(slots) slots, up \(Int(uptimeSeconds)) s, version \(version)
            \(warning ?? "protected \(isProtected)")
            not taken from peers: \(counts.isEmpty ? "nothing" : counts.joined(separator: ", "))
            """
    }

    fileprivate var json: JSONText {
        .object([
            ("format", .integer(1)), ("workers", .integer(workers)), ("slots", .integer(slots)),
            ("version", .string(version)),
            ("uptime_seconds", .number(uptimeSeconds)), ("protection", .string(protection.rawValue)),
            ("refused", .object(refused.map { ($0.name, .integer($0.count)) })),
        ])
    }
}

struct Workers: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the workers of a coordinator.")

    @OptionGroup var connection: CoordinatorOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try reportingFailure {
            var client = try connection.client(as: PeerRole.asking)
            if let warning = try client.status().warning { tell(warning) }
            let workers = try client.ask(.workersRequest) { answer -> [WorkerStatus]? in
                if case .workers(let workers) = answer { workers } else { nil }
            }
            if json {
                let list = JSONText.array(workers.map(\.json))
                try printResult(JSONText.object([("format", .integer(1)), ("workers", list)]).pretty)
            } else {
                for worker in workers {
                    try printResult(
                        "\(worker.worker) \(worker.host) process \(worker.process): \(worker.slots) slots, "
                            + "\(worker.blocksRunning) blocks running, \(worker.blocksDone) done, heard "
                            + String(format: "%.1f", worker.secondsSinceHeard) + " s ago, version \(worker.version), "
                            + "arithmetic \(worker.fingerprint)"
                            + worker.servers.map { ", server \($0.name) \($0.fingerprint)" }.joined())
                }
                if workers.isEmpty { try printResult("no workers") }
            }
        }
    }
}

extension WorkerStatus {
    fileprivate var json: JSONText {
        .object([
            ("worker", .integer(Int(worker))), ("host", .string(host)), ("process", .integer(process)),
            ("slots", .integer(slots)), ("version", .string(version)), ("fingerprint", .string(fingerprint)),
            ("blocks_done", .integer(blocksDone)), ("blocks_running", .integer(blocksRunning)),
            ("seconds_since_heard", .number(secondsSinceHeard)),
            (
                "servers",
                .array(
                    servers.map { .object([("name", .string($0.name)), ("fingerprint", .string($0.fingerprint))]) })
            ),
        ])
    }
}
