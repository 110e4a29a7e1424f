import Foundation

/// How far a training is.
package struct TrainingProgress: Sendable {
    /// Steps taken, of ``iterations``.
    package let steps: Int
    /// Steps in all.
    package let iterations: Int
    /// The mean of the last hundred losses; NaN before the first step.
    package let loss: Double
    /// That of the average of the parameters on a batch that is held out, as it was last told; nil where there is none.
    package var heldOutLoss: Double?
    /// Since the command began, in seconds.
    package let secondsElapsed: Double
    /// Steps taken since then.
    let stepsElapsed: Int

    /// Steps a second; nil before the first.
    package var rate: Double? { stepsElapsed > 0 && secondsElapsed > 0 ? Double(stepsElapsed) / secondsElapsed : nil }

    /// From the rate so far; nil before the first step.
    package var secondsLeft: Double? { rate.map { Double(iterations - steps) / $0 } }

    /// `640/15001 iterations, 4 %, loss 0.1234, 15.8 iterations/s`
    package var text: String {
        var parts = ["\(steps)/\(iterations) iterations", "\(steps * 100 / iterations) %"]
        if loss.isFinite { parts.append("loss " + String(format: "%.5f", loss)) }
        if let heldOutLoss { parts.append("held out " + String(format: "%.5f", heldOutLoss)) }
        if let rate { parts.append(String(format: "%.1f iterations/s", rate)) }
        return parts.joined(separator: ", ")
    }
}
