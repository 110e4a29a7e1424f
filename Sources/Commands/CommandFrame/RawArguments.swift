import Foundation

/// The command line and the environment as bytes, as the system hands them to a process.
///
/// Swift reads the command line from `/proc`, and puts a sign in the place of every byte that is not UTF-8. Without
/// `/proc` a command would see no arguments, and a path that isn't UTF-8 would become another path.
enum RawArguments {
    /// Why a command can't go on.
    struct Problem: Error, Equatable {
        let exitStatus: Int32
        let text: String
    }

    /// Variables that name folders or set the commands' own defaults.
    private static let variables = ["RRR_", "XDG_", "TMPDIR", "HOME"]

    /// The arguments after the command's own name.
    ///
    /// - Parameters:
    ///   - commandLine: the content of `/proc/self/cmdline`; nil if it can't be read.
    ///   - environment: that of `/proc/self/environ`.
    static func check(commandLine: Data?, environment: Data?) throws -> [String] {
        guard let commandLine, !commandLine.isEmpty else {
            throw Problem(
                exitStatus: 70,
                text: "the arguments are read from /proc, which isn't there; mount it: mount -t proc proc /proc")
        }
        var arguments: [String] = []
        // Each ends with a zero.
        for (number, bytes) in commandLine.dropLast().split(separator: 0, omittingEmptySubsequences: false).enumerated()
        {
            guard let argument = String(validating: bytes, as: UTF8.self) else {
                throw Problem(
                    exitStatus: 64,
                    text: "argument \(number), \"\(String(decoding: bytes, as: UTF8.self))\", is not UTF-8; "
                        + "rename what it names")
            }
            arguments.append(argument)
        }
        for bytes in environment?.split(separator: 0) ?? [] where String(validating: bytes, as: UTF8.self) == nil {
            let name = String(decoding: bytes.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
            guard variables.contains(where: name.hasPrefix) else { continue }
            throw Problem(exitStatus: 64, text: "the value of the environment variable \(name) is not UTF-8")
        }
        return Array(arguments.dropFirst())
    }

    /// Those of this process.
    static func ofThisProcess() throws -> [String] {
        try check(
            commandLine: FileManager.default.contents(atPath: "/proc/self/cmdline"),
            environment: FileManager.default.contents(atPath: "/proc/self/environ"))
    }
}
