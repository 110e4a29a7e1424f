import ArgumentParser
import Foundation
import ModelInspection
import OpenFiles
import RunFolder
import Training

@main
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rrr-model",
        abstract: "Trains energy-based diffusion models, and tells what a model file holds and says.",
        subcommands: [Train.self, Inspect.self, Evaluate.self])

    static func main() {
        OpenFileLimit.raise()
        main(nil)
    }
}

/// Runs a command's work; what goes wrong is told on standard error and becomes its exit status.
func reportingFailure(_ work: () throws -> Void) throws {
    do {
        try work()
    } catch let exit as ExitCode {
        throw exit
    } catch {
        tell("rrr-model: \(error)")
        switch error {
        case let error as TrainingError: throw ExitCode(error.exitStatus)
        case let error as InspectionError: throw ExitCode(error.exitStatus)
        case let error as RunFolderError: throw ExitCode(error.exitStatus)
        default: throw ExitCode(70)
        }
    }
}

/// Writes a line to standard error.
func tell(_ text: String) {
    // There is nobody left to tell if this fails.
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
}

/// Writes a result to standard output.
func printResult(_ text: String) throws {
    do {
        try FileHandle.standardOutput.write(contentsOf: Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
    } catch {
        tell("rrr-model: the result can't be written to standard output: \(error.localizedDescription)")
        throw ExitCode(74)
    }
}
