public import TensorGraph

/// A network's energy and its gradient, written down for a number of points that are evaluated together.
public struct NetworkGraph {
    /// E(x, t) of each point, [rows, 1]; nil for a network without an energy.
    public let energy: Value?
    /// The prediction of the noise, dE/dx where there is an energy: [rows, dimension].
    public let gradient: Value

    /// - Parameters:
    ///   - description: what the model file says of a network that is no classifier.
    ///   - parameters: in the order of `description.architecture.parameters`.
    ///   - points: [rows, dimension].
    ///   - levels: indices of the noise level: one for all points, or one each.
    ///   - labels: indices of the label, as many as `levels`; the number of classes means no label. For a
    ///     network with classes alone.
    public init(
        _ description: NetworkDescription, parameters: [Value], points: Value, levels: Value, labels: Value? = nil
    ) {
        guard let form = description.energy else { preconditionFailure("a classifier has no energy") }
        let output = description.architecture.output(
            parameters: parameters, points: points, levels: levels, labels: labels)
        let scale = Float(form.scale)
        switch form.kind {
        case .denoising:
            let residual = points - output
            energy = scale * (residual * residual).sum(-1)
        case .squaredNorm:
            energy = 0.5 * scale * (output * output).sum(-1)
        case .innerProduct:
            energy = scale * (points * output).sum(-1)
        case .noise:
            energy = nil
        }
        gradient = energy.map { $0.graph.gradient(of: $0, withRespectTo: [points])[0] } ?? scale * output
    }
}

extension NetworkGraph {
    /// A plan with the points as input 0, and levels and labels as indices 0 and 1, that gives the
    /// gradient as output 0 and, where there is one, the energy as output 1.
    static func plan(_ description: NetworkDescription, parameters: [[Float]], rows: Int) -> Plan {
        let graph = Graph()
        let points = graph.input([rows, description.architecture.dimension], rate: .evaluation)
        let level = graph.indices(1, rate: .level)
        let label = description.architecture.conditions.map { _ in graph.indices(1, rate: .level) }
        let constants = zip(description.architecture.parameters, parameters).map {
            graph.constant(Tensor(shape: $0.shape, values: $1))
        }
        let network = NetworkGraph(
            description, parameters: constants, points: points, levels: level, labels: label)
        return Plan(
            inputs: [points, level] + (label.map { [$0] } ?? []),
            outputs: [network.gradient] + (network.energy.map { [$0] } ?? []))
    }
}
