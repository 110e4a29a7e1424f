import Coordinator
import Foundation

/// A process of workers that ends with this one: it lives as long as its standard input is open, or has its own ways.
final class ChildProcess {
    private let process = Process()
    private let input = Pipe()

    /// Starts a command that lies beside this process's own executable. - Throws: ``PoolClientError`` with 70.
    init(_ command: String, _ arguments: [String]) throws {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let executable = own.deletingLastPathComponent().appendingPathComponent(command)
        process.executableURL = executable
        process.arguments = arguments
        // Those that it is to use are named.
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "RRR_KEYS" }
        process.standardInput = input
        process.standardOutput = FileHandle.standardError
        do {
            try process.run()
        } catch {
            throw PoolClientError(
                exitStatus: 70, "\(executable.path) can't be started: \(error.localizedDescription)")
        }
    }

    var isRunning: Bool { process.isRunning }

    /// Lets it end, waits, and kills it after two seconds.
    func end() {
        try? input.fileHandleForWriting.close()
        for attempt in 0..<1_500 where process.isRunning {
            if attempt == 500 { process.terminate() }
            if attempt == 1_000 { kill(process.processIdentifier, SIGKILL) }
            usleep(2_000)
        }
    }
}
