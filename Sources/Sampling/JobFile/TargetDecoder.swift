import Composition
import EnergyModels
import StrictJSON

/// Reads the tree of operators.
struct TargetDecoder {
    private static let operators = [
        "product", "mixture", "negation", "guidance", "classifier", "tempered", "bounded", "tapestry",
    ]
    private static let deepest = 32

    let models: [String: JobModel]
    /// Of the schedule.
    let levels: Int
    /// Coordinates of the canvases and windows that were read.
    var tapestryNumbers = 0

    /// - Parameter levels: of the schedule.
    init(models: [String: JobModel], levels: Int) { (self.models, self.levels) = (models, levels) }

    mutating func target(_ field: JSONField) throws(JSONProblem) -> TargetExpression {
        let expression = try expression(field, sign: 1, depth: 0)
        let most = ModelDescription.mostNumbers / 2 / max(1, shape(of: expression)?.dimension ?? 1)
        let ofModels = models.filter { if case .analytic(.uniformBox) = $0.value { true } else { false } }
        let parts = expression.boundedParts + expression.windowedBoxes(ofModels: Set(ofModels.keys))
        guard parts <= most else {
            throw field.problem("has \(parts) bounded parts; at most \(most) of such points are possible")
        }
        if let bounds = expression.bounds, bounds.isEmpty {
            throw field.problem(
                "the boxes of its bounded parts have nothing in common: the target has no density anywhere")
        }
        return expression
    }

    /// - Parameter sign: 1, or -1 where the expression's log density is subtracted.
    mutating func expression(_ field: JSONField, sign: Int, depth: Int) throws(JSONProblem) -> TargetExpression {
        guard depth <= Self.deepest else { throw field.problem("operators are nested more than \(Self.deepest) deep") }
        if field.isString {
            let (name, model) = try model(field)
            guard model.classifierLabels == nil else {
                throw field.problem(
                    "\"\(name)\" is a classifier, which is no density; let it guide one: "
                        + "{\"classifier\": {\"of\": …, \"by\": \"\(name)\", \"label\": 0, \"scale\": 1}}")
            }
            return .leaf(name)
        }
        guard field.isObject else {
            throw field.problem("must be a model's name or an object with an operator, is \(field.node.value.kind)")
        }
        let members = try field.members("an operator")
        let found = members.names.filter(Self.operators.contains)
        guard found.count == 1, let name = found.first, let inner = members[name] else {
            if found.isEmpty, let first = members.names.first, let member = members[first] {
                throw member.problem("no such operator; \(Spelling.suggestion(for: first, among: Self.operators))")
            }
            throw field.problem("must have exactly one operator of \(Self.operators), has \(found.count)")
        }
        switch name {
        case "product": return try product(field, inner, sign, depth)
        case "mixture": return try mixture(field, inner, sign, depth)
        case "negation": return try negation(field, inner, sign, depth)
        case "guidance": return try guidance(field, inner, sign, depth)
        case "classifier": return try classifier(field, inner, sign, depth)
        case "tempered": return try tempered(field, inner, sign, depth)
        case "bounded": return try bounded(field, inner, sign, depth)
        default: return try tapestry(field, inner, sign, depth)
        }
    }

    /// Of its points.
    func shape(of expression: TargetExpression) -> PointShape? {
        models.values.first.map { expression.shape(ofModels: $0.shape) }
    }

    /// Parts of an operator have points of one shape.
    private func check(_ part: TargetExpression, _ field: JSONField, isLike first: TargetExpression) throws(JSONProblem)
    {
        guard let wanted = shape(of: first), let found = shape(of: part), found != wanted else { return }
        throw field.problem(
            "has points of the shape \(found), but the part before it has \(wanted); only windows of a tapestry may differ "
                + "from the whole")
    }

    /// The model that a string names.
    private func model(_ field: JSONField) throws(JSONProblem) -> (name: String, model: JobModel) {
        let name = try field.string("a model's name")
        guard let model = models[name] else {
            throw field.problem(
                "no model \"\(name)\"; \(Spelling.suggestion(for: name, among: models.keys.sorted()))")
        }
        return (name, model)
    }

    private mutating func children(
        _ field: JSONField, signs: [Int], depth: Int
    ) throws(JSONProblem) -> [TargetExpression] {
        var children: [TargetExpression] = []
        for (child, sign) in zip(try field.array("the parts of the composition"), signs) {
            children.append(try expression(child, sign: sign, depth: depth + 1))
            try check(children[children.count - 1], child, isLike: children[0])
        }
        return children
    }

    private mutating func product(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        let members = try field.members("a product", allowed: ["product", "weights"])
        let count = try inner.array("the factors").count
        let weights = try members["weights"]?.numbers("one weight per factor", count: count)
        let all = weights ?? [Double](repeating: 1, count: count)
        return .product(
            try children(inner, signs: all.map { $0 < 0 ? -sign : sign }, depth: depth), weights: all)
    }

    private mutating func mixture(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        let members = try field.members(
            "a mixture", allowed: ["mixture", "weights", "log_normalizers", "sharpness"])
        let parts = try inner.array("the components")
        let count = parts.count
        let components = try children(inner, signs: [Int](repeating: sign, count: count), depth: depth)
        for (part, component) in zip(parts, components) {
            if let name = component.leaves.sorted().first(where: { models[$0]?.hasEnergy == false }) {
                throw part.problem(
                    "\"\(name)\" is a \(models[name]?.isServed == true ? "server of a score" : "network of the kind noise"), which has no energy "
                        + "for a mixture to weigh it by; use one with an energy, or a product, negation, guidance or "
                        + "tempering")
            }
            guard !component.averagesScores else {
                throw part.problem(
                    "has a tapestry that averages scores, so that there is no energy for a mixture to weigh it by; write "
                        + "\"combine\": \"product\", or put the mixtures into the windows")
            }
        }
        if let sharpness = members["sharpness"] {
            if let extra = members["weights"] {
                throw extra.problem("the form with \"sharpness\" has no weights; leave out one of the two")
            }
            return .sharpenedMixture(
                components, sharpness: try sharpness.positive("3.5"),
                logNormalizers: try normalizers(members["log_normalizers"], of: components))
        }
        let weights = try members["weights"]?.numbers(
            "one weight per component", count: count, entry: "a finite number above zero", where: { $0 > 0 })
        try ModelDescription.check(sum: weights, members["weights"])
        return .mixture(
            components, weights: weights ?? [Double](repeating: 1, count: count),
            logNormalizers: try normalizers(members["log_normalizers"], of: components))
    }

    private func normalizers(
        _ field: JSONField?, of components: [TargetExpression]
    ) throws(JSONProblem) -> [LogNormalizer] {
        let wish = "\"estimate\", or for each component a number, an array with one per level, or \"estimate\""
        guard let field else { return components.map { _ in 0 } }
        if field.isString {
            _ = try field.choice(["estimate"], "way to know normalisers")
            return components.map { _ in .estimate }
        }
        var normalizers: [LogNormalizer] = []
        for entry in try field.array(wish, count: components.count) {
            if entry.isString {
                _ = try entry.choice(["estimate"], "way to know a normaliser")
                normalizers.append(.estimate)
            } else if entry.isArray {
                normalizers.append(.perLevel(try entry.numbers("one number per level, index = level", count: levels)))
            } else {
                normalizers.append(.constant(try entry.number()))
            }
        }
        return normalizers
    }

    private mutating func negation(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        _ = try field.members("a negation", allowed: ["negation"])
        let members = try inner.members("{\"of\": …, \"by\": …, \"weight\": …}", allowed: ["of", "by", "weight"])
        let of = try expression(try members.required("of", "what is sampled"), sign: sign, depth: depth + 1)
        let avoided = try members.required("by", "what is avoided")
        let by = try expression(avoided, sign: -sign, depth: depth + 1)
        try check(by, avoided, isLike: of)
        return .negation(
            of: of, by: by,
            weight: try members.required("weight", "how strongly, such as 0.3").positive("0.3"))
    }

    private mutating func guidance(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        _ = try field.members("a guidance", allowed: ["guidance"])
        let members = try inner.members(
            "{\"unconditional\": …, \"conditional\": […], \"scale\": …}",
            allowed: ["unconditional", "conditional", "scale"])
        let strength = try members.required("scale", "the strength, such as 4")
        if strength.isArray {
            throw strength.problem(
                "is one number for all conditions; for one each write a product of the models with the weights "
                    + "1 - w1 - w2 (of the unconditional one), w1, w2: {\"product\": [\"u\", \"a\", \"b\"], "
                    + "\"weights\": [0, 2, -1]}")
        }
        let scale = try strength.number()
        let list = try members.required("conditional", "an array of conditional models")
        let count = try list.array("an array of conditional models").count
        let own = 1 - scale * Double(count)
        let unconditional = try expression(
            try members.required("unconditional", "the model without conditions"), sign: own < 0 ? -sign : sign,
            depth: depth + 1)
        let conditional = try children(
            list, signs: [Int](repeating: scale < 0 ? -sign : sign, count: count), depth: depth)
        if let first = conditional.first { try check(first, list, isLike: unconditional) }
        return .guidance(unconditional: unconditional, conditional: conditional, scale: scale)
    }

    private mutating func classifier(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        _ = try field.members("guidance by a classifier", allowed: ["classifier"])
        let members = try inner.members(
            "{\"of\": …, \"by\": …, \"label\": …, \"scale\": …}", allowed: ["of", "by", "label", "scale"])
        let of = try expression(try members.required("of", "what is guided"), sign: sign, depth: depth + 1)
        let by = try members.required("by", "the name of a classifier")
        let (name, model) = try model(by)
        guard let labels = model.classifierLabels else {
            throw by.problem(
                "\"\(name)\" is no classifier; give a network of the architecture \"residual_mlp_classifier\"")
        }
        try check(.leaf(name), by, isLike: of)
        return .classifier(
            of: of, by: name,
            label: try members.required("label", "what to guide to, from 0 to \(labels - 1)").integer(0...labels - 1),
            scale: try members.required("scale", "the strength; 1 is Bayes' rule").number())
    }

    private mutating func tempered(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        _ = try field.members("a tempering", allowed: ["tempered"])
        let members = try inner.members("{\"of\": …, \"temperature\": …}", allowed: ["of", "temperature"])
        return .tempered(
            of: try expression(try members.required("of", "what is tempered"), sign: sign, depth: depth + 1),
            temperature: try members.required("temperature", "a number above zero").positive("2"))
    }

    private mutating func bounded(
        _ field: JSONField, _ inner: JSONField, _ sign: Int, _ depth: Int
    ) throws(JSONProblem) -> TargetExpression {
        _ = try field.members("bounds", allowed: ["bounded"])
        guard sign > 0 else {
            throw field.problem(
                "bounds can't be subtracted: minus infinity outside would become plus infinity; put them around the whole"
            )
        }
        let members = try inner.members("{\"of\": …, \"low\": […], \"high\": […]}", allowed: ["of", "low", "high"])
        let of = try expression(try members.required("of", "what is bounded"), sign: sign, depth: depth + 1)
        guard let shape = shape(of: of) else { throw field.problem("there is no model to bound") }
        let (low, high) = try ModelDescription.box(members, shape: shape)
        return .bounded(of: of, low: low, high: high)
    }
}
