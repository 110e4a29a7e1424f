import ArgumentParser
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
    var listen = "tcp://127.0.0.1:7757"

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
        let address = listen.dropFirst("tcp://".count)
        let isLocal =
            listen.hasPrefix("ipc://") || address.hasPrefix("127.") || address.hasPrefix("localhost:")
            || address.hasPrefix("[::1]:")
        if listen.hasPrefix("tcp://"), let port = address.split(separator: ":").last, port != "*" {
            guard let number = Int(port), (1...65_535).contains(number) else {
                throw ValidationError("\(listen) has no port from 1 to 65535.")
            }
        }
        if !isLocal, !insecure {
            throw ValidationError(
                "\(listen) can be reached from other hosts and this version does not encrypt. "
                    + "Listen on 127.0.0.1 and let hosts in by ssh (cluster/README.md), or add --insecure on a trusted network."
            )
        }
    }

    func run() throws {
        try reportingFailure {
            var configuration = CoordinatorService.Configuration(stateFolder: Environment.state(state))
            configuration.checkpointInterval = .seconds(checkpointEvery)
            let service = CoordinatorService(configuration: configuration, logger: Environment.logger(saying: .notice))
            let signals = StopSignals { _ in service.stop() }
            do {
                try service.run(listeningAt: listen) { endpoint in
                    FileHandle.standardError.write(Data("rrr-coordinator: listening at \(endpoint)\n".utf8))
                }
            } catch let error as MessagingError {
                throw PoolClientError(exitStatus: 73, "can't listen: \(error)")
            }
            if let signal = signals.received { throw ExitCode(128 + signal) }
        }
    }
}
