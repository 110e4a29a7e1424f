import Foundation

extension Duration {
    /// The quantile of an exponential distribution with this mean at `unit` in [0, 1).
    func exponential(_ unit: Double) -> Duration { self * -log(1 - unit) }

    /// As a number of seconds.
    var inSeconds: Double { self / .seconds(1) }

    /// As a whole number of milliseconds, rounded down.
    var milliseconds: Int { Int(inSeconds * 1000) }

    /// As a number of seconds with one decimal.
    var roundedSeconds: String { String(format: "%.1f", inSeconds) }
}
