import Foundation
import Synchronization

/// A process that was started here. It leads a process group of its own, as Foundation makes it: a shell's children
/// get its signals too.
final class ChildProcess: Sendable {
    private let process: Process
    private let end = Mutex<Ending?>(nil)

    /// Starts a command whose output is appended to a log. To be called from a thread that outlives the process.
    ///
    /// - Throws: ``ChaosError`` with exit status 70 or 73.
    init(_ command: ProcessCommand, log: String) throws(ChaosError) {
        process = Process()
        // Of util-linux: the process dies with the thread that starts it, even if that is killed.
        let tether = "/usr/bin/setpriv"
        let tethered = FileManager.default.isExecutableFile(atPath: tether)
        process.executableURL = URL(fileURLWithPath: tethered ? tether : command.executable)
        process.arguments = (tethered ? ["--pdeathsig", "KILL", command.executable] : []) + command.arguments
        process.environment = command.environment
        process.standardInput = FileHandle.nullDevice
        process.terminationHandler = { [self] ended in
            let signalled = ended.terminationReason == .uncaughtSignal
            end.withLock { $0 = Ending(status: ended.terminationStatus, bySignal: signalled) }
        }
        do {
            let file = try FileHandle.appending(to: log)
            process.standardOutput = file
            process.standardError = file
        } catch {
            throw ChaosError(exitStatus: 73, "\(log) can't be written: \(error.localizedDescription)")
        }
        do {
            try process.run()
        } catch {
            throw ChaosError(exitStatus: 70, "\(command.executable) can't be started: \(error.localizedDescription)")
        }
    }

    /// How it ended, once it has.
    var ending: Ending? { end.withLock { $0 } }

    /// Sends a signal, unless it has ended.
    func send(_ signal: ProcessSignal) {
        guard ending == nil else { return }
        kill(-process.processIdentifier, signal.number)
    }

    /// Ends processes that may be stopped or deaf: asks, waits 2 s, kills.
    static func end(_ processes: [ChildProcess]) {
        for process in processes {
            process.send(.terminate)
            process.send(.resume)
        }
        for attempt in 0..<400 where processes.contains(where: { $0.ending == nil }) {
            if attempt >= 200 { for process in processes { process.send(.kill) } }
            usleep(10_000)
        }
    }
}

/// What is to be started.
struct ProcessCommand {
    var executable: String
    var arguments: [String]
    var environment: [String: String]
}

extension ProcessSignal {
    fileprivate var number: Int32 {
        switch self {
        case .kill: SIGKILL
        case .stop: SIGSTOP
        case .resume: SIGCONT
        case .terminate: SIGTERM
        }
    }
}

extension FileHandle {
    /// A file to append to, made if it is not there.
    static func appending(to path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seekToEnd()
        return file
    }
}
