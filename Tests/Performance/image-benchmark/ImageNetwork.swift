import TensorGraph

/// A U-Net of the guided-diffusion family with made-up weights, the energy 1/2 |x - f|^2 of images
/// [n, height, width, channels] and its gradient: what an image job evaluates.
struct ImageNetwork {
    var size = 32
    var channels = 3
    var width = 32
    var multipliers = [1, 2, 3]
    var blocks = 1
    var attention: Set<Int> = [8]
    var headChannels = 32
    var groups = 8

    /// A plan for so many images: input 0 takes them, input 1 the embedding; outputs are gradient and energy.
    ///
    /// - Returns: also the floating-point operations of an image's products.
    func plan(rows: Int) -> (plan: EvaluationPlan, operations: Double) {
        let graph = Graph()
        let x = graph.input([rows, size, size, channels], rate: .evaluation)
        let embedding = graph.input([1, 4 * width], rate: .level)
        var builder = ImageNetworkBuilder(network: self, graph: graph, embedding: embedding)
        let residual = x - builder.output(of: x)
        let energy = 0.5 * (residual * residual).sum(1, 2, 3)
        let gradient = graph.gradient(of: energy, withRespectTo: [x])[0]
        // Forward and, as much again, backward.
        return (
            EvaluationPlan(inputs: [x, embedding], outputs: [gradient, energy]), 2 * builder.operations / Double(rows)
        )
    }
}

/// Writes the layers down.
private struct ImageNetworkBuilder {
    let network: ImageNetwork
    let graph: Graph
    let embedding: Value
    private(set) var operations = 0.0
    private var weights = 0

    init(network: ImageNetwork, graph: Graph, embedding: Value) {
        (self.network, self.graph, self.embedding) = (network, graph, embedding)
    }

    mutating func output(of x: Value) -> Value {
        let last = network.multipliers.count - 1
        var h = convolve(x, to: network.width)
        var skips = [h]
        for (level, multiplier) in network.multipliers.enumerated() {
            for _ in 0..<network.blocks {
                h = attend(residual(h, to: multiplier * network.width))
                skips.append(h)
            }
            guard level < last else { continue }
            h = residual(h, to: h.shape[3]) { $0.averagePooled() }
            skips.append(h)
        }
        h = residual(attend(residual(h, to: h.shape[3]), always: true), to: h.shape[3])
        for (level, multiplier) in network.multipliers.enumerated().reversed() {
            for block in 0...network.blocks {
                h = .concatenate([h, skips.removeLast()], axis: 3)
                h = attend(residual(h, to: multiplier * network.width))
                if level > 0, block == network.blocks { h = residual(h, to: h.shape[3]) { $0.upsampled() } }
            }
        }
        return convolve(normalize(h).swish(), to: network.channels)
    }

    private mutating func residual(
        _ x: Value, to outputs: Int, resample: (Value) -> Value = { $0 }
    ) -> Value {
        let h = convolve(resample(normalize(x).swish()), to: outputs)
        let shift = linear(embedding.swish(), to: outputs).reshape([1, 1, 1, outputs])
        let change = convolve(normalize(h + shift).swish(), to: outputs)
        let skip = resample(x)
        return (skip.shape[3] == outputs ? skip : convolve(skip, to: outputs, kernel: 1)) + change
    }

    private mutating func attend(_ x: Value, always: Bool = false) -> Value {
        guard always || network.attention.contains(x.shape[2]) else { return x }
        let (images, places, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
        let heads = channels / network.headChannels
        let all = convolve(normalize(x), to: 3 * channels, kernel: 1)
            .reshape([images, places, heads, 3, network.headChannels]).transpose([3, 0, 2, 1, 4])
        let parts = (0..<3).map {
            all.slice(0, $0..<$0 + 1).reshape([images * heads, places, network.headChannels])
        }
        let logits = parts[0].matrixMultiply(parts[1], transposingOther: true)
        let weights = (1 / Float(network.headChannels).squareRoot() * logits).softmax(-1)
        operations += 4 * Double(images * places * places * channels)
        let mixed = weights.matrixMultiply(parts[2]).reshape([images, heads, places, network.headChannels])
            .transpose([0, 2, 1, 3]).reshape(x.shape)
        return x + convolve(mixed, to: channels, kernel: 1)
    }

    private mutating func normalize(_ x: Value) -> Value {
        let channels = x.shape[3]
        return x.groupNorm(groups: network.groups, weight: weight([channels], around: 1), bias: weight([channels]))
    }

    private mutating func convolve(_ x: Value, to outputs: Int, kernel: Int = 3) -> Value {
        operations += 2 * Double(x.shape.reduce(1, *) * kernel * kernel * outputs)
        return x.convolve(weight([outputs, x.shape[3], kernel, kernel])) + weight([outputs])
    }

    private mutating func linear(_ x: Value, to outputs: Int) -> Value {
        x.matrixMultiply(weight([outputs, x.shape[1]]), transposingOther: true) + weight([outputs])
    }

    /// Numbers of about the size that keeps activations near 1.
    private mutating func weight(_ shape: [Int], around centre: Float = 0) -> Value {
        weights += 1
        let scale = 1 / Float(max(1, shape.dropFirst().reduce(1, *))).squareRoot()
        let values = (0..<shape.reduce(1, *)).map { index -> Float in
            centre + 0.02 * scale * Float((index &* 7919 &+ weights &* 104_729) % 173 - 86)
        }
        return graph.constant(Tensor(shape: shape, values: values))
    }
}
