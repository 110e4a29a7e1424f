import ArgumentParser
import CommandFrame
import Coordinator
import Foundation
import Logging
import Messaging
import ProgramVersion

@main
struct CoordinatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rrr-coordinator",
        abstract: "Samples compositions of energy-based diffusion models with MCMC, on one host or many.",
        version: programVersion,
        subcommands: [
            Submit.self, Serve.self, Validate.self, Diagnose.self, Picture.self, Plot.self, List.self, Status.self,
            Watch.self, Explain.self, Fetch.self, Workers.self, Cancel.self, Delete.self, Pause.self, Resume.self,
            Prioritize.self,
            Keygen.self, Keys.self, ChaosCommand.self,
            Bench.self, SimulateWorkers.self,
        ])

    static func main() { start() }
}

/// What every command shares: settings from the environment, and how an error ends the process.
enum Environment {
    static let variables = ProcessInfo.processInfo.environment

    static var logger: Logger { logger(saying: .warning) }

    /// - Parameter level: what is told where RRR_LOG_LEVEL says nothing.
    static func logger(saying level: Logger.Level) -> Logger {
        Logger.standardError(label: "rrr-coordinator", saying: level)
    }

    /// The coordinator that was named: flag, RRR_COORDINATOR. - Throws: ``PoolClientError`` with exit status 64.
    static func coordinator(_ flag: String?) throws -> String? {
        do throws(Endpoint.Malformed) {
            return try Endpoint.coordinator(flag: flag, environment: variables)?.description
        } catch {
            throw PoolClientError(exitStatus: 64, "\(error)")
        }
    }

    /// Where a coordinator keeps its jobs: flag, RRR_STATE, XDG_STATE_HOME/rrr, ~/.local/state/rrr.
    static func state(_ flag: String?) -> String {
        if let folder = flag ?? variables["RRR_STATE"], !folder.isEmpty { return folder }
        if let base = variables["XDG_STATE_HOME"], base.hasPrefix("/") { return base + "/rrr" }
        return NSHomeDirectory() + "/.local/state/rrr"
    }
}
