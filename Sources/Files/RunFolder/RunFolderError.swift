import Glibc

/// What went wrong with an output folder or one of its files, with the path and the reason in words.
package struct RunFolderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of failure, each with the exit status a command ends with.
    package struct Code: Equatable, Sendable {
        private enum Value: Int32 {
            case malformed, missing, tooLarge, invalidValue, incomplete, cannotCreate, inputOutput, full, notFinite,
                inUse
        }

        private let value: Value

        /// A file is there but its content is not what its format asks for.
        package static let malformed = Code(value: .malformed)
        /// A file that was to be read is not there.
        package static let missing = Code(value: .missing)
        /// A user asks for a file that would be larger than any of its kind.
        package static let tooLarge = Code(value: .tooLarge)
        /// A caller's numbers do not fit the array or the run: counts, rows or shapes.
        package static let invalidValue = Code(value: .invalidValue)
        /// A run was to be finished before all of its chains were recorded.
        package static let incomplete = Code(value: .incomplete)
        /// A folder or file cannot be created.
        package static let cannotCreate = Code(value: .cannotCreate)
        /// Reading or writing failed.
        package static let inputOutput = Code(value: .inputOutput)
        /// The disk, or the user's share of it, is full, or too many files are open: what is tried again later may go well.
        package static let full = Code(value: .full)
        /// No draw of a run is finite: there is no result.
        package static let notFinite = Code(value: .notFinite)
        /// Another run is writing to the folder.
        package static let inUse = Code(value: .inUse)

        /// The exit status of a command that ends with this failure, from sysexits.
        package var exitStatus: Int32 {
            switch value {
            case .notFinite: 2
            case .tooLarge: 64
            case .malformed: 65
            case .missing: 66
            case .invalidValue, .incomplete: 70
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
    ///
    /// Where the draws are to blame it matters not in which folder they lie.
    package var description: String { code == .notFinite ? reason : "\(path): \(reason)" }

    /// The exit status of a command that ends with this error.
    package var exitStatus: Int32 { code.exitStatus }

    /// The error of a system call: `number` is its errno, `code` the kind of failure unless the disk is full or there are too many open
    /// files.
    static func system(_ code: Code, path: String, doing action: String, number: CInt) -> RunFolderError {
        let isFull = [ENOSPC, EDQUOT, EMFILE, ENFILE].contains(number)
        return RunFolderError(
            isFull ? .full : code, path: path, reason: "cannot \(action): \(String(cString: strerror(number)))")
    }
}
