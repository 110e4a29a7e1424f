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

    /// - Parameter roles: whose keys serve, the best first.
    func client(as roles: [PeerRole] = [.submitter]) throws -> PoolClient {
        try PoolClient(
            endpoint: try Environment.coordinator(coordinator) ?? Endpoint.usual,
            keys: try keys.path.map { try KeyFolder.clientKeys($0, for: roles) }, interruption: Mailbox<Int32>())
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the jobs of a coordinator.")

    @Argument(help: "The first digits of a job's hash; all jobs if left out.")
    var id: String?

    @OptionGroup var connection: CoordinatorOption

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show the pool as a whole and not its jobs: how it is protected, and what it has not taken from peers.")
    var pool = false

    func run() throws {
        try reportingFailure {
            let isOfPool = pool
            let pool = try poolStatus(connection, as: [.status, .submitter])
            if isOfPool { return try printResult(json ? pool.json.pretty : pool.text) }
            let jobs = pool.jobs.filter { $0.job.hex.hasPrefix(id ?? "") }
            if let id, jobs.isEmpty { throw PoolClientError(exitStatus: 66, "no job \(id)") }
            if json {
                try printResult(JSONText.array(jobs.map(\.json)).pretty)
            } else {
                try printResult("\(pool.workers) workers, \(pool.slots) slots, up \(Int(pool.uptimeSeconds)) s")
                if let warning = pool.warning { try printResult(warning) }
                for job in jobs {
                    let line = job.progressText
                    try printResult(
                        "\(job.job.hex.prefix(8)) \(job.state.rawValue): \(line)"
                            + (job.failure.isEmpty ? "" : ": " + job.failure))
                }
            }
            if pool.jobs.count >= PoolStatus.mostJobs {
                tell("these are the latest \(PoolStatus.mostJobs) jobs; there may be more")
            }
        }
    }
}

private func poolStatus(
    _ connection: CoordinatorOption, as roles: [PeerRole] = [.submitter]
) throws -> PoolStatus {
    var client = try connection.client(as: roles)
    return try poolStatus(&client)
}

private func poolStatus(_ client: inout PoolClient) throws -> PoolStatus {
    try client.ask(.statusRequest(job: nil)) { answer -> PoolStatus? in
        if case .poolStatus(let status) = answer { status } else { nil }
    }
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
            ("workers", .integer(workers)), ("slots", .integer(slots)), ("version", .string(version)),
            ("uptime_seconds", .number(uptimeSeconds)), ("protection", .string(protection.rawValue)),
            ("refused", .object(refused.map { ($0.name, .integer($0.count)) })),
        ])
    }
}

/// The one job that is not over and whose hash begins so.
func runningJob(_ id: String, _ connection: CoordinatorOption) throws -> JobStatus {
    guard !id.isEmpty else { throw PoolClientError(exitStatus: 64, "the first digits of a job's hash are missing") }
    let found = try poolStatus(connection).jobs.filter { $0.job.hex.hasPrefix(id) && !$0.state.isOver }
    guard found.count == 1, let job = found.first else {
        throw PoolClientError(
            exitStatus: 66, found.isEmpty ? "no running job \(id)" : "several jobs begin with \(id)")
    }
    return job
}

extension JobStatus {
    fileprivate var json: JSONText {
        .object([
            ("job", .string(job.hex)), ("name", .string(name)), ("state", .string(state.rawValue)),
            ("chains", .integer(chainsTotal)), ("chains_done", .integer(chainsDone)), ("fraction", .number(fraction)),
            ("acceptance", .number(acceptance)), ("seconds", .number(secondsElapsed)), ("failure", .string(failure)),
            ("notice", .string(notice)), ("priority", .integer(priority)), ("blocks_run_again", .integer(blocksAgain)),
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
            var client = try connection.client(as: [.status, .submitter])
            if let warning = try poolStatus(&client).warning { tell(warning) }
            let workers = try client.ask(.workersRequest) { answer -> [WorkerStatus]? in
                if case .workers(let workers) = answer { workers } else { nil }
            }
            if json {
                try printResult(JSONText.array(workers.map(\.json)).pretty)
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

struct Cancel: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Cancel a job.")

    @Argument(help: "The first digits of the job's hash.")
    var id: String

    @OptionGroup var connection: CoordinatorOption

    func run() throws {
        try reportingFailure {
            let job = try runningJob(id, connection)
            var client = try connection.client()
            _ = try client.ask(.cancel(job: job.job)) { answer -> PoolStatus? in
                if case .poolStatus(let status) = answer { status } else { nil }
            }
        }
    }
}
