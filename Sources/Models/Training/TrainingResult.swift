import Foundation
import StrictJSON

/// What a finished training has made.
public struct TrainingResult: Sendable {
    /// The model file.
    public let output: String
    /// Its SHA-256, in hexadecimal digits.
    public let sha256: String
    /// At the end.
    let progress: TrainingProgress

    /// One fact a line, for people.
    public var text: String {
        """
        iterations   \(progress.iterations)
        loss         \(String(format: "%.5f", progress.loss))   mean of the last \(TrainingRun.recent) iterations
        seconds      \(String(format: "%.1f", progress.secondsElapsed))
        sha256       \(sha256)
        \(output)
        """
    }

    /// The same, for programs.
    public var json: String {
        JSONText.object([
            ("iterations", .integer(progress.iterations)), ("loss", .number(progress.loss)),
            ("seconds", .number(progress.secondsElapsed)), ("sha256", .string(sha256)), ("file", .string(output)),
        ]).pretty
    }
}
