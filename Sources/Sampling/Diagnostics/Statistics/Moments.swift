/// The mean and the spread of numbers that come one after the other (Welford's recurrence); those that are not finite are
/// left out.
package struct Moments: Sendable {
    /// Numbers so far.
    package private(set) var count = 0
    /// 0 of none.
    package private(set) var mean = 0.0
    private var squares = 0.0

    /// With n - 1 in the denominator; 0 of fewer than two.
    package var variance: Double { count > 1 ? squares / Double(count - 1) : 0 }
    /// The root of the variance.
    package var standardDeviation: Double { variance.squareRoot() }
    /// That of the mean, of independent numbers.
    package var standardError: Double { count > 0 ? (variance / Double(count)).squareRoot() : 0 }

    /// Of no numbers.
    package init() {}

    /// Takes in the next number.
    package mutating func add(_ number: Double) {
        guard number.isFinite else { return }
        count += 1
        let difference = number - mean
        mean += difference / Double(count)
        squares += difference * (number - mean)
    }
}
