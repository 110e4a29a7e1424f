extension TargetExpression {
    /// How much of its models' log densities a composition adds up far out: 1 for a model, the sum of the weights
    /// for a product, 1 less the weight for a negation, 1 for guidance; of a mixture's components the least; of a
    /// tapestry the mean over its pixels.
    ///
    /// Where all models fall equally fast, as at the noisiest level, it can be normalised if this is above zero.
    package var totalWeight: Double {
        switch self {
        case .leaf: 1
        case .product(let factors, let weights): zip(factors, weights).reduce(0) { $0 + $1.0.totalWeight * $1.1 }
        case .mixture(let components, _, _): components.map(\.totalWeight).reduce(.infinity, min)
        case .sharpenedMixture(let components, let sharpness, _):
            sharpness * components.map(\.totalWeight).reduce(.infinity, min)
        case .negation(let of, let by, let weight): of.totalWeight - weight * by.totalWeight
        case .guidance(let unconditional, let conditional, let scale):
            conditional.reduce(unconditional.totalWeight * (1 - scale * Double(conditional.count))) {
                $0 + scale * $1.totalWeight
            }
        case .tempered(let of, let temperature): of.totalWeight / temperature
        case .classifier(let of, _, _, _), .bounded(let of, _, _): of.totalWeight
        case .tapestry(let tapestry): tapestry.totalWeight
        }
    }

    /// Whether a weight in it is zero or below. If none is, it can be normalised as its models can.
    package var subtracts: Bool {
        switch self {
        case .leaf: false
        case .product(let factors, let weights): weights.contains { $0 <= 0 } || factors.contains(where: \.subtracts)
        case .mixture(let components, _, _), .sharpenedMixture(let components, _, _):
            components.contains(where: \.subtracts)
        case .negation: true
        case .guidance(let unconditional, let conditional, let scale):
            scale <= 0 || scale * Double(conditional.count) >= 1
                || ([unconditional] + conditional).contains(where: \.subtracts)
        // See `tail(of:)` for why no scale of a classifier does.
        case .classifier(let of, _, _, _), .tempered(let of, _), .bounded(let of, _, _): of.subtracts
        case .tapestry(let tapestry): tapestry.windows.contains { $0.of.subtracts }
        }
    }

    /// How often models occur in it.
    package var occurrences: Int {
        switch self {
        case .leaf: 1
        case .classifier(let of, _, _, _): of.occurrences + 1
        default: parts.reduce(0) { $0 + $1.occurrences }
        }
    }

    /// The tail of the composition, from those of its models at the same noise level, by name; nil if it has
    /// density within bounds alone.
    package func tail(of models: [String: TailForm]) -> TailForm? {
        switch self {
        case .leaf(let name):
            return models[name]
        case .product(let factors, let weights):
            return Self.sum(zip(factors, weights).map { ($0, $1) }, models)
        case .negation(let of, let by, let weight):
            return Self.sum([(of, 1), (by, -weight)], models)
        case .guidance(let unconditional, let conditional, let scale):
            return Self.sum(
                [(unconditional, 1 - scale * Double(conditional.count))] + conditional.map { ($0, scale) }, models)
        case .classifier(let of, _, _, _):
            // Log p is at most 0, so with a scale above zero the term never rises. Far out a network's logits are
            // linear in x but for something bounded, since its blocks see normalised features; so log p falls no
            // faster than linearly, and with a scale below zero the term rises no faster: far slower than a
            // Gaussian falls. Either way it has no part in the quadratic form.
            return of.tail(of: models)
        case .tempered(let of, let temperature):
            return Self.sum([(of, 1 / temperature)], models)
        case .mixture(let components, _, _):
            let unbounded = components.compactMap { $0.tail(of: models) }
            return unbounded.isEmpty ? nil : TailForm(mixtureOf: unbounded)
        case .sharpenedMixture(let components, let sharpness, _):
            let unbounded = components.compactMap { $0.tail(of: models) }
            return unbounded.isEmpty ? nil : TailForm(sumOf: [(TailForm(mixtureOf: unbounded), sharpness)])
        case .bounded:
            return nil
        case .tapestry(let tapestry):
            return tapestry.tail(of: models)
        }
    }

    private static func sum(_ terms: [(TargetExpression, Double)], _ models: [String: TailForm]) -> TailForm? {
        var forms: [(TailForm, Double)] = []
        for (term, weight) in terms {
            if let form = term.tail(of: models) {
                forms.append((form, weight))
            } else if weight != 0 {
                // Bounds have no part in what is subtracted: that is refused where a target is read.
                return nil
            }
        }
        return TailForm(sumOf: forms)
    }
}
