import Composition
import VectorMath

/// The density of the points where chains start: a normal about the origin, the same along all axes, folded into the
/// bounds where there are any.
enum StartDensity {
    /// The log density at the points x [dimension][lanes] within the bounds, [lanes].
    ///
    /// - Parameter deviation: the normal's standard deviation.
    static func logDensity(at x: LaneMatrix, deviation: Double, within bounds: Bounds?) -> [Double] {
        var sums = [Double](repeating: 0, count: x.lanes)
        guard let bounds else {
            x.squaredNorms(into: &sums)
            let variance = deviation * deviation
            let constant = Double(x.rows) * Elementary.log(2 * .pi * variance)
            return sums.map { -0.5 * ($0 / variance + constant) }
        }
        let logDeviation = Elementary.log(deviation)
        for row in 0..<x.rows {
            for lane in sums.indices {
                let density = folded(
                    x[row, lane] / deviation, low: bounds.low[row] / deviation, high: bounds.high[row] / deviation)
                sums[lane] += Elementary.log(density) - logDeviation
            }
        }
        return sums
    }

    /// The density at x of a standard normal folded into [low, high] by reflection at both ends.
    static func folded(_ x: Double, low: Double, high: Double) -> Double {
        let width = high - low
        guard width < .infinity else { return Elementary.exp(-0.5 * x * x) / (2 * Double.pi).squareRoot() }
        guard width > 2 else { return wave(x, low: low, width: width) }
        return images(of: x, period: 2 * width) + images(of: 2 * low - x, period: 2 * width)
    }

    /// The sum of the normal densities at all the points that are folded onto one another; few count in a wide box.
    private static func images(of x: Double, period: Double) -> Double {
        // Beyond 9 the density is below 1e-18.
        let nearest = x - period * (x / period).rounded()
        let reach = Int((9 / period).rounded(.up))
        return (-reach...reach).reduce(0.0) { sum, index in
            let point = nearest + period * Double(index)
            return sum + Elementary.exp(-0.5 * point * point) / (2 * Double.pi).squareRoot()
        }
    }

    /// The same sum as a cosine series (Poisson's summation formula), of which few terms count in a narrow box.
    private static func wave(_ x: Double, low: Double, width: Double) -> Double {
        let (start, place) = (low / (2 * width), (x - low) / (2 * width))
        var sum = 1.0
        for term in 1...6 {
            let frequency = Double(term) * .pi / width
            let (a, b) = (Double(term) * start, Double(term) * place)
            sum +=
                2 * Elementary.exp(-0.5 * frequency * frequency)
                * Elementary.cosine(ofTurns: a - a.rounded(.down)) * Elementary.cosine(ofTurns: b - b.rounded(.down))
        }
        return sum / width
    }
}
