import Foundation
import StopSignals
import Synchronization

/// Why the study can't go on.
struct StudyError: Error, CustomStringConvertible {
    let exitStatus: Int32
    let description: String
}

/// Runs jobs in the real pool, by `rrr-coordinator submit`, one at a time.
final class PoolRun: Sendable {
    private let coordinator: String
    private let workers: Int?
    private let running = Mutex<Process?>(nil)

    /// - Parameter workers: local worker processes; nil for what `submit` does by itself.
    /// - Throws: ``StudyError`` if the commands are not beside the one that runs.
    init(workers: Int?) throws(StudyError) {
        let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        let missing = ["rrr-coordinator", "rrr-worker"].filter {
            !FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)")
        }
        guard missing.isEmpty else {
            throw StudyError(
                exitStatus: 70,
                description: "\(folder) has no \(missing.joined(separator: " and no ")); build all commands first: "
                    + "swift build -c release")
        }
        coordinator = "\(folder)/rrr-coordinator"
        self.workers = workers
    }

    /// Runs a job, unless its folder holds the finished run already.
    ///
    /// - Returns: nil if the folder holds it now, else what the command said last.
    /// - Throws: ``StudyError`` if the command can't be started.
    func submit(_ job: String, output: String) throws(StudyError) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: coordinator)
        process.arguments =
            ["submit", job, "--output", output, "--json"] + (workers.map { ["--workers", String($0)] } ?? [])
        process.standardInput = FileHandle.nullDevice
        // The summary, which the folder holds as well.
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw StudyError(
                exitStatus: 70, description: "\(coordinator) can't be started: \(error.localizedDescription)")
        }
        running.withLock { $0 = process }
        defer { running.withLock { $0 = nil } }
        var text: [UInt8] = []
        while true {
            let data = errors.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += data
            try? FileHandle.standardError.write(contentsOf: data)
        }
        process.waitUntilExit()
        if process.terminationReason == .exit, process.terminationStatus == 0 { return nil }
        let lines = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last.map(String.init) ?? "rrr-coordinator ended with status \(process.terminationStatus)"
    }

    /// Ends the job that runs; what is done of it is kept, and the same study goes on from there.
    func interrupt() { running.withLock { $0?.interrupt() } }
}
