package import EnergyModels
package import TensorGraph

/// The loss of a network and its gradient, for one shard of a batch of points
/// x_t = sqrt(abar_t) x_0 + sigma_t eps.
///
/// Denoising score matching: the loss of a point is the mean over its coordinates of (dE/dx(x_t, t) - eps)^2
/// (Ho et al. 2020; with an energy, Du et al. 2023). Its gradient with respect to the weights needs the derivative
/// of a derivative, which the graph supplies. For a classifier it is the cross entropy, -log p(y | x_t, t) for the
/// point's label y (Dhariwal and Nichol 2021, who call it noise-aware).
package struct TrainingLoss {
    /// Points in a shard.
    package let rows: Int
    private let execution: Execution
    private let counts: [Int]
    private let architecture: NetworkDescription.Architecture

    /// Memory and steps for shards of `rows` points.
    package init(description: NetworkDescription, rows: Int) throws(OutOfMemory) {
        try self.init(Self.plan(description, rows: rows), description: description, rows: rows)
    }

    /// The same with steps that several threads share.
    init(_ plan: EvaluationPlan, description: NetworkDescription, rows: Int) throws(OutOfMemory) {
        architecture = description.architecture
        self.rows = rows
        execution = try Execution(plan)
        counts = architecture.parameters.map { $0.shape.reduce(1, *) }
    }

    /// The steps for shards of `rows` points; memory is taken when they are executed.
    static func plan(_ description: NetworkDescription, rows: Int) -> EvaluationPlan {
        let architecture = description.architecture
        let graph = Graph()
        let weights = architecture.parameters.map { graph.input($0.shape, rate: .level) }
        let terms =
            architecture.kind == .classifier
            ? Terms(crossEntropyOf: description, weights: weights, rows: rows)
            : Terms(denoisingOf: description, weights: weights, rows: rows)
        return EvaluationPlan(
            inputs: weights + terms.inputs,
            outputs: [terms.loss] + graph.gradient(of: terms.loss, withRespectTo: weights))
    }

    /// Numbers in all parameters together.
    package var parameterCount: Int { counts.reduce(0, +) }

    /// Sets the weights for the evaluations that follow.
    ///
    /// - Parameter parameters: one behind the other, in the order of the architecture's parameters.
    package mutating func setParameters(_ parameters: [Float]) {
        precondition(parameters.count == parameterCount)
        var start = 0
        for (input, count) in counts.enumerated() {
            execution.setInput(input) { span in
                for index in 0..<count { span[index] = parameters[start + index] }
            }
            start += count
        }
        execution.runLevel()
    }

    /// The loss summed over the shard.
    ///
    /// - Parameters:
    ///   - points: x_t, [rows, dimension].
    ///   - noise: eps, [rows, dimension]. Not read by classifiers.
    ///   - levels: t of each point, [rows].
    ///   - labels: of each point, [rows]; the number of classes for none, which a classifier does not take. Read by
    ///     networks with classes alone.
    ///   - gradient: of the sum with respect to the parameters, overwritten; as many numbers as they have.
    package mutating func evaluate(
        points: [Float], noise: [Float], levels: [Int32], labels: [Int32], gradient: inout [Float]
    ) -> Double {
        precondition(gradient.count == parameterCount && points.count == noise.count)
        execution.setInput(counts.count) { span in for index in points.indices { span[index] = points[index] } }
        switch architecture.kind {
        case .energy:
            execution.setInput(counts.count + 1) { span in for index in noise.indices { span[index] = noise[index] } }
        case .classifier:
            let classes = architecture.outputs
            execution.setInput(counts.count + 1) { span in
                for place in 0..<span.count { span[place] = 0 }
                for (row, label) in labels.enumerated() { span[row * classes + Int(label)] = 1 }
            }
        }
        execution.setIndices(0, levels)
        if architecture.conditions != nil { execution.setIndices(1, labels) }
        execution.run()
        var start = 0
        for (parameter, count) in counts.enumerated() {
            execution.withOutput(1 + parameter) { span in
                for index in 0..<count { gradient[start + index] = span[index] }
            }
            start += count
        }
        return execution.withOutput(0) { Double($0[0]) }
    }
}

/// A shard's loss in a graph, and what is set for it besides the weights: the points, then the noise or the labels,
/// then the indices.
private struct Terms {
    let inputs: [Value]
    let loss: Value

    init(denoisingOf description: NetworkDescription, weights: [Value], rows: Int) {
        let (graph, architecture) = (weights[0].graph, description.architecture)
        let points = graph.input([rows, architecture.dimension], rate: .evaluation)
        let noise = graph.input([rows, architecture.dimension], rate: .evaluation)
        let levels = graph.indices(rows, rate: .evaluation)
        let labels = architecture.conditions.map { _ in graph.indices(rows, rate: .evaluation) }
        let network = NetworkGraph(
            description, parameters: weights, points: points, levels: levels, labels: labels)
        let residual = network.gradient - noise
        loss = (1 / Float(architecture.dimension)) * (residual * residual).sum(0, 1)
        inputs = [points, noise, levels] + (labels.map { [$0] } ?? [])
    }

    init(crossEntropyOf description: NetworkDescription, weights: [Value], rows: Int) {
        let (graph, architecture) = (weights[0].graph, description.architecture)
        let points = graph.input([rows, architecture.dimension], rate: .evaluation)
        let labels = graph.input([rows, architecture.outputs], rate: .evaluation)
        let levels = graph.indices(rows, rate: .evaluation)
        let classifier = ClassifierGraph(description, parameters: weights, points: points, levels: levels)
        loss = -classifier.logProbability(of: labels).sum(0, 1)
        inputs = [points, labels, levels]
    }
}
