import VectorMath

extension ChainDraws {
    /// Each draw replaced by the normal score of its rank among all: the quantile of a standard normal at
    /// (r - 3/8) / (S + 1/4) of S draws (Blom 1958); equal draws have the mean of their ranks.
    var normalScores: ChainDraws {
        let order = values.enumerated().map { (value: $1, place: $0) }.sorted { $0.value < $1.value }
        var scores = [Double](repeating: 0, count: values.count)
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, order[end].value == order[first].value { end += 1 }
            // Ranks count from 1: those from first + 1 to end.
            let rank = Double(first + 1 + end) / 2
            let score = NormalQuantile.quantile((rank - 0.375) / (Double(values.count) + 0.25))
            for entry in order[first..<end] { scores[entry.place] = score }
            first = end
        }
        return ChainDraws(chains: chains, values: scores)
    }

    /// How far each draw is from the median of all.
    var folded: ChainDraws {
        let median = values.sorted().sortedQuantile(0.5)
        return map { ($0 - median).magnitude }
    }
}

/// The inverse of the standard normal's distribution function.
enum NormalQuantile {
    /// To about one part in 10^15: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
    /// Statistics 37 (1988), routine PPND16.
    ///
    /// - Parameter probability: above 0 and below 1.
    static func quantile(_ probability: Double) -> Double {
        let centred = probability - 0.5
        if centred.magnitude <= 0.425 {
            return centred * ratio(0.180625 - centred * centred, middle)
        }
        let tail = (-Elementary.log(centred < 0 ? probability : 1 - probability)).squareRoot()
        let distance = tail <= 5 ? ratio(tail - 1.6, outer) : ratio(tail - 5, far)
        return centred < 0 ? -distance : distance
    }

    private typealias Coefficients = (numerator: [Double], denominator: [Double])

    private static func ratio(_ x: Double, _ coefficients: Coefficients) -> Double {
        func polynomial(_ coefficients: [Double]) -> Double { coefficients.reversed().reduce(0) { $0 * x + $1 } }
        return polynomial(coefficients.numerator) / polynomial(coefficients.denominator)
    }

    private static let middle: Coefficients = (
        [
            3.3871328727963666080, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
            45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
        ],
        [
            1, 42.313330701600911252, 687.18700749205790830, 5394.1960214247511077, 21213.794301586595867,
            39307.895800092710610, 28729.085735721942674, 5226.4952788528545610,
        ]
    )

    private static let outer: Coefficients = (
        [
            1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
            1.27045825245236838258, 0.241780725177450611770, 0.0227238449892691845833, 7.74545014278341407640e-4,
        ],
        [
            1, 2.05319162663775882187, 1.67638483018380384940, 0.689767334985100004550, 0.148103976427480074590,
            0.0151986665636164571966, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
        ]
    )

    private static let far: Coefficients = (
        [
            6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 0.296560571828504891230,
            0.0265321895265761230930, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
        ],
        [
            1, 0.599832206555887937690, 0.136929880922735805310, 0.0148753612908506148525, 7.86869131145613259100e-4,
            1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
        ]
    )
}
