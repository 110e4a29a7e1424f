public import ContentHash
public import StrictJSON

/// Why a job file was refused.
public struct JobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal it is.
    public enum Code: Sendable, Equatable {
        /// The file says something wrong: exit status 65.
        case badData
        /// There is no such file, or it can't be read, or one that it names is not there: exit status 66.
        case noInput
        /// Nothing is wrong, but these model files are not known here: exit status 66.
        case missingModels([Digest])
    }

    /// What to end with.
    public let code: Code
    /// The file as the user named it.
    public let file: String
    /// In the order of the file.
    public let problems: [JSONProblem]

    /// The exit status of a command that ends with this error.
    public var exitStatus: Int32 { code == .badData ? 65 : 66 }

    /// One line a problem, each with file, line and place.
    public var description: String {
        problems.map { problem in
            code == .noInput && problem.pointer.isEmpty
                ? "\(file): \(problem.message)" : "\(file):\(problem.line): \(problem)"
        }.joined(separator: "\n")
    }
}
