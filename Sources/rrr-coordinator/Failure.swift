import ArgumentParser
import Coordinator
import Foundation
import JobFile
import Journal
import ModelTransfer
import RunFolder

/// Runs a command's work; what goes wrong is told on standard error and becomes its exit status.
func reportingFailure(_ work: () throws -> Void) throws {
    do {
        try work()
    } catch let exit as ExitCode {
        throw exit
    } catch {
        tell("rrr-coordinator: \(error)")
        switch error {
        case let error as PoolClientError: throw ExitCode(error.exitStatus)
        case let error as JobError: throw ExitCode(error.exitStatus)
        case let error as ModelTransferError: throw ExitCode(error.exitStatus)
        case let error as RunFolderError: throw ExitCode(error.exitStatus)
        case let error as JournalError: throw ExitCode(error.exitStatus)
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
        tell("rrr-coordinator: the result can't be written to standard output: \(error.localizedDescription)")
        throw ExitCode(74)
    }
}
