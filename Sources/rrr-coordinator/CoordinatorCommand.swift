import ArgumentParser
import Coordinator
import Foundation
import Logging
import OpenFiles

@main
struct CoordinatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rrr-coordinator",
        abstract: "Samples compositions of energy-based diffusion models with MCMC, on one host or many.",
        version: poolVersion,
        subcommands: [
            Submit.self, Serve.self, Validate.self, Status.self, Workers.self, Cancel.self, Pause.self, Resume.self,
            Prioritize.self, ChaosCommand.self, Bench.self, SimulateWorkers.self,
        ])

    static func main() {
        OpenFileLimit.raise()
        main(nil)
    }
}

/// What every command shares: settings from the environment, and how an error ends the process.
enum Environment {
    static let variables = ProcessInfo.processInfo.environment

    static var logger: Logger {
        var logger = Logger(label: "rrr-coordinator") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = variables["RRR_LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .warning
        return logger
    }

    static func coordinator(_ flag: String?) -> String? {
        flag ?? variables["RRR_COORDINATOR"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Where a coordinator keeps its jobs: flag, RRR_STATE, XDG_STATE_HOME/rrr, ~/.local/state/rrr.
    static func state(_ flag: String?) -> String {
        if let folder = flag ?? variables["RRR_STATE"], !folder.isEmpty { return folder }
        if let base = variables["XDG_STATE_HOME"], base.hasPrefix("/") { return base + "/rrr" }
        return NSHomeDirectory() + "/.local/state/rrr"
    }
}
