import Foundation
import Testing
import VectorMath

/// The distance of a value from a reference, in units of the last place of the reference.
private func ulps(_ value: Double, from reference: Double) -> Double {
    value == reference ? 0 : (value - reference).magnitude / reference.ulp
}

/// `count` points that fill [low, high] evenly without any pattern in their digits.
private func points(_ count: Int, from low: Double, to high: Double) -> [Double] {
    (0..<count).map { low + (high - low) * (Double($0) * 0.6180339887498949).truncatingRemainder(dividingBy: 1) }
}

@Suite("Elementary functions")
struct ElementaryTests {
    @Test("exp is within 2 ulp of libm's over its whole range")
    func exponential() {
        let worst = points(40_000, from: -707.9, to: 709.78).map { x in
            ulps(Elementary.exp(x), from: Foundation.exp(x))
        }.reduce(0, max)
        #expect(worst <= 2)
        let worstNearZero = points(10_000, from: -1e-3, to: 1e-3).map { x in
            ulps(Elementary.exp(x), from: Foundation.exp(x))
        }.reduce(0, max)
        #expect(worstNearZero <= 2)
    }

    @Test("exp has the limits of an exponential")
    func exponentialSpecialValues() {
        #expect(Elementary.exp(0) == 1)
        #expect(Elementary.exp(-0.0) == 1)
        #expect(Elementary.exp(.infinity) == .infinity)
        #expect(Elementary.exp(-.infinity) == 0)
        #expect(Elementary.exp(.nan).isNaN)
        #expect(Elementary.exp(.leastNonzeroMagnitude) == 1)
        #expect(Elementary.exp(709.78).isFinite)
        #expect(Elementary.exp(709.79) == .infinity)
        #expect(Elementary.exp(1e300) == .infinity)
        #expect(Elementary.exp(-707.9) > 0)
        #expect(Elementary.exp(-708.5) == 0)
        #expect(Elementary.exp(-1e300) == 0)
    }

    @Test("log is within 2 ulp of libm's from the subnormal numbers to the largest")
    func logarithm() {
        let wide = points(40_000, from: -1074, to: 1023.9).map { Foundation.exp2($0) }
        let nearOne = points(20_000, from: 0.5, to: 2) + points(10_000, from: 1 - 1e-6, to: 1 + 1e-6)
        let worst = (wide + nearOne).map { ulps(Elementary.log($0), from: Foundation.log($0)) }.reduce(0, max)
        #expect(worst <= 2)
    }

    @Test("log has the limits of a logarithm")
    func logarithmSpecialValues() {
        #expect(Elementary.log(1) == 0)
        #expect(Elementary.log(0) == -.infinity)
        #expect(Elementary.log(-0.0) == -.infinity)
        #expect(Elementary.log(.infinity) == .infinity)
        #expect(Elementary.log(-1).isNaN)
        #expect(Elementary.log(-.infinity).isNaN)
        #expect(Elementary.log(.nan).isNaN)
        let tiny = Double.leastNonzeroMagnitude
        #expect(ulps(Elementary.log(tiny), from: Foundation.log(tiny)) <= 1)
        let huge = Double.greatestFiniteMagnitude
        #expect(ulps(Elementary.log(huge), from: Foundation.log(huge)) <= 1)
    }

    @Test("The cosine of a turn is exact at quarters and within 1e-15 elsewhere")
    func cosine() {
        #expect(Elementary.cosine(ofTurns: 0) == 1)
        #expect(Elementary.cosine(ofTurns: 0.25) == 0)
        #expect(Elementary.cosine(ofTurns: 0.5) == -1)
        #expect(Elementary.cosine(ofTurns: 0.75) == 0)
        #expect(Elementary.cosine(ofTurns: 1) == 1)
        let worst = points(20_000, from: 0, to: 1).map { u in
            (Elementary.cosine(ofTurns: u) - Foundation.cos(2 * .pi * u)).magnitude
        }.reduce(0, max)
        #expect(worst < 1e-15)
    }

    /// exp(x^2) erfc(x) to 17 digits, from arithmetic with 40 digits.
    static let scaledComplementaryErrors: [(Double, Double)] = [
        (0, 1.0), (1e-8, 0.9999999887162084), (0.1, 0.8964569799691267),
        (0.5, 0.6156903441929259), (1, 0.427583576155807), (2, 0.25539567631050575),
        (3.7, 0.1474349975371851), (5, 0.11070463773306863), (10, 0.05614099274382259),
        (26, 0.021683584850562907), (100, 0.005641613782989433), (1e4, 5.6418958072680836e-05),
        (1e8, 5.641895835477562e-09), (1e300, 5.641895835477562e-301),
    ]

    @Test("erfcx is within 8 ulp of values of high precision", arguments: scaledComplementaryErrors)
    func scaledComplementaryError(x: Double, reference: Double) {
        #expect(ulps(Elementary.scaledComplementaryError(x), from: reference) <= 8)
    }

    @Test("erfcx agrees with exp(x^2) erfc(x) of libm where that does not overflow")
    func scaledComplementaryErrorAgainstLibrary() {
        let worst = points(10_000, from: 0, to: 5).map { x in
            let reference = Foundation.exp(x * x) * Foundation.erfc(x)
            return (Elementary.scaledComplementaryError(x) / reference - 1).magnitude
        }.reduce(0, max)
        // The reference itself is off by up to x^2 = 25 half ulps.
        #expect(worst < 1e-14)
    }

    @Test("A power is that of libm, and a power of one is one")
    func power() {
        for exponent in [-2.5, -1, 0, 0.5, 1, 3] {
            for base in [1e-6, 0.035, 0.999, 7] {
                let reference = Foundation.pow(base, exponent)
                #expect((Elementary.power(base, exponent) / reference - 1).magnitude < 1e-14)
            }
            #expect(Elementary.power(1, exponent) == 1)
        }
    }

    @Test("The functions in place give the bits of the functions of one number", arguments: [1, 3, 8, 64, 67])
    func inPlace(count: Int) {
        let x = points(count, from: 0.01, to: 700)
        var exponentials = x
        Elementary.exp(inPlace: &exponentials)
        #expect(exponentials == x.map { Elementary.exp($0) })
        var logarithms = x
        Elementary.log(inPlace: &logarithms)
        #expect(logarithms == x.map { Elementary.log($0) })
    }
}
