import ArgumentParser
import CommandFrame
import Coordinator
import JobFile
import Journal
import ModelTransfer
import PoolKeys
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
        case let error as KeyError: throw ExitCode(error.exitStatus)
        case let error as JournalError: throw ExitCode(error.exitStatus)
        default: throw ExitCode(70)
        }
    }
}
