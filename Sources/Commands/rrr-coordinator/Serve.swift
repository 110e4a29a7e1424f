import ArgumentParser
import CommandFrame
import Coordinator
import CoordinatorCore
import Foundation
import Logging
import MachineCapacity
import Messaging
import PoolKeys
import StopSignals

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a coordinator that workers and submitters connect to.",
        discussion: """
            Stops on SIGINT (exit status 130) or SIGTERM (143); its workers are sent home. With --keys everything is \
            encrypted and nobody gets in but those in the folder's list, which SIGHUP lets it read again. Without, it \
            listens where this host alone can connect.
            """)

    @Option(help: "Where to listen.")
    var listen = Endpoint.usual

    @Option(help: "Folder for the jobs' files (default: RRR_STATE, else ~/.local/state/rrr).")
    var state: String?

    @Option(
        help: ArgumentHelp(
            "How often the state of a running block is brought here, where a job does not say.", valueName: "seconds"))
    var checkpointEvery = 10.0

    @OptionGroup var keys: KeysOption

    @OptionGroup var limits: LimitOptions

    @Option(
        help: ArgumentHelp(
            "Delete jobs that ended longer ago than this, such as 30d or 12h (default: keep them).", valueName: "age"))
    var keep: Age?

    @Option(
        help: ArgumentHelp(
            "Have this part of all results computed twice, by workers of different keys, and compare them.",
            valueName: "fraction"))
    var verify: Double?

    @Flag(help: "Listen where other hosts can connect without keys: nothing is encrypted and anybody is let in.")
    var insecure = false

    func validate() throws {
        try checkInterval(checkpointEvery)
        if insecure, keys.keys != nil {
            throw ValidationError("--insecure is for a coordinator without keys; leave it out, or --keys.")
        }
        try checkListening(at: listen, insecure: insecure, hasKeys: folder != nil)
        if let verify, !(verify > 0 && verify <= 1) {
            throw ValidationError("--verify takes a part of all results, above 0 and at most 1, not \(verify).")
        }
    }

    /// A key can't be compared with itself.
    private func checkKeys(in folder: KeyFolder) throws {
        let workers = try folder.allowList().values.filter { $0.role == .worker }
        guard workers.count < 2 else { return }
        throw PoolClientError(
            exitStatus: 64,
            "--verify compares results of different keys, and \(folder.path)/allowed lets in "
                + "\(workers.count) of workers: make one for each host with rrr-coordinator keygen \(folder.path) "
                + "--add worker --name NAME")
    }

    /// The folder with its keys: --insecure, being a flag, wins over RRR_KEYS.
    private var folder: String? { insecure ? nil : keys.path }

    func run() throws {
        try reportingFailure {
            Heap.returnsLargeBlocks()
            var configuration = CoordinatorService.Configuration(stateFolder: Environment.state(state))
            configuration.checkpointInterval = .seconds(checkpointEvery)
            configuration.keys = folder.map { KeyFolder($0) }
            configuration.verification = verify.map { VerificationRule(fraction: $0) }
            if verify != nil, let keys = configuration.keys { try checkKeys(in: keys) }
            let isOpen = (try? Endpoint(listen, for: .listening))?.reach == .otherHosts
            configuration.isInsecure = insecure && isOpen
            limits.set(in: &configuration)
            configuration.keptFor = keep?.duration
            let service = CoordinatorService(configuration: configuration, logger: Environment.logger(saying: .notice))
            let signals = StopSignals { _ in service.stop() }
            let hangUp = folder.map { _ in HangUpSignal { service.readKeys() } }
            defer { withExtendedLifetime(hangUp) {} }
            do {
                try service.run(listeningAt: listen) { endpoint in
                    tell("rrr-coordinator: listening at \(endpoint)")
                    guard insecure, isOpen else { return }
                    tell(
                        "rrr-coordinator: INSECURE: nothing is encrypted, and whoever reaches this address may hand in "
                            + "jobs, cancel them and return samples; make keys with rrr-coordinator keygen")
                }
            } catch let error as MessagingError {
                throw PoolClientError(exitStatus: 73, "--listen \(listen): \(error)")
            }
            if let signal = signals.received { throw ExitCode(128 + signal) }
        }
    }
}

/// Refuses what is no address, and one that other hosts reach unless that is wanted.
func checkListening(at listen: String, insecure: Bool, hasKeys: Bool = false) throws {
    let endpoint: Endpoint
    do {
        endpoint = try Endpoint(listen, for: .listening)
    } catch {
        throw ValidationError("--listen: \(error)")
    }
    switch endpoint.reach {
    case .thisHost:
        break
    case .nowhere:
        throw ValidationError(
            "--listen: the host of \"\(listen)\" is not known; write its number, or * for all addresses of this host.")
    case .otherHosts where !insecure && !hasKeys:
        throw ValidationError(
            "\(listen) can be reached from other hosts. Make keys (rrr-coordinator keygen DIR) and give --keys DIR, "
                + "listen on 127.0.0.1 and let hosts in by ssh (cluster/README.md), or add --insecure on a trusted network."
        )
    case .otherHosts:
        break
    }
}
