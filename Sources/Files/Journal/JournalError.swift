import GRDB
import GRDBSQLite
import Glibc
import RunFolder

/// What went wrong with the journal, with its path and the reason in words.
package struct JournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of failure, each with the exit status a command ends with.
    package struct Code: Equatable, Sendable {
        private enum Value: Int32 {
            case malformed, newer, invalidValue, cannotCreate, inputOutput, full, inUse
        }

        private let value: Value

        /// The file is damaged, or no journal.
        package static let malformed = Code(value: .malformed)
        /// The file was written by a later version of the program.
        package static let newer = Code(value: .newer)
        /// An entry does not fit what is there: no such job, a number that is taken, a journal that is closed.
        package static let invalidValue = Code(value: .invalidValue)
        /// The folder or the file cannot be created or opened.
        package static let cannotCreate = Code(value: .cannotCreate)
        /// Reading or writing failed.
        package static let inputOutput = Code(value: .inputOutput)
        /// The disk, or the user's share of it, is full, or too many files are open. The journal goes on once there is room.
        package static let full = Code(value: .full)
        /// Another process has the folder's journal open.
        package static let inUse = Code(value: .inUse)

        /// The exit status of a command that ends with this failure, from sysexits.
        package var exitStatus: Int32 {
            switch value {
            case .malformed, .newer: 65
            case .invalidValue: 70
            case .cannotCreate: 73
            case .inputOutput, .full: 74
            case .inUse: 75
            }
        }
    }

    /// The kind of failure.
    package let code: Code
    /// The file or folder concerned.
    package let path: String
    /// The reason, without the path.
    package let reason: String

    /// An error about `path`.
    package init(_ code: Code, path: String, reason: String) {
        self.code = code
        self.path = path
        self.reason = reason
    }

    /// The path, a colon and the reason: one line for the terminal.
    package var description: String { "\(path): \(reason)" }

    /// The exit status of a command that ends with this error.
    package var exitStatus: Int32 { code.exitStatus }
}

extension JournalError {
    /// The error of a folder.
    init(_ error: RunFolderError) {
        let code: Code =
            switch error.code {
            case .full: .full
            case .cannotCreate, .missing: .cannotCreate
            case .inUse: .inUse
            default: .inputOutput
            }
        self.init(code, path: error.path, reason: error.reason)
    }

    /// The error of a call to SQLite.
    ///
    /// - Parameter number: the errno behind it, as SQLite remembers it; 0 for none.
    init(_ error: DatabaseError, path: String, number: CInt) {
        let isOfTheSystem = error.resultCode == .SQLITE_IOERR || error.resultCode == .SQLITE_CANTOPEN
        let cause = isOfTheSystem && number != 0 ? ": \(String(cString: strerror(number)))" : ""
        let reason = (error.message ?? error.extendedResultCode.description) + cause
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.full, path: path, reason: "the disk is full")
        case _ where isOfTheSystem && [ENOSPC, EDQUOT, EMFILE, ENFILE].contains(number):
            self.init(.full, path: path, reason: reason)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(.cannotCreate, path: path, reason: "cannot be opened for writing: \(reason)")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_ERROR, .SQLITE_MISMATCH:
            self.init(.malformed, path: path, reason: "not a journal, or a damaged one: \(reason)")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.inUse, path: path, reason: "another program has the journal open")
        case .SQLITE_CONSTRAINT, .SQLITE_TOOBIG, .SQLITE_MISUSE, .SQLITE_RANGE:
            self.init(.invalidValue, path: path, reason: reason)
        default:
            self.init(.inputOutput, path: path, reason: reason)
        }
    }

    /// The error of a call that failed on this connection just now.
    init(_ error: any Error, on db: Database, path: String) {
        switch error {
        case let error as JournalError: self = error
        case let error as DatabaseError:
            self.init(error, path: path, number: db.sqliteConnection.map(sqlite3_system_errno) ?? 0)
        default: self.init(.malformed, path: path, reason: "\(error)")
        }
    }
}
