/// The logarithm of a mixture's component's integral at each noise level, by which its log density is off.
package enum LogNormalizer: Sendable, Equatable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// The same at every level.
    case constant(Double)
    /// One per level; index = level.
    case perLevel([Double])
    /// Not known: to be estimated first. Such a mixture has no density yet.
    case estimate

    /// The same number at every level.
    package init(floatLiteral value: Double) { self = .constant(value) }
    /// The same number at every level.
    package init(integerLiteral value: Int) { self = .constant(Double(value)) }

    /// Whether it is known, or will be, for noise levels alone.
    var isOfLevels: Bool { if case .constant = self { false } else { true } }

    /// At a level. - Precondition: it is known.
    func value(at level: Int) -> Double {
        switch self {
        case .constant(let value): value
        case .perLevel(let values): values[level]
        case .estimate: preconditionFailure("the normaliser of a component has to be estimated first")
        }
    }
}
