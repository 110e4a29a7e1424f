extension TargetExpression {
    /// Components of mixtures in it whose normaliser is taken for 1, its logarithm for 0, though nothing says that it is: by
    /// it the mixture's weights are shifted.
    ///
    /// - Parameter isNormalized: whether a model's density integrates to 1, by its name.
    package func componentsWithoutNormalizer(isNormalized: (String) -> Bool) -> [TargetExpression] {
        let inner = parts.flatMap { $0.componentsWithoutNormalizer(isNormalized: isNormalized) }
        switch self {
        case .mixture(let components, _, let normalizers), .sharpenedMixture(let components, _, let normalizers):
            guard components.count > 1 else { return inner }
            return inner + zip(components, normalizers).filter { $1 == 0 && !$0.isNormalized(isNormalized) }.map(\.0)
        default:
            return inner
        }
    }

    /// Whether it is known to integrate to 1 at every noise level.
    private func isNormalized(_ isNormalized: (String) -> Bool) -> Bool {
        switch self {
        case .leaf(let name):
            return isNormalized(name)
        case .product(let factors, let weights):
            let kept = zip(factors, weights).filter { $1 != 0 }
            return kept.count == 1 && kept[0].1 == 1 && kept[0].0.isNormalized(isNormalized)
        case .mixture(let components, _, let normalizers):
            return zip(components, normalizers).allSatisfy { $1 != 0 || $0.isNormalized(isNormalized) }
        case .tempered(let of, let temperature):
            return temperature == 1 && of.isNormalized(isNormalized)
        case .sharpenedMixture, .negation, .guidance, .classifier, .bounded, .tapestry:
            return false
        }
    }
}
