public import EnergyModels

/// An operator's child could not be resolved.
public struct UnknownModel: Error, Equatable, CustomStringConvertible {
    /// The name that no model has.
    public let name: String

    public var description: String { "no model is named \"\(name)\"" }
}

extension TargetExpression {
    /// The density that the expression stands for.
    ///
    /// - Parameters:
    ///   - models: the leaves by name, all of one shape.
    ///   - classifiers: what guides, by name, of the same shape.
    /// - Throws: ``UnknownModel``.
    public func density(
        models: [String: any Density], classifiers: [String: any Classifier] = [:]
    ) throws(UnknownModel) -> any Density {
        func densities(_ children: [TargetExpression]) throws(UnknownModel) -> [any Density] {
            var densities: [any Density] = []
            for child in children { densities.append(try child.density(models: models, classifiers: classifiers)) }
            return densities
        }
        switch self {
        case .leaf(let name):
            guard let model = models[name] else { throw UnknownModel(name: name) }
            return model
        case .product(let factors, let weights):
            return WeightedSum(terms: try densities(factors), weights: weights)
        case .negation(let of, let by, let weight):
            return WeightedSum(terms: try densities([of, by]), weights: [1, -weight])
        case .classifier(let of, let by, let label, let scale):
            guard let classifier = classifiers[by] else { throw UnknownModel(name: by) }
            return WeightedSum(
                terms: try densities([of]) + [classifier.logProbability(of: label)], weights: [1, scale])
        case .tempered(let of, let temperature):
            return WeightedSum(terms: try densities([of]), weights: [1 / temperature])
        case .guidance(let unconditional, let conditional, let scale):
            // l_u + w sum(l_i - l_u), gathered by term: energy and score cannot disagree.
            let own = 1 - scale * Double(conditional.count)
            return WeightedSum(
                terms: try densities([unconditional] + conditional),
                weights: [own] + conditional.map { _ in scale })
        case .mixture(let components, let weights, let logNormalizers):
            return Mixture(
                components: try densities(components), weights: weights,
                logNormalizers: logNormalizers)
        case .sharpenedMixture(let components, let sharpness, let logNormalizers):
            return SharpenedMixture(
                components: try densities(components), sharpness: sharpness,
                logNormalizers: logNormalizers)
        case .bounded(let of, let low, let high):
            return BoundedDensity(
                of: try of.density(models: models, classifiers: classifiers),
                bounds: Bounds(low: low.values, high: high.values))
        }
    }
}
