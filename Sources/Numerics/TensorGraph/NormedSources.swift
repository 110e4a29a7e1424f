/// Passes over images that are spared: norms that a convolution applies while it packs its images, and measurements
/// that a norm leaves for its gradient.
struct NormedSources {
    /// By a convolution's node, the norm that it applies while it packs its images: the norm has no array.
    private(set) var norms: [Int: Int] = [:]
    /// By the node of such a norm, the convolution.
    private(set) var convolutions: [Int: Int] = [:]
    /// By the node of a norm's gradient, the norm, whose statistics it reads.
    private(set) var measured: [Int: Int] = [:]

    /// - Parameters:
    ///   - needed: ascending nodes.
    ///   - outputs: nodes whose arrays are read when the plan has run.
    init(_ graph: Graph, needed: [Int], outputs: Set<Int>) {
        var readers: [Int: Int] = [:]
        var nodes: [[Int]: Int] = [:]
        for index in needed {
            let node = graph.nodes[index]
            for operand in node.operands { readers[operand, default: 0] += 1 }
            if case .groupNorm = node.operation { nodes[node.operands] = index }
        }
        for index in needed {
            let node = graph.nodes[index]
            switch node.operation {
            case .convolution(let convolution) where convolution.stride == 1:
                let source = node.operands[0]
                guard case .groupNorm = graph.nodes[source].operation, readers[source] == 1, !outputs.contains(source),
                    graph.nodes[source].rate == node.rate
                else { continue }
                norms[index] = source
                convolutions[source] = index
            case .groupNormToInput(let norm):
                guard let measured = nodes[Array(node.operands.dropFirst())],
                    graph.nodes[measured].operation == .groupNorm(norm), graph.nodes[measured].rate == node.rate
                else { continue }
                self.measured[index] = measured
            default: continue
            }
        }
    }
}
