package import ArgumentParser
import Foundation

/// Which keys a command uses, as it is told.
package struct KeysOption: ParsableArguments {
    /// A file or a folder; nil where nothing is said.
    @Option(
        help: ArgumentHelp(
            "File with this side's keys, or folder with the file, as keygen makes them (default: RRR_KEYS, else none).",
            valueName: "path"))
    package var keys: String?

    /// The variable that says it where no flag does.
    package static let variable = "RRR_KEYS"

    /// For the parser.
    package init() {}

    /// The flag, else the environment; nil for no keys.
    package var path: String? {
        if let keys { return keys }
        let text = ProcessInfo.processInfo.environment[Self.variable] ?? ""
        return text.isEmpty ? nil : text
    }
}
