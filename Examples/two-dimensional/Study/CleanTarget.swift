import Foundation

/// What a task is after when there is no noise: by this samples are judged, whatever path they came.
///
/// A clean composition has regions of no density, where a logarithm says nothing. So uniform parts are given a floor:
/// 0.99 of their mass is theirs, 0.01 is spread over the rest of [-1.1, 1.1]^2.
extension CompositionTask {
    /// Half the side of the square within which samples have a log likelihood.
    static let likelihoodReach = 1.1

    /// The log density of the clean composition with floors, normalised over [-1.1, 1.1]^2; nil outside.
    func cleanLogDensity(at point: Point) -> Double? {
        guard point.x.magnitude <= Self.likelihoodReach, point.y.magnitude <= Self.likelihoodReach else { return nil }
        switch self {
        case .product:
            // The figures of the task's definition, in the digits that it gives.
            let bar = Self.bar.contains(point) ? 1.2375 : 0.0024752
            return Self.logRing(at: point) + log(bar) - log(0.3112315)
        case .mixture:
            return log(Self.floored([Self.leftBar, Self.rightBar], at: point))
        case .negation:
            return Self.logNegation(
                Self.floored([Self.outerSquare], at: point), Self.floored([Self.innerSquare], at: point))
                - Self.negationLogNormalizer
        }
    }

    /// Whether a point is where the clean composition is: within 0.09, three standard deviations, of one of the two
    /// Gaussians that are left of the ring; in a bar; in the square and not in its middle.
    func isOnTarget(_ point: Point) -> Bool {
        switch self {
        case .product:
            [Point(x: 0, y: 0.5), Point(x: 0, y: -0.5)].contains { $0.distance(to: point) <= 0.09 }
        case .mixture:
            Self.leftBar.contains(point) || Self.rightBar.contains(point)
        case .negation:
            Self.outerSquare.contains(point) && !Self.innerSquare.contains(point)
        }
    }

    /// How tables call the fraction of samples for which ``isOnTarget(_:)`` holds.
    var onTargetName: String {
        switch self {
        case .product: "near a mode"
        case .mixture: "in a bar"
        case .negation: "in the frame"
        }
    }

    /// Mean log likelihood and fraction on target of samples of the clean composition itself, in closed form.
    var cleanReference: (logLikelihood: Double, onTarget: Double) {
        switch self {
        case .product:
            // Two Gaussians: E log q = -1 - log(2 pi s^2), and a radius has Rayleigh's distribution.
            let variance = Self.ringDeviation * Self.ringDeviation
            let ring = -1 - log(8 * 2 * Double.pi * variance)
            return (ring + log(1.2375) - log(0.3112315), 1 - exp(-0.09 * 0.09 / (2 * variance)))
        case .mixture: return (log(Self.floored([Self.leftBar, Self.rightBar], at: Point(x: 0.2, y: 0))), 1)
        case .negation: return (cleanLogDensity(at: Point(x: 0.5, y: 0)) ?? .nan, 1)
        }
    }

    /// The log density of the clean ring.
    static func logRing(at point: Point) -> Double {
        let variance = ringDeviation * ringDeviation
        let exponents = ringCentres.map { centre in
            let distance = centre.distance(to: point)
            return -distance * distance / (2 * variance)
        }
        let top = exponents.reduce(-.infinity, max)
        return top + log(exponents.reduce(0) { $0 + exp($1 - top) }) - log(8 * 2 * Double.pi * variance)
    }

    /// The uniform density on rectangles that do not overlap, with a floor around them.
    private static func floored(_ rectangles: [Rectangle], at point: Point) -> Double {
        let area = rectangles.reduce(0) { $0 + $1.area }
        let whole = 4 * likelihoodReach * likelihoodReach
        return rectangles.contains { $0.contains(point) } ? 0.99 / area : 0.01 / (whole - area)
    }

    private static func logNegation(_ outer: Double, _ inner: Double) -> Double { 1.3 * log(outer) - 0.3 * log(inner) }

    /// The density is constant in the middle, in the frame around it and in the rest.
    private static let negationLogNormalizer: Double = {
        let whole = 4 * likelihoodReach * likelihoodReach
        let regions: [(area: Double, point: Point)] = [
            (innerSquare.area, Point(x: 0, y: 0)),
            (outerSquare.area - innerSquare.area, Point(x: 0.5, y: 0)),
            (whole - outerSquare.area, Point(x: 1, y: 0)),
        ]
        let masses = regions.map { area, point in
            area * exp(logNegation(floored([outerSquare], at: point), floored([innerSquare], at: point)))
        }
        return log(masses.reduce(0, +))
    }()
}
