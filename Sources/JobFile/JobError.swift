public import StrictJSON

/// Why a job file was refused.
public struct JobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal it is.
    public enum Code: Sendable {
        /// The file says something wrong: exit status 65.
        case badData
        /// There is no such file, or it can't be read: exit status 66.
        case noInput
    }

    /// What to end with.
    public let code: Code
    /// The file as the user named it.
    public let file: String
    /// In the order of the file; none if there is no file.
    public let problems: [JSONProblem]

    /// One line a problem, each with file, line and place.
    public var description: String {
        if code == .noInput { return "\(file): \(problems.first?.message ?? "can't be read")" }
        return problems.map { "\(file):\($0.line): \($0)" }.joined(separator: "\n")
    }
}
