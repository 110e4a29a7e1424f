public import EnergyModels
import TensorGraph

/// The loss of denoising score matching and its gradient, for one shard of a batch.
///
/// The loss of a point is the mean over its coordinates of (dE/dx(x_t, t) - eps)^2, where
/// x_t = sqrt(abar_t) x_0 + sigma_t eps (Ho et al. 2020; with an energy, Du et al. 2023). Its gradient
/// with respect to the weights needs the derivative of a derivative, which the graph supplies.
public struct DenoisingLoss {
    /// Points in a shard.
    public let rows: Int
    private let execution: Execution
    private let counts: [Int]
    private let hasLabels: Bool

    /// Memory and steps for shards of `rows` points; to be shared among threads by ``copy()``.
    public init(description: NetworkDescription, rows: Int) {
        let architecture = description.architecture
        let graph = Graph()
        let weights = architecture.parameters.map { graph.input($0.shape, rate: .level) }
        let points = graph.input([rows, architecture.dimension], rate: .evaluation)
        let noise = graph.input([rows, architecture.dimension], rate: .evaluation)
        let levels = graph.indices(rows, rate: .evaluation)
        let labels = architecture.classes.map { _ in graph.indices(rows, rate: .evaluation) }
        let network = NetworkGraph(
            description, parameters: weights, points: points, levels: levels, labels: labels)
        let residual = network.gradient - noise
        let loss = (1 / Float(architecture.dimension)) * (residual * residual).sum(0, 1)
        let plan = Plan(
            inputs: weights + [points, noise, levels] + (labels.map { [$0] } ?? []),
            outputs: [loss] + graph.gradient(of: loss, withRespectTo: weights))
        self.init(
            rows: rows, execution: Execution(plan), counts: architecture.parameters.map { $0.shape.reduce(1, *) },
            hasLabels: labels != nil)
    }

    private init(rows: Int, execution: Execution, counts: [Int], hasLabels: Bool) {
        self.rows = rows
        self.execution = execution
        self.counts = counts
        self.hasLabels = hasLabels
    }

    /// The same steps with memory of their own, for another thread.
    public func copy() -> sending DenoisingLoss {
        DenoisingLoss(rows: rows, execution: Execution(execution.plan), counts: counts, hasLabels: hasLabels)
    }

    /// Numbers in all parameters together.
    public var parameterCount: Int { counts.reduce(0, +) }

    /// Sets the weights for the evaluations that follow.
    ///
    /// - Parameter parameters: one behind the other, in the order of the architecture's parameters.
    public mutating func setParameters(_ parameters: [Float]) {
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
    ///   - noise: eps, [rows, dimension].
    ///   - levels: t of each point, [rows].
    ///   - labels: of each point, [rows]; the number of classes for none. Read by networks with classes alone.
    ///   - gradient: of the sum with respect to the parameters, overwritten; as many numbers as they have.
    public mutating func evaluate(
        points: [Float], noise: [Float], levels: [Int32], labels: [Int32], gradient: inout [Float]
    ) -> Double {
        precondition(gradient.count == parameterCount && points.count == noise.count)
        for (input, values) in [points, noise].enumerated() {
            execution.setInput(counts.count + input) { span in
                for index in values.indices { span[index] = values[index] }
            }
        }
        execution.setIndices(0, levels)
        if hasLabels { execution.setIndices(1, labels) }
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
