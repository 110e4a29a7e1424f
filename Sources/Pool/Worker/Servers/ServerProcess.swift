import Foundation
import Synchronization

/// A process that serves a model, in a process group of its own.
///
/// Its standard input is a pipe that nothing is written to: it ends when this process does, however that comes, and tells
/// the server to end too. A shell beside the server waits for the same, and soon kills what is left: a server that is
/// computing, or has not come as far as reading, hears nothing.
final class ServerProcess: Sendable {
    private struct State {
        var ending: String?
        var lastLine = ""
    }

    /// Its number, and that of its process group.
    let identifier: Int32
    private let process: Process
    /// Waits for the end of this process, and then kills the server.
    private let watcher: Process
    private let input: FileHandle
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    /// Starts it.
    ///
    /// - Parameters:
    ///   - command: a line of shell.
    ///   - environment: in addition to this process's.
    ///   - line: takes each line that it writes to its standard output or error, from another thread.
    ///   - ended: called once it has ended, from another thread.
    /// - Throws: what Foundation says if it can't be started.
    init(
        command: String, environment: [String: String], line: @escaping @Sendable (String) -> Void,
        ended tell: @escaping @Sendable () -> Void
    ) throws {
        let (standardInput, output) = (Pipe(), Pipe())
        for end in [standardInput.fileHandleForWriting, output.fileHandleForReading] {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        input = standardInput.fileHandleForWriting
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = standardInput.fileHandleForReading
        process.standardOutput = output.fileHandleForWriting
        process.standardError = output.fileHandleForWriting
        let waiting = Waiting()
        process.terminationHandler = { waiting.end($0) }
        try process.run()
        identifier = process.processIdentifier
        do {
            watcher = try Self.watcher(of: identifier)
        } catch {
            kill(-identifier, SIGKILL)
            throw error
        }
        let watcher = watcher
        try? output.fileHandleForWriting.close()
        try? standardInput.fileHandleForReading.close()
        let reading = output.fileHandleForReading
        Thread { [weak self] in
            Self.read(reading) { text in
                self?.state.withLock { $0.lastLine = text }
                line(text)
            }
        }.start()
        waiting.whenEnded { [weak self] how in
            // The number may soon be another process's.
            kill(-watcher.processIdentifier, SIGKILL)
            self?.state.withLock { $0.ending = how }
            self?.ended.signal()
            tell()
        }
    }

    /// A shell, in a process group of its own, that reads from a pipe from here, and kills a process group a second after there
    /// is nobody any more to write to it.
    private static func watcher(of group: Int32) throws -> Process {
        let pipe = Pipe()
        _ = fcntl(pipe.fileHandleForWriting.fileDescriptor, F_SETFD, FD_CLOEXEC)
        let watcher = Process()
        watcher.executableURL = URL(fileURLWithPath: "/bin/sh")
        watcher.arguments = ["-c", "cat; sleep 1; kill -KILL -\(group)"]
        watcher.standardInput = pipe
        watcher.standardOutput = FileHandle.nullDevice
        watcher.standardError = FileHandle.nullDevice
        try watcher.run()
        return watcher
    }

    /// Hands on how the process ended, whichever is there first, that or who wants to know.
    private final class Waiting: Sendable {
        private let state = Mutex<(how: String?, wanted: (@Sendable (String) -> Void)?)>((nil, nil))

        func end(_ process: Process) {
            let kind = process.terminationReason == .uncaughtSignal ? "signal" : "exit status"
            let how = "\(kind) \(process.terminationStatus)"
            state.withLock { state in
                state.how = how
                return state.wanted
            }?(how)
        }

        func whenEnded(_ tell: @escaping @Sendable (String) -> Void) {
            let how = state.withLock { state in
                state.wanted = tell
                return state.how
            }
            if let how { tell(how) }
        }
    }

    /// How it ended, such as "signal 9", and what it said last; nil while it runs.
    var ending: String? {
        state.withLock { state in
            state.ending.map { state.lastLine.isEmpty ? $0 : "\($0), its last words: \(state.lastLine)" }
        }
    }

    /// Ends it and all that it has started, at once if it is not to be asked first.
    func end(asking: Bool) {
        try? input.close()
        if asking {
            kill(-identifier, SIGTERM)
            _ = ended.wait(timeout: .now() + .milliseconds(700))
        }
        kill(-identifier, SIGKILL)
        _ = ended.wait(timeout: .now() + .seconds(1))
    }

    /// Reads lines until there are no more; what is longer than a line should be is cut.
    private static func read(_ file: FileHandle, _ line: (String) -> Void) {
        var rest: [UInt8] = []
        func tell(_ bytes: ArraySlice<UInt8>) {
            let text = String(decoding: bytes.prefix(2_000), as: UTF8.self)
                .filter { !$0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } }
            if !text.isEmpty { line(text) }
        }
        while true {
            let data = file.availableData
            guard !data.isEmpty else { return tell(rest[...]) }
            rest += data
            while let end = rest.firstIndex(of: 0x0A) {
                tell(rest[..<end])
                rest.removeFirst(end + 1)
            }
            if rest.count > 1 << 16 { rest.removeAll() }
        }
    }
}
