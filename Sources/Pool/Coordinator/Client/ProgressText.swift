import Foundation
package import Messaging
import TerminalProgress

extension JobStatus {
    /// Until its end, from the rate so far; nil where nobody knows, as while it waits for something.
    var secondsLeft: Double? {
        fraction > 0 && fraction < 1 && !state.isOver && notice.isEmpty
            ? secondsElapsed * (1 - fraction) / fraction : nil
    }

    /// `name 640/2000 chains, 41 %, 320 chains/s, acceptance 0.998, 4 s left, 2 workers`
    package var progressText: String {
        var parts = ["\(name) \(chainsDone)/\(chainsTotal) chains"]
        parts.append("\(Int(fraction * 100)) %")
        if secondsElapsed > 0, chainsDone > 0 {
            parts.append("\(Int((Double(chainsDone) / secondsElapsed).rounded())) chains/s")
        }
        if acceptance.isFinite { parts.append("acceptance " + String(format: "%.3f", acceptance)) }
        if let secondsLeft { parts.append(ProgressLine.time(secondsLeft) + " left") }
        parts.append("\(workers) worker\(workers == 1 ? "" : "s")")
        if state == .paused { parts.append("paused") }
        if !notice.isEmpty { parts.append(notice) }
        return parts.joined(separator: ", ")
    }
}
