import Foundation
import Synchronization

/// Worker processes of this host. One that dies is replaced, within reason.
final class LocalWorkers: Sendable {
    private struct State {
        var processes: [Int32: Process] = [:]
        var replacementsLeft: Int
        /// Replacements that are about to be started.
        var pending = 0
        var ending = false
    }

    private let state: Mutex<State>
    private let executable: URL
    private let coordinator: String
    /// Bytes for the networks of each.
    private let memory: Int
    /// The model servers of each.
    private let servers: [String]
    private let died: @Sendable (Int32, String) -> Void
    private let exhausted: @Sendable (String) -> Void

    /// - Parameters:
    ///   - memory: bytes for networks, of all processes together.
    ///   - servers: the model servers that each runs, as its command line has them.
    ///   - died: called with the process and how it ended, from any thread.
    ///   - exhausted: called when the last one has ended and will not be replaced.
    init(
        count: Int, coordinator: String, memory: Int, servers: [String],
        died: @escaping @Sendable (Int32, String) -> Void,
        exhausted: @escaping @Sendable (String) -> Void
    ) throws {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        executable = own.deletingLastPathComponent().appendingPathComponent("rrr-worker")
        self.coordinator = coordinator
        self.memory = max(1, memory / count)
        self.servers = servers
        self.died = died
        self.exhausted = exhausted
        state = Mutex(State(replacementsLeft: 3 * count + 10))
        guard FileManager.default.isExecutableFile(atPath: executable.path) else {
            throw PoolClientError(
                exitStatus: 70,
                "\(executable.path) is missing; it belongs beside rrr-coordinator (swift build makes both)")
        }
        for _ in 0..<count { try start() }
    }

    private func start() throws {
        let process = Process()
        process.executableURL = executable
        process.arguments =
            [
                "--coordinator", coordinator, "--slots", "1", "--memory", "\(memory)", "--parent", "\(getpid())",
            ] + servers.flatMap { ["--server", $0] }
        // A local pool has no keys: nobody else may look into the folder of its socket.
        process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "RRR_KEYS" }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        process.terminationHandler = { [weak self] in self?.ended($0) }
        try state.withLock { state in
            guard !state.ending else { return }
            try process.run()
            state.processes[process.processIdentifier] = process
        }
    }

    private func ended(_ process: Process) {
        let id = process.processIdentifier
        let replace = state.withLock { state -> Bool in
            state.processes[id] = nil
            guard !state.ending, state.replacementsLeft > 0 else { return false }
            state.replacementsLeft -= 1
            state.pending += 1
            return true
        }
        let how = process.terminationReason == .uncaughtSignal ? "signal" : "exit status"
        died(id, "worker process \(id) ended with \(how) \(process.terminationStatus)")
        if replace {
            // A worker that cannot live must not be started in a frenzy.
            usleep(50_000)
            try? start()
            state.withLock { $0.pending -= 1 }
        }
        if state.withLock({ !$0.ending && $0.processes.isEmpty && $0.pending == 0 }) {
            exhausted(
                "all worker processes of this host have ended; the last: process \(id), \(how) \(process.terminationStatus)"
            )
        }
    }

    /// Asks all to end, waits, and kills after two seconds.
    func end() {
        let asked = state.withLock { state in
            state.ending = true
            return Array(state.processes.values)
        }
        for process in asked { process.terminate() }
        for attempt in 0..<1_500 {
            let left = state.withLock { Array($0.processes.values) }
            if left.isEmpty { return }
            if attempt >= 1_000 { left.forEach { kill($0.processIdentifier, SIGKILL) } }
            usleep(2_000)
        }
    }
}
