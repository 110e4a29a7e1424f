import Foundation
import StrictJSON

/// What a finished training has made.
package struct TrainingResult: Sendable {
    /// The model file.
    package let output: String
    /// Its SHA-256, in hexadecimal digits.
    package let sha256: String
    /// At the end.
    let progress: TrainingProgress

    /// One fact a line, for people.
    package var text: String {
        """
        iterations   \(progress.iterations)
        loss         \(String(format: "%.5f", progress.loss))   mean of the last \(TrainingRun.recent) iterations
        \(heldOutText)seconds      \(String(format: "%.1f", progress.secondsElapsed))
        sha256       \(sha256)
        \(output)
        """
    }

    private var heldOutText: String {
        guard let loss = progress.heldOutLoss else { return "" }
        return "held out     \(String(format: "%.5f", loss))   of the averaged weights on a batch of its own\n"
    }

    /// The same, for programs.
    package var json: String {
        JSONText.object([
            ("iterations", .integer(progress.iterations)), ("loss", .number(progress.loss)),
            ("held_out_loss", progress.heldOutLoss.map { .number($0) } ?? .null),
            ("seconds", .number(progress.secondsElapsed)), ("sha256", .string(sha256)), ("file", .string(output)),
        ]).pretty
    }
}
