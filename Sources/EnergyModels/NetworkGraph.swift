public import TensorGraph

/// A network's energy and its gradient, written down for a number of points that are evaluated together.
///
/// Forward (formats.md's `residual_mlp`): h = input(x); for each block u = swish(norm(h)), then
/// u = swish(hidden(u) + time(e)), u = swish(inner(u)), h = h + output(u); f = output(h). The embedding
/// e is that of the noise level plus, for a network with classes, that of the label.
public struct NetworkGraph {
    /// E(x, t) of each point, [rows, 1]; nil for a network without an energy.
    public let energy: Value?
    /// The prediction of the noise, dE/dx where there is an energy: [rows, dimension].
    public let gradient: Value

    /// - Parameters:
    ///   - description: what the model file says.
    ///   - parameters: in the order of `description.architecture.parameters`.
    ///   - points: [rows, dimension].
    ///   - levels: indices of the noise level: one for all points, or one each.
    ///   - labels: indices of the label, as many as `levels`; the number of classes means no label. For a
    ///     network with classes alone.
    public init(
        _ description: NetworkDescription, parameters: [Value], points: Value, levels: Value, labels: Value? = nil
    ) {
        let architecture = description.architecture
        var remaining = parameters[...]
        func next() -> Value { remaining.removeFirst() }
        func linear(_ x: Value, plus term: Value? = nil) -> Value {
            let (weight, bias) = (next(), next())
            return x.matrixMultiply(weight, transposingOther: true) + (term.map { bias + $0 } ?? bias)
        }
        var embedding = next().gather(levels)
        if architecture.classes != nil {
            guard let labels else { preconditionFailure("a network with classes needs labels") }
            embedding = embedding + next().gather(labels)
        }
        var stream = linear(points)
        for _ in 0..<architecture.blocks {
            let normed = stream.layerNorm(weight: next(), bias: next()).swish()
            let (weight, bias) = (next(), next())
            // Bias and embedding first: both may depend on the level alone.
            let shift = bias + linear(embedding)
            let hidden = (normed.matrixMultiply(weight, transposingOther: true) + shift).swish()
            stream = stream + linear(linear(hidden).swish())
        }
        let output = linear(stream)

        let scale = Float(description.energy.scale)
        switch description.energy.kind {
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
        let label = description.architecture.classes.map { _ in graph.indices(1, rate: .level) }
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
