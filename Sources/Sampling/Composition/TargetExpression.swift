package import EnergyModels

/// The composition that a job samples: a tree of operators over named models.
///
/// Every operator combines log densities at one noise level (Du et al. 2023, section 4); with
/// l the log density of a child and s its score, each case states what it stands for.
package indirect enum TargetExpression: Sendable, Equatable {
    /// A model of the job, by its name.
    case leaf(String)

    /// AND: sum of `weights[i] * l_i`. One weight per factor; a weight may be negative.
    case product([TargetExpression], weights: [Double])

    /// OR: `logsumexp(log p_i + l_i - z_i)` with weights p_i (positive, normalised when evaluated)
    /// and log normalisers z_i, which may depend on the level. Both arrays have one entry per component.
    case mixture([TargetExpression], weights: [Double], logNormalizers: [LogNormalizer])

    /// The tempered OR of the released code, kept for comparison:
    /// `logsumexp(sharpness * sigma * (l_i - z_i)) / sigma`, where sigma is the level's noise; the released code has no z_i.
    /// One per component.
    case sharpenedMixture([TargetExpression], sharpness: Double, logNormalizers: [LogNormalizer])

    /// NOT: `l_of - weight * l_by`.
    case negation(of: TargetExpression, by: TargetExpression, weight: Double)

    /// Conjunction under guidance: `l_u + scale * sum(l_i - l_u)`.
    /// Classifier-free guidance is the case of one condition.
    case guidance(unconditional: TargetExpression, conditional: [TargetExpression], scale: Double)

    /// Guidance by a classifier: `l_of + scale * log p(label | x, t)`, by the name of a classifier, with a label
    /// below its classes. Scale 1 is Bayes' rule; a scale below zero leads away from the label.
    case classifier(of: TargetExpression, by: String, label: Int, scale: Double)

    /// `l_of / temperature`, temperature above zero.
    case tempered(of: TargetExpression, temperature: Double)

    /// `l_of` inside the closed box [low, high] of the level's own coordinates, minus infinity
    /// outside.
    case bounded(of: TargetExpression, low: PointArray, high: PointArray)

    /// A large picture of which windows show parts to compositions of smaller ones.
    case tapestry(Tapestry)
}

extension TargetExpression {
    /// The names of the models that occur in it, classifiers among them.
    package var leaves: Set<String> {
        switch self {
        case .leaf(let name): [name]
        case .classifier(let of, let by, _, _): of.leaves.union([by])
        default: parts.reduce(into: []) { $0.formUnion($1.leaves) }
        }
    }

    /// The names of the models whose log density is subtracted somewhere.
    package var subtractedLeaves: Set<String> { leaves(sign: 1) }

    /// Those that are subtracted if the expression's own log density is added (1) or subtracted (-1).
    private func leaves(sign: Int) -> Set<String> {
        func all(_ parts: [TargetExpression], _ signs: [Int]) -> Set<String> {
            zip(parts, signs).reduce(into: []) { $0.formUnion($1.0.leaves(sign: $1.1)) }
        }
        switch self {
        case .leaf(let name): return sign < 0 ? [name] : []
        case .product(let factors, let weights):
            return all(factors, weights.map { $0 < 0 ? -sign : sign })
        case .mixture(let parts, _, _), .sharpenedMixture(let parts, _, _): return all(parts, parts.map { _ in sign })
        case .negation(let of, let by, _): return all([of, by], [sign, -sign])
        case .guidance(let unconditional, let conditional, let scale):
            let own = 1 - scale * Double(conditional.count)
            return all(
                [unconditional] + conditional,
                [own < 0 ? -sign : sign] + conditional.map { _ in scale < 0 ? -sign : sign })
        case .classifier(let of, _, _, _), .tempered(let of, _), .bounded(let of, _, _): return of.leaves(sign: sign)
        case .tapestry(let tapestry): return all(tapestry.windows.map(\.of), tapestry.windows.map { _ in sign })
        }
    }

    /// The expressions that its operator combines.
    var parts: [TargetExpression] {
        switch self {
        case .leaf: []
        case .product(let parts, _), .mixture(let parts, _, _), .sharpenedMixture(let parts, _, _): parts
        case .negation(let of, let by, _): [of, by]
        case .guidance(let unconditional, let conditional, _): [unconditional] + conditional
        case .classifier(let of, _, _, _), .tempered(let of, _), .bounded(let of, _, _): [of]
        case .tapestry(let tapestry): tapestry.windows.map(\.of)
        }
    }

    /// The shape of a point, where models have points of the shape `shape`.
    package func shape(ofModels shape: PointShape) -> PointShape {
        if case .tapestry(let tapestry) = self { return tapestry.canvas }
        return parts.first?.shape(ofModels: shape) ?? shape
    }

    /// How many bounded parts it has, itself among them.
    package var boundedParts: Int {
        let inner = parts.reduce(0) { $0 + $1.boundedParts }
        if case .bounded = self { return inner + 1 }
        return inner
    }

    /// How many boxes of models with these names windows of tapestries in it show, one for each time.
    package func windowedBoxes(ofModels names: Set<String>) -> Int {
        func all(_ expression: TargetExpression) -> Int {
            if case .leaf(let name) = expression { return names.contains(name) ? 1 : 0 }
            return expression.parts.reduce(0) { $0 + all($1) }
        }
        if case .tapestry = self { return all(self) }
        return parts.reduce(0) { $0 + $1.windowedBoxes(ofModels: names) }
    }

    /// Whether a mixture in it is of the released code's tempered form.
    package var hasSharpenedMixture: Bool {
        if case .sharpenedMixture = self { return true }
        return parts.contains(where: \.hasSharpenedMixture)
    }

    /// Whether a tapestry in it is a mean of scores, which is the gradient of no log density.
    package var averagesScores: Bool {
        if case .tapestry(let tapestry) = self, tapestry.combination == .average { return true }
        return parts.contains(where: \.averagesScores)
    }

    /// Whether a mixture in it has normalisers for noise levels, known or to be estimated.
    package var hasLevelNormalizers: Bool {
        switch self {
        case .mixture(_, _, let normalizers) where normalizers.contains(where: \.isOfLevels): true
        case .sharpenedMixture(_, _, let normalizers) where normalizers.contains(where: \.isOfLevels): true
        default: parts.contains(where: \.hasLevelNormalizers)
        }
    }
}
