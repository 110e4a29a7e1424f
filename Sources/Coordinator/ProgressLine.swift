import Foundation
public import Messaging

/// Tells on standard error how a job goes: one line redrawn on a terminal, else a line now and then.
public struct ProgressLine {
    private let isTerminal: Bool
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    private var drawn = false

    /// Looks whether standard error is a terminal.
    public init() { isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb" }

    /// Shows a status, if it is time to.
    public mutating func show(_ status: JobStatus) {
        let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(30)
        if let last, clock.now - last < interval { return }
        // A short job needs no plain line.
        if last == nil, !isTerminal, status.secondsElapsed < 5 { return }
        last = clock.now
        let text = Self.text(of: status)
        write(isTerminal ? "\r\u{1B}[K" + text : text + "\n")
        drawn = isTerminal
    }

    /// Removes the line.
    public mutating func clear() {
        if drawn { write("\r\u{1B}[K") }
        drawn = false
    }

    /// `name 640/2000 chains, 41 %, 320 chains/s, acceptance 0.998, 4 s left, 2 workers`
    public static func text(of status: JobStatus) -> String {
        var parts = ["\(status.name) \(status.chainsDone)/\(status.chainsTotal) chains"]
        parts.append("\(Int(status.fraction * 100)) %")
        if status.secondsElapsed > 0, status.chainsDone > 0 {
            parts.append("\(Int((Double(status.chainsDone) / status.secondsElapsed).rounded())) chains/s")
        }
        if status.acceptance.isFinite { parts.append("acceptance " + String(format: "%.3f", status.acceptance)) }
        if status.fraction > 0, status.fraction < 1 {
            let left = status.secondsElapsed * (1 - status.fraction) / status.fraction
            parts.append(Self.time(left) + " left")
        }
        parts.append("\(status.workers) worker\(status.workers == 1 ? "" : "s")")
        return parts.joined(separator: ", ")
    }

    static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: "\(Int(seconds.rounded(.up))) s"
        case ..<5400: "\(Int((seconds / 60).rounded(.up))) min"
        default: String(format: "%.1f h", seconds / 3600)
        }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
