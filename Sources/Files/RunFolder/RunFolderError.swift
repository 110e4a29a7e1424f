import Glibc

/// What went wrong with an output folder or one of its files, with the path and the reason in words.
public struct RunFolderError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of failure, each with the exit status a command ends with.
    public struct Code: Equatable, Sendable {
        private enum Value: Int32 {
            case malformed, missing, invalidValue, incomplete, cannotCreate, inputOutput, full, notFinite, inUse
        }

        private let value: Value

        /// A file is there but its content is not what its format asks for.
        public static let malformed = Code(value: .malformed)
        /// A file that was to be read is not there.
        public static let missing = Code(value: .missing)
        /// A caller's numbers do not fit the array or the run: counts, rows or shapes.
        public static let invalidValue = Code(value: .invalidValue)
        /// A run was to be finished before all of its chains were recorded.
        public static let incomplete = Code(value: .incomplete)
        /// A folder or file cannot be created.
        public static let cannotCreate = Code(value: .cannotCreate)
        /// Reading or writing failed.
        public static let inputOutput = Code(value: .inputOutput)
        /// The disk, or the user's share of it, is full, or too many files are open: what is tried again later may go well.
        public static let full = Code(value: .full)
        /// No draw of a run is finite: there is no result.
        public static let notFinite = Code(value: .notFinite)
        /// Another run is writing to the folder.
        public static let inUse = Code(value: .inUse)

        /// The exit status of a command that ends with this failure, from sysexits.
        public var exitStatus: Int32 {
            switch value {
            case .notFinite: 2
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
    public let code: Code
    /// The file or folder concerned.
    public let path: String
    /// The reason, without the path.
    public let reason: String

    /// An error about `path`.
    public init(_ code: Code, path: String, reason: String) {
        self.code = code
        self.path = path
        self.reason = reason
    }

    /// The path, a colon and the reason: one line for the terminal.
    ///
    /// Where the draws are to blame it matters not in which folder they lie.
    public var description: String { code == .notFinite ? reason : "\(path): \(reason)" }

    /// The exit status of a command that ends with this error.
    public var exitStatus: Int32 { code.exitStatus }

    /// The error of a system call: `number` is its errno, `code` the kind of failure unless the disk is full or there are too many open
    /// files.
    static func system(_ code: Code, path: String, doing action: String, number: CInt) -> RunFolderError {
        let isFull = [ENOSPC, EDQUOT, EMFILE, ENFILE].contains(number)
        return RunFolderError(
            isFull ? .full : code, path: path, reason: "cannot \(action): \(String(cString: strerror(number)))")
    }
}
