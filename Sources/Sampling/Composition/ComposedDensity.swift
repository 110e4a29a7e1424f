package import EnergyModels
import VectorMath

/// An operator's child could not be resolved.
package struct UnknownModel: Error, Equatable, CustomStringConvertible {
    /// The name that no model has.
    package let name: String

    /// What is wrong, in one line.
    package var description: String { "no model is named \"\(name)\"" }
}

extension TargetExpression {
    /// The density that the expression stands for. Each leaf is evaluated once, wherever it occurs, and leaves of one
    /// network pass through it together.
    ///
    /// - Parameters:
    ///   - models: the leaves by name, all of one shape.
    ///   - classifiers: what guides, by name, of the same shape.
    /// - Throws: ``UnknownModel``.
    package func density(
        models: [String: any Density], classifiers: [String: any Classifier] = [:]
    ) throws(UnknownModel) -> any Density {
        var builder = CombinationBuilder(models: models, classifiers: classifiers)
        switch try builder.operand(self) {
        case .leaf(let place): return builder.leaves[place]
        case .combination(let root):
            return ComposedDensity(
                leaves: builder.leaves, views: builder.views, root: root, shape: try builder.shape(of: self))
        }
    }
}

/// A composition: its leaves, and what is made of them.
private struct ComposedDensity: Density {
    let leaves: [any Density]
    /// What each leaf looks at; nil for the whole point.
    let views: [PointView?]
    let root: any Combination
    let shape: PointShape

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            leaves: JointEvaluator(leaves, views: views, lanes: lanes, at: level),
            evaluations: leaves.map { Evaluation(dimension: $0.dimension, lanes: lanes) },
            root: root.evaluator(dimension: dimension, lanes: lanes, at: level))
    }

    private struct Evaluator: DensityEvaluator {
        var leaves: JointEvaluator
        var evaluations: [Evaluation]
        var root: any CombinationEvaluator

        mutating func move(to level: NoiseLevel) {
            leaves.move(to: level)
            root.move(to: level)
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            try leaves.evaluate(at: x, into: &evaluations)
            root.evaluate(at: x, leaves: evaluations, into: &evaluation)
        }
    }
}

/// Turns an expression into a tree of combinations over leaves, each leaf once.
private struct CombinationBuilder {
    /// A model, or a classifier asked about a label, and what it looks at.
    private struct Leaf: Hashable {
        let name: String
        let label: Int?
        let view: PointView?
    }

    let models: [String: any Density]
    let classifiers: [String: any Classifier]
    private(set) var leaves: [any Density] = []
    /// What each leaf looks at; nil for the whole point.
    private(set) var views: [PointView?] = []
    /// What the part of the expression that is read now looks at.
    private var view: PointView?
    private var places: [Leaf: Int] = [:]

    init(models: [String: any Density], classifiers: [String: any Classifier]) {
        self.models = models
        self.classifiers = classifiers
    }

    mutating func operand(_ expression: TargetExpression) throws(UnknownModel) -> Operand {
        switch expression {
        case .leaf(let name):
            guard let model = models[name] else { throw UnknownModel(name: name) }
            return leaf(name, nil, model)
        case .product(let factors, let weights):
            return try sum(factors, weights)
        case .negation(let of, let by, let weight):
            return try sum([of, by], [1, -weight])
        case .classifier(let of, let by, let label, let scale):
            guard let classifier = classifiers[by] else { throw UnknownModel(name: by) }
            let term = try operand(of)
            guard scale != 0 else { return .combination(WeightedSum(terms: [term], weights: [1])) }
            let probability = leaf(by, label, classifier.logProbability(of: label))
            return .combination(WeightedSum(terms: [term, probability], weights: [1, scale]))
        case .tempered(let of, let temperature):
            return try sum([of], [1 / temperature])
        case .guidance(let unconditional, let conditional, let scale):
            // l_u + w sum(l_i - l_u), gathered by term: energy and score cannot disagree.
            let own = 1 - scale * Double(conditional.count)
            return try sum([unconditional] + conditional, [own] + conditional.map { _ in scale })
        case .mixture(let components, let weights, let logNormalizers):
            return .combination(
                Mixture(components: try operands(components), weights: weights, logNormalizers: logNormalizers))
        case .sharpenedMixture(let components, let sharpness, let logNormalizers):
            return .combination(
                SharpenedMixture(
                    components: try operands(components), sharpness: sharpness, logNormalizers: logNormalizers))
        case .bounded(let of, let low, let high):
            return .combination(Bounded(of: try operand(of), bounds: Bounds(low: low.values, high: high.values)))
        case .tapestry(let tapestry):
            return .combination(try windows(of: tapestry))
        }
    }

    /// Each window's composition looks at what the window shows of what is looked at here.
    private mutating func windows(of tapestry: Tapestry) throws(UnknownModel) -> any Combination {
        let outer = view
        defer { view = outer }
        let views = tapestry.windows.map { $0.place.view(on: tapestry.canvas) }
        var operands: [Operand] = []
        for (window, shown) in zip(tapestry.windows, views) {
            view = shown.within(outer)
            operands.append(try operand(window.of))
        }
        return switch tapestry.combination {
        case .product: WindowProduct(tapestry, operands: operands, views: views)
        case .average: WindowAverage(tapestry, operands: operands, views: views)
        }
    }

    private mutating func operands(_ expressions: [TargetExpression]) throws(UnknownModel) -> [Operand] {
        var operands: [Operand] = []
        for expression in expressions { operands.append(try operand(expression)) }
        return operands
    }

    /// A term of weight zero is left out: it must not turn minus infinity into NaN. Its models must be there all the
    /// same.
    private mutating func sum(_ expressions: [TargetExpression], _ weights: [Double]) throws(UnknownModel) -> Operand {
        precondition(!expressions.isEmpty && expressions.count == weights.count)
        var terms: [Operand] = []
        for (expression, weight) in zip(expressions, weights) {
            var aside = self
            let term = try aside.operand(expression)
            guard weight != 0 else { continue }
            self = aside
            terms.append(term)
        }
        return .combination(WeightedSum(terms: terms, weights: weights.filter { $0 != 0 }))
    }

    private mutating func leaf(_ name: String, _ label: Int?, _ density: any Density) -> Operand {
        let leaf = Leaf(name: name, label: label, view: view)
        if let place = places[leaf] { return .leaf(place) }
        places[leaf] = leaves.count
        leaves.append(density)
        views.append(view)
        return .leaf(leaves.count - 1)
    }

    /// The shape of the points, also where every leaf has a weight of zero.
    func shape(of expression: TargetExpression) throws(UnknownModel) -> PointShape {
        if let leaf = leaves.first { return expression.shape(ofModels: leaf.shape) }
        guard let name = expression.leaves.sorted().first(where: { models[$0] != nil }), let model = models[name] else {
            throw UnknownModel(name: "")
        }
        return expression.shape(ofModels: model.shape)
    }
}
