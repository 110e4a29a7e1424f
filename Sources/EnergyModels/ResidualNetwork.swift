import TensorGraph

extension NetworkDescription.Architecture {
    /// What the network gives for points that are evaluated together: [rows, ``outputs``].
    ///
    /// Forward (formats.md's `residual_mlp`): h = input(x); for each block u = swish(norm(h)), then
    /// u = swish(hidden(u) + time(e)), u = swish(inner(u)), h = h + output(u); f = output(h). The embedding
    /// e is that of the noise level plus, for a network that takes labels, that of the label.
    ///
    /// - Parameters:
    ///   - parameters: in the order of ``parameters``.
    ///   - points: [rows, dimension].
    ///   - levels: indices of the noise level: one for all points, or one each.
    ///   - labels: indices of the label, as many as `levels`, for a network that takes them.
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
            let shift = bias + linear(embedding)
            let hidden = (normed.matrixMultiply(weight, transposingOther: true) + shift).swish()
            stream = stream + linear(linear(hidden).swish())
        }
        return linear(stream)
    }
}
