import ContentHash
import Foundation

/// Runs a job undisturbed, then in pools whose processes are killed, stopped and paused, and compares the bytes.
package struct ChaosTest {
    private let commands: PoolCommands
    private let settings: DisturbanceSettings
    private let patience: Duration
    private let folder: String
    private let interruption: () -> Int32?

    /// - Parameters:
    ///   - patience: how long a job may take after the last disturbance.
    ///   - folder: for what the runs leave. What is flawless is removed in the end.
    ///   - interruption: the signal that asks to stop, if one has come.
    package init(
        commands: PoolCommands, settings: DisturbanceSettings, patience: Duration, folder: String,
        interruption: @escaping () -> Int32?
    ) {
        self.commands = commands
        self.settings = settings
        self.patience = patience
        self.folder = folder
        self.interruption = interruption
    }

    /// Runs the job `runs` times with seeds from `seed` on.
    ///
    /// - Parameter report: called after each run with its number, the undisturbed one being 0, and a line about it.
    /// - Throws: ``ChaosError``: the status of the undisturbed submission if that fails, 130 or 143 after a signal, 70,
    ///   73 or 74. No process is left either way.
    package func run(runs: Int, seed: UInt64, _ report: (Int, String) -> Void) throws(ChaosError) -> ChaosReport {
        try makeFolder(folder)
        let (expected, time): (OutputContent, Duration)
        do {
            (expected, time) = try undisturbed()
        } catch {
            // The error holds all that was said.
            remove(folder)
            throw error
        }
        report(0, "undisturbed, \(time.roundedSeconds) s")
        var reports: [RunReport] = []
        for number in 1...max(1, runs) {
            var run = DisturbedRun(
                commands: commands, folder: "\(folder)/run-\(number)", patience: patience, interruption: interruption)
            var outcome: RunReport
            do {
                outcome = try run.run(settings, seed: seed &+ UInt64(number - 1))
            } catch {
                if interruption() != nil { remove(reports.allSatisfy(\.isFlawless) ? folder : run.folder) }
                throw error
            }
            if outcome.outcome == .identical {
                outcome.details = try content(run.output).differences(from: expected)
                if !outcome.details.isEmpty { outcome.outcome = .different }
            }
            if outcome.isFlawless {
                remove(run.folder)
                outcome.folder = nil
            }
            report(number, "seed \(outcome.seed): " + outcome.line)
            reports.append(outcome)
        }
        if reports.allSatisfy(\.isFlawless) { remove(folder) }
        return ChaosReport(undisturbedTime: time, runs: reports)
    }

    private func undisturbed() throws(ChaosError) -> (OutputContent, Duration) {
        let (output, log) = (folder + "/undisturbed", folder + "/undisturbed.log")
        let clock = ContinuousClock()
        let begin = clock.now
        let child = try ChildProcess(commands.submitLocally(workers: settings.workers, output: output), log: log)
        defer { ChildProcess.end([child]) }
        while child.ending == nil {
            if let signal = interruption() { throw ChaosError(exitStatus: 128 + signal, "interrupted") }
            usleep(5_000)
        }
        if let ending = child.ending, !ending.isClean {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw ChaosError(
                exitStatus: ending.bySignal ? 70 : ending.status, "the undisturbed run ended with \(ending): " + said)
        }
        return (try content(output), clock.now - begin)
    }

    private func content(_ output: String) throws(ChaosError) -> OutputContent {
        do {
            return try OutputContent(folder: output)
        } catch {
            throw ChaosError(exitStatus: 74, "\(error)")
        }
    }

    private func remove(_ path: String) {
        // What can't be removed is no failure of the pool.
        try? FileManager.default.removeItem(atPath: path)
    }
}
