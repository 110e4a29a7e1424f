import ArgumentParser
import Coordinator
import Foundation
import JobFile
import ModelTransfer
import RunFolder

/// Runs a command's work; what goes wrong is told on standard error and becomes its exit status.
func reportingFailure(_ work: () throws -> Void) throws {
    do {
        try work()
    } catch let exit as ExitCode {
        throw exit
    } catch {
        FileHandle.standardError.write(Data("rrr-coordinator: \(error)\n".utf8))
        switch error {
        case let error as PoolClientError: throw ExitCode(error.exitStatus)
        case let error as JobError: throw ExitCode(error.exitStatus)
        case let error as ModelTransferError: throw ExitCode(error.exitStatus)
        case let error as RunFolderError: throw ExitCode(error.exitStatus)
        default: throw ExitCode(70)
        }
    }
}

/// Writes a result to standard output.
func printResult(_ text: String) {
    FileHandle.standardOutput.write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
}
