import VectorMath

/// The beta distribution with parameters a and b, 1 or more.
struct BetaDistribution {
    private let a: Double
    private let b: Double
    /// The logarithm of 1 / B(a, b).
    private let logCoefficient: Double

    init(_ a: Double, _ b: Double) {
        self.a = a
        self.b = b
        logCoefficient = Self.logGamma(a + b) - Self.logGamma(a) - Self.logGamma(b)
    }

    /// The number that a draw is at most with this probability, in (0, 1): by bisection, to about 15 digits.
    func quantile(_ probability: Double) -> Double {
        var (low, high) = (0.0, 1.0)
        while true {
            let middle = (low + high) / 2
            guard middle > low, middle < high else { return middle }
            if distribution(middle) < probability { low = middle } else { high = middle }
        }
    }

    /// The probability of at most x, in (0, 1): the regularised incomplete beta function, by its continued fraction on the
    /// side where that converges fast (Press and others, "Numerical Recipes", 6.4).
    func distribution(_ x: Double) -> Double {
        let front = Elementary.exp(logCoefficient + a * Elementary.log(x) + b * Elementary.log(1 - x))
        return x < (a + 1) / (a + b + 2)
            ? front * Self.fraction(a, b, x) / a : 1 - front * Self.fraction(b, a, 1 - x) / b
    }

    /// The continued fraction, by the method of Lentz.
    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        func away(_ number: Double) -> Double { number.magnitude < 1e-300 ? 1e-300 : number }
        var upper = 1.0
        var lower = 1 / away(1 - (a + b) * x / (a + 1))
        var value = lower
        for step in 1...100_000 {
            let m = Double(step)
            for term in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                lower = 1 / away(1 + term * lower)
                upper = away(1 + term / upper)
                value *= lower * upper
            }
            if (lower * upper - 1).magnitude < 3e-16 { break }
        }
        return value
    }

    /// Bernoulli's number B_2k over 2 k (2 k - 1), k = 1, 2, ...
    private static let coefficients: [Double] = [
        1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360_360,
    ]

    /// The logarithm of the gamma function of x, 1 or more: Stirling's series, from where it is exact to the last digits.
    private static func logGamma(_ x: Double) -> Double {
        var (x, product) = (x, 1.0)
        while x < 16 {
            product *= x
            x += 1
        }
        let square = 1 / (x * x)
        let series = coefficients.reversed().reduce(0) { $0 * square + $1 }
        let halfLogTwoPi = 0.918938533204672741780
        return (x - 0.5) * Elementary.log(x) - x + halfLogTwoPi + series / x - Elementary.log(product)
    }
}
