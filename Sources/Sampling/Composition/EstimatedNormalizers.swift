/// Mixtures whose components' normalisers are to be estimated first.
extension TargetExpression {
    /// The first component of a mixture whose normaliser is to be estimated and can be: none within it is. Nil if none
    /// is to be.
    package var componentToEstimate: TargetExpression? {
        for part in parts { if let found = part.componentToEstimate { return found } }
        switch self {
        case .mixture(let components, _, let normalizers), .sharpenedMixture(let components, _, let normalizers):
            return zip(components, normalizers).first { $0.1 == .estimate }.map { $0.0 }
        default: return nil
        }
    }

    /// The same with the normaliser of a component, wherever it is to be estimated.
    ///
    /// - Parameter values: of the component, index = level.
    package func estimating(_ component: TargetExpression, logNormalizers values: [Double]) -> TargetExpression {
        func inside(_ part: TargetExpression) -> TargetExpression {
            part.estimating(component, logNormalizers: values)
        }
        func known(_ components: [TargetExpression], _ normalizers: [LogNormalizer]) -> [LogNormalizer] {
            zip(components, normalizers).map { $0 == component && $1 == .estimate ? .perLevel(values) : $1 }
        }
        switch self {
        case .leaf:
            return self
        case .product(let factors, let weights):
            return .product(factors.map(inside), weights: weights)
        case .mixture(let components, let weights, let normalizers):
            return .mixture(
                components.map(inside), weights: weights, logNormalizers: known(components, normalizers))
        case .sharpenedMixture(let components, let sharpness, let normalizers):
            return .sharpenedMixture(
                components.map(inside), sharpness: sharpness, logNormalizers: known(components, normalizers))
        case .negation(let of, let by, let weight):
            return .negation(of: inside(of), by: inside(by), weight: weight)
        case .guidance(let unconditional, let conditional, let scale):
            return .guidance(unconditional: inside(unconditional), conditional: conditional.map(inside), scale: scale)
        case .classifier(let of, let by, let label, let scale):
            return .classifier(of: inside(of), by: by, label: label, scale: scale)
        case .tempered(let of, let temperature):
            return .tempered(of: inside(of), temperature: temperature)
        case .bounded(let of, let low, let high):
            return .bounded(of: inside(of), low: low, high: high)
        case .tapestry(let tapestry):
            return .tapestry(tapestry.mapWindows(inside))
        }
    }
}
