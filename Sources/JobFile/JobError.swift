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

        /// The message loses control characters, which would command the terminal that it is shown on,
        /// and whatever goes beyond a thousand characters.
        init(line: Int, pointer: String, message: String) {
            self.line = line
            self.pointer = pointer
            self.message = Self.printable(message)
        }

        private static func printable(_ text: String) -> String {
            let longest = 1000
            var printable = String.UnicodeScalarView()
            for scalar in text.unicodeScalars.prefix(longest) {
                printable.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
            }
            return String(printable) + (text.unicodeScalars.count > longest ? "…" : "")
        }

        public var description: String { pointer.isEmpty ? message : "\(Self.printable(pointer)): \(message)" }
    }

    /// What to end with.
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
