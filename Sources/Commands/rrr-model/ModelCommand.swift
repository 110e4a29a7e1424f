import ArgumentParser
import CommandFrame
import ModelImport
import ModelInspection
import ProgramVersion
import RunFolder
import Training

@main
struct ModelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rrr-model",
        abstract: "Trains energy-based diffusion models, and tells what a model file holds and says.",
        version: programVersion,
        subcommands: [Train.self, Inspect.self, Evaluate.self, Import.self])

    static func main() { start() }
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
        case let error as ImportError: throw ExitCode(error.exitStatus)
        case let error as RunFolderError: throw ExitCode(error.exitStatus)
        default: throw ExitCode(70)
        }
    }
}
