/// Why a job file was refused.
public struct JobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of refusal it is.
    public enum Code: Sendable {
        /// The file says something wrong: exit status 65.
        case badData
        /// There is no such file, or it can't be read: exit status 66.
        case noInput
    }

    /// One thing that is wrong.
    public struct Problem: Sendable, Equatable, CustomStringConvertible {
        /// Counted from 1.
        public let line: Int
        /// Where in the job, as a JSON pointer (RFC 6901); empty for the whole.
        public let pointer: String
        /// What is wrong and what to write instead.
        public let message: String

        public var description: String { pointer.isEmpty ? message : "\(pointer): \(message)" }
    }

    public let code: Code
    /// The file as the user named it.
    public let file: String
    /// In the order of the file; none if there is no file.
    public let problems: [Problem]

    /// One line a problem, each with file, line and place.
    public var description: String {
        if code == .noInput { return "\(file): \(problems.first?.message ?? "can't be read")" }
        return problems.map { "\(file):\($0.line): \($0)" }.joined(separator: "\n")
    }
}
