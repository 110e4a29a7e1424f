import ArgumentParser
import Foundation

/// Writes a line to standard error. Where that cannot be written nobody is told, and nothing else changes.
package func tell(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
}

/// Writes a result to standard output. - Throws: `ExitCode` 74, after a word about it, if that can't be written.
package func printResult(_ text: String) throws {
    do {
        try FileHandle.standardOutput.write(contentsOf: Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
    } catch {
        let command = ProcessInfo.processInfo.processName
        tell("\(command): the result can't be written to standard output: \(error.localizedDescription)")
        throw ExitCode(74)
    }
}

/// Standard input, output and error of this process.
enum StandardStreams {
    /// Makes a stream that nobody reads an error that can be handled, and a stream that is closed one that can't be
    /// written: a file that this process opens must not become its standard error.
    static func secure() {
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow further is an error of writing as well.
        signal(SIGXFSZ, SIG_IGN)
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
            // The lowest number that is free, which is this one.
            _ = open("/dev/null", mode)
        }
    }
}
