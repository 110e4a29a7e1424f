package import TensorGraph

/// What a classifier says of labels, written down for a number of points that are evaluated together.
package struct ClassifierGraph {
    /// log p(y | x, t) of every label y, the log softmax of the network's output: [rows, classes].
    package let logProbabilities: Value

    /// - Parameters:
    ///   - description: what the model file says of a classifier.
    ///   - parameters: in the order of `description.architecture.parameters`.
    ///   - points: [rows, dimension].
    ///   - levels: indices of the noise level: one for all points, or one for each of equal groups of neighbours.
    package init(_ description: NetworkDescription, parameters: [Value], points: Value, levels: Value) {
        precondition(description.architecture.kind == .classifier)
        let network = description.architecture.form
        logProbabilities =
            network.output(parameters: parameters, points: network.arranged(points), levels: levels, labels: nil)
            .logSoftmax(-1)
    }

    /// log p(y | x, t) of one label a point: [rows, 1].
    ///
    /// - Parameter labels: 1 at the label and 0 elsewhere, [rows, classes], or [1, classes] for all points.
    package func logProbability(of labels: Value) -> Value { (labels * logProbabilities).sum(-1) }
}

extension ClassifierGraph {
    /// What a plan is made of that has the points as input 0, the label of each of `groups` equal groups of them as
    /// input 1 (1 at its place of [groups, classes]) and the level as index 0. Outputs 0 and 1 are the gradient of the
    /// label's log probability with respect to the points and that log probability, as those of an energy are; output 2
    /// is the log probabilities of all labels.
    static func written(
        _ description: NetworkDescription, in graph: Graph, parameters: [Value], rows: Int, groups: Int
    ) -> (inputs: [Value], outputs: [Value]) {
        let architecture = description.architecture
        let points = graph.input([rows, architecture.dimension], rate: .evaluation)
        let labels = graph.input([groups, architecture.outputs], rate: .level)
        let level = graph.indices(1, rate: .level)
        let classifier = ClassifierGraph(description, parameters: parameters, points: points, levels: level)
        let chosen = classifier.logProbability(of: labels.spread(over: rows))
        return (
            [points, labels, level],
            [graph.gradient(of: chosen, withRespectTo: [points])[0], chosen, classifier.logProbabilities]
        )
    }
}
