/// Rates of one thing, measured several times.
public struct Rates {
    /// Per second, ascending.
    public let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    public var median: Double { sorted[sorted.count / 2] }

    /// Measures several things in turns, so that whatever disturbs the machine disturbs all alike.
    ///
    /// - Parameters:
    ///   - seconds: how long a turn takes at least.
    ///   - work: what is measured; each returns how much it did.
    /// - Returns: what each did per second.
    public static func inTurns(repeats: Int, seconds: Double, _ work: [() -> Double]) -> [Rates] {
        var rates = work.map { _ in [Double]() }
        for item in work { _ = item() }
        for _ in 0..<repeats {
            for (index, item) in work.enumerated() {
                let clock = ContinuousClock()
                let start = clock.now
                var done = 0.0
                while start.duration(to: clock.now) < .seconds(seconds) { done += item() }
                rates[index].append(done / (start.duration(to: clock.now) / .seconds(1)))
            }
        }
        return rates.map(Rates.init)
    }
}
