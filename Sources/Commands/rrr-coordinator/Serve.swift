import ArgumentParser
import CommandFrame
import Coordinator
import Foundation
import Logging
import Messaging
import StopSignals

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a coordinator that workers and submitters connect to.",
        discussion: "Stops on SIGINT (exit status 130) or SIGTERM (143); its workers are sent home.")

    @Option(help: "Where to listen.")
    var listen = Endpoint.usual

    @Option(help: "Folder for the jobs' files (default: RRR_STATE, else ~/.local/state/rrr).")
    var state: String?

    @Option(
        help: ArgumentHelp(
            "How often the state of a running block is brought here, where a job does not say.", valueName: "seconds"))
    var checkpointEvery = 10.0

    @Flag(help: "Listen where other hosts can connect, although nothing is encrypted and anybody is let in.")
    var insecure = false

    func validate() throws {
        try checkInterval(checkpointEvery)
        try checkListening(at: listen, insecure: insecure)
    }

    func run() throws {
        try reportingFailure {
            var configuration = CoordinatorService.Configuration(stateFolder: Environment.state(state))
            configuration.checkpointInterval = .seconds(checkpointEvery)
            let service = CoordinatorService(configuration: configuration, logger: Environment.logger(saying: .notice))
            let signals = StopSignals { _ in service.stop() }
            do {
                try service.run(listeningAt: listen) { endpoint in
                    tell("rrr-coordinator: listening at \(endpoint)")
                }
            } catch let error as MessagingError {
                throw PoolClientError(exitStatus: 73, "--listen \(listen): \(error)")
            }
            if let signal = signals.received { throw ExitCode(128 + signal) }
        }
    }
}

/// Refuses what is no address, and one that other hosts reach unless that is wanted.
func checkListening(at listen: String, insecure: Bool) throws {
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
    case .otherHosts where !insecure:
        throw ValidationError(
            "\(listen) can be reached from other hosts and this version does not encrypt. "
                + "Listen on 127.0.0.1 and let hosts in by ssh (cluster/README.md), or add --insecure on a trusted network."
        )
    case .otherHosts:
        break
    }
}
