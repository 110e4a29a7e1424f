import CVectorMath

/// Elementary functions with the same bits on every processor, unlike those of the system's libm.
///
/// Everything that a sample depends on is computed with these. Errors are a few units in the last
/// place.
package enum Elementary {
    /// The exponential of x; zero for x below -708.
    package static func exp(_ x: Double) -> Double { one(x, rrr_exp) }

    /// The natural logarithm of x: minus infinity at 0, NaN below.
    package static func log(_ x: Double) -> Double { one(x, rrr_log) }

    /// cos(2 pi turns), for turns in [0, 1].
    package static func cosine(ofTurns turns: Double) -> Double { one(turns, rrr_cosine_of_turns) }

    /// exp(x^2) erfc(x), for x at least 0.
    package static func scaledComplementaryError(_ x: Double) -> Double { one(x, rrr_erfcx) }

    /// `base` to the power `exponent`, for a base above zero.
    package static func power(_ base: Double, _ exponent: Double) -> Double {
        exp(exponent * log(base))
    }

    /// Replaces every element by its exponential.
    package static func exp(inPlace x: inout [Double]) {
        x.withUnsafeMutableBufferPointer { rrr_exp($0.count, $0.baseAddress, $0.baseAddress) }
    }

    /// Replaces every element by its logarithm.
    package static func log(inPlace x: inout [Double]) {
        x.withUnsafeMutableBufferPointer { rrr_log($0.count, $0.baseAddress, $0.baseAddress) }
    }

    private static func one(
        _ x: Double, _ function: (Int, UnsafePointer<Double>?, UnsafeMutablePointer<Double>?) -> Void
    ) -> Double {
        var result = 0.0
        withUnsafePointer(to: x) { function(1, $0, &result) }
        return result
    }
}
