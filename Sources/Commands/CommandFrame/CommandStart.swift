package import ArgumentParser
import Foundation
import Glibc
import Logging
import OpenFiles
import StrictJSON

extension ParsableCommand {
    /// Runs this command, or the one of its subcommands that the arguments name, and ends the process.
    ///
    /// Does what the parser's own `main` does, and what that leaves to chance: streams that are closed or can't be
    /// written, arguments that are not text, a command that is misspelt.
    package static func start() -> Never {
        StandardStreams.secure()
        OpenFileLimit.raise()
        do {
            let arguments = try RawArguments.ofThisProcess()
            _ = try Logger.level(environment: ProcessInfo.processInfo.environment)
            try expectCommand(in: arguments)
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch let problem as RawArguments.Problem {
            tell("\(_commandName): \(problem.text)")
            Glibc.exit(problem.exitStatus)
        } catch {
            end(error)
        }
        Glibc.exit(0)
    }

    /// Refuses a first word that names no subcommand, with the one that was probably meant.
    static func expectCommand(in arguments: [String]) throws {
        let subcommands = configuration.subcommands
        guard let word = arguments.first, !subcommands.isEmpty, !word.hasPrefix("-") else { return }
        let names = subcommands.flatMap { [$0._commandName] + $0.configuration.aliases } + ["help"]
        guard !names.contains(word) else { return }
        let shown = subcommands.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
        throw RawArguments.Problem(
            exitStatus: 64, text: "\(word): no such command; \(Spelling.suggestion(for: word, among: shown))")
    }

    private static func end(_ error: any Error) -> Never {
        var status = exitCode(for: error).rawValue
        let text = fullMessage(for: error)
        if status != 0 {
            // Whoever threw an exit status has said why.
            if !text.isEmpty { tell(text) }
        } else {
            // What was asked for: the help, the version.
            do { try printResult(text) } catch { status = exitCode(for: error).rawValue }
        }
        Glibc.exit(status)
    }
}
