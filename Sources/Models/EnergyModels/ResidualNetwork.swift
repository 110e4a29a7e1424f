import StrictJSON
import TensorGraph

/// A residual network over points, conditioned on the noise level (science: the network of Du et al. 2023 for two
/// dimensions).
package struct ResidualNetwork: Sendable, Equatable {
    /// What it gives.
    package var kind: NetworkDescription.Architecture.Kind
    /// Coordinates of a point.
    package var dimension: Int
    /// Features of the residual stream.
    package var hidden: Int
    /// Inside a block there are `widen` times `hidden` features.
    package var widen: Int
    /// Residual blocks.
    package var blocks: Int
    /// Features of the embedding of level and label.
    package var embedding: Int
    /// Noise levels that have an embedding: the schedule's.
    package var levels: Int
    /// Labels, 0 to `classes` - 1: those that a point may be conditioned on, nil for an unconditional network;
    /// or those that a classifier tells apart, at least 2.
    package var classes: Int?

    /// A network; nothing is checked here.
    package init(
        kind: NetworkDescription.Architecture.Kind = .energy, dimension: Int, hidden: Int, widen: Int, blocks: Int,
        embedding: Int, levels: Int, classes: Int? = nil
    ) {
        (self.kind, self.dimension, self.hidden, self.widen) = (kind, dimension, hidden, widen)
        (self.blocks, self.embedding, self.levels, self.classes) = (blocks, embedding, levels, classes)
    }

    private var conditions: Int? { kind == .energy ? classes : nil }
    private var outputs: Int { kind == .energy ? dimension : classes ?? 0 }
}

extension ResidualNetwork: NetworkForm {
    var name: String { kind == .energy ? "residual_mlp" : "residual_mlp_classifier" }
    var shape: PointShape { PointShape(dimension: dimension) }
    var isUsableWithoutLabel: Bool { true }
    /// Beyond this many the arrays of an evaluation no longer fit the cache.
    var mostRows: Int { 256 }

    var members: [(String, JSONText)] {
        let members: [(String, JSONText)] = [
            ("dimension", .integer(dimension)), ("hidden", .integer(hidden)), ("widen", .integer(widen)),
            ("blocks", .integer(blocks)), ("embedding", .integer(embedding)), ("levels", .integer(levels)),
        ]
        return members + (classes.map { [("classes", .integer($0))] } ?? [])
    }

    var parameters: [NetworkParameter] {
        let wide = widen * hidden
        var list = [NetworkParameter(name: "time_embedding.weight", shape: [levels, embedding])]
        if let conditions {
            list.append(NetworkParameter(name: "label_embedding.weight", shape: [conditions + 1, embedding]))
        }
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
            list.append(NetworkParameter(name: name + ".weight", shape: [outputs, inputs]))
            list.append(NetworkParameter(name: name + ".bias", shape: [outputs]))
        }
        linear("input", dimension, hidden)
        for block in 0..<blocks {
            list.append(NetworkParameter(name: "blocks.\(block).norm.weight", shape: [hidden]))
            list.append(NetworkParameter(name: "blocks.\(block).norm.bias", shape: [hidden]))
            linear("blocks.\(block).hidden", hidden, wide)
            linear("blocks.\(block).time", embedding, wide)
            linear("blocks.\(block).inner", wide, wide)
            linear("blocks.\(block).output", wide, hidden)
        }
        linear("output", hidden, outputs)
        return list
    }

    var parameterCount: Int {
        let wide = widen * hidden
        let block =
            2 * hidden + (hidden + 1) * wide + (embedding + 1) * wide + (wide + 1) * wide + (wide + 1) * hidden
        return (levels + (conditions.map { $0 + 1 } ?? 0)) * embedding + (dimension + 1) * hidden + blocks * block
            + (hidden + 1) * outputs
    }

    func arranged(_ points: Value) -> Value { points }
    func points(_ arranged: Value) -> Value { arranged }

    /// Forward: h = input(x); for each block u = swish(norm(h)), then
    /// u = swish(hidden(u) + time(e)), u = swish(inner(u)), h = h + output(u); f = output(h). The embedding
    /// e is that of the noise level plus, for a network that takes labels, that of the label.
    func output(parameters: [Value], points: Value, levels: Value, labels: Value?) -> Value {
        var remaining = parameters[...]
        func next() -> Value { remaining.removeFirst() }
        func linear(_ x: Value) -> Value {
            let (weight, bias) = (next(), next())
            return x.matrixMultiply(weight, transposingOther: true) + bias
        }
        var embedding = next().gather(levels)
        if conditions != nil {
            guard let labels else { preconditionFailure("a network with classes needs labels") }
            embedding = embedding + next().gather(labels)
        }
        var stream = linear(points)
        for _ in 0..<blocks {
            let normed = stream.layerNorm(weight: next(), bias: next()).swish()
            let (weight, bias) = (next(), next())
            // Bias and embedding first: both may depend on the level alone.
            let shift = (bias + linear(embedding)).spread(over: points.shape[0])
            let hidden = (normed.matrixMultiply(weight, transposingOther: true) + shift).swish()
            stream = stream + linear(linear(hidden).swish())
        }
        return linear(stream)
    }
}
