import TensorGraph
import VectorMath

/// Tells how probable each label is at a point of a noise level: what guides a composition towards a label.
package protocol Classifier: Sendable {
    /// The shape of a point.
    var shape: PointShape { get }
    /// How many labels there are, from 0 on.
    var classes: Int { get }

    /// log p(y | x, t) as a function of x, with its gradient: a term of a composition, not a density of x.
    /// - Parameter label: y, below ``classes``.
    func logProbability(of label: Int) -> any Density
}

extension Network {
    /// The network as a classifier; nil if it is none.
    package var classifier: (any Classifier)? {
        description.architecture.kind == .classifier ? NetworkClassifier(network: self) : nil
    }

    /// Log probabilities [n, classes] and, with a label, the gradient [n, dimension] of its log probability with
    /// respect to the points, row by row. For classifiers.
    ///
    /// - Parameters:
    ///   - points: [n, dimension], row by row.
    ///   - level: below the number of levels.
    ///   - label: below the number of classes.
    package func classify(
        points: [Float], level: Int, label: Int? = nil
    ) throws(EvaluationError) -> (logProbabilities: [Float], gradient: [Float]?) {
        let architecture = description.architecture
        precondition(architecture.kind == .classifier, "a network with an energy")
        let (dimension, classes) = (architecture.dimension, architecture.outputs)
        let count = points.count / dimension
        var evaluator = NetworkEvaluator(
            network: self, labels: [label ?? 0], points: max(1, min(count, 64)), level: level)
        var logProbabilities = [Float](repeating: 0, count: count * classes)
        var gradient = [Float](repeating: 0, count: points.count)
        try evaluator.evaluate(
            count: count, point: { points[$1 * dimension + $2] }, value: { _, _, _ in },
            gradient: { gradient[$1 * dimension + $2] = $3 },
            logProbability: { logProbabilities[$0 * classes + $1] = $2 })
        return (logProbabilities, label.map { _ in gradient })
    }
}

private struct NetworkClassifier: Classifier {
    let network: Network

    var shape: PointShape { network.description.architecture.shape }
    var classes: Int { network.description.architecture.outputs }

    func logProbability(of label: Int) -> any Density {
        precondition((0..<classes).contains(label))
        return NetworkLeaf(network: network, label: label)
    }
}
