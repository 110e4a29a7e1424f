/// One thing that is wrong in a JSON text.
package struct JSONProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    /// Where in the text, as a JSON pointer (RFC 6901); empty for the whole.
    package let pointer: String
    /// What is wrong and what to write instead.
    package let message: String

    /// The message becomes ``printable(_:)``.
    package init(line: Int, pointer: String, message: String) {
        self.line = line
        self.pointer = pointer
        self.message = Self.printable(message)
    }

    /// A text from outside as a message may show it: without control characters, which would command the terminal,
    /// and without whatever goes beyond `longest` characters.
    package static func printable(_ text: String, longest: Int = 1000) -> String {
        var printable = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(longest) {
            // Format characters, such as those that turn the direction of writing, deceive.
            let hidden = [.control, .format].contains(scalar.properties.generalCategory)
            printable.append(hidden ? "\u{FFFD}" : scalar)
        }
        return String(printable) + (text.unicodeScalars.count > longest ? "…" : "")
    }

    /// The place and what is wrong there, in one line.
    package var description: String { pointer.isEmpty ? message : "\(Self.printable(pointer)): \(message)" }
}
