import Foundation

/// Tells on standard error how work goes: one line redrawn on a terminal, else a line now and then.
package struct ProgressLine {
    private let isTerminal: Bool
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    private var drawn = false

    /// Looks whether standard error is a terminal.
    package init() { isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb" }

    /// Shows a text, if it is time to. - Parameter secondsElapsed: since the work began.
    package mutating func show(secondsElapsed: Double, _ text: @autoclosure () -> String) {
        let interval: Duration = isTerminal ? .milliseconds(100) : .seconds(30)
        if let last, clock.now - last < interval { return }
        // Short work needs no plain line.
        if last == nil, !isTerminal, secondsElapsed < 5 { return }
        last = clock.now
        write(isTerminal ? "\r\u{1B}[K" + text() : text() + "\n")
        drawn = isTerminal
    }

    /// Removes the line.
    package mutating func clear() {
        if drawn { write("\r\u{1B}[K") }
        drawn = false
    }

    /// A time in words that nobody has to read twice: `41 s`, `12 min`, `3.4 h`.
    package static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: "\(Int(seconds.rounded(.up))) s"
        case ..<5400: "\(Int((seconds / 60).rounded(.up))) min"
        default: String(format: "%.1f h", seconds / 3600)
        }
    }

    private func write(_ text: String) {
        // Nothing depends on whether anybody sees it.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
