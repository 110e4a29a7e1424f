import VectorMath

/// The logarithm of a weighted sum of numbers that are known by their logarithms, taken in one after the other: for more
/// numbers than are kept.
package struct LogSum: Sendable, Equatable {
    private var highest = -Double.infinity
    /// Of the sum, in units of exp(`highest`).
    private var scaled = 0.0
    private var isKnown = true

    /// Of nothing.
    package init() {}

    /// Adds `weight` exp(`logarithm`); with NaN the sum is not known any more.
    ///
    /// - Parameter weight: above zero.
    package mutating func add(_ logarithm: Double, weight: Double) {
        if logarithm.isNaN { isKnown = false }
        guard logarithm > -.infinity else { return }
        if logarithm > highest {
            scaled *= Elementary.exp(highest - logarithm)
            highest = logarithm
        }
        scaled += weight * Elementary.exp(logarithm - highest)
    }

    /// The logarithm of the sum; minus infinity for one of zeros, NaN if it is not known.
    package var logarithm: Double {
        guard isKnown else { return .nan }
        return scaled > 0 ? highest + Elementary.log(scaled) : -.infinity
    }
}
