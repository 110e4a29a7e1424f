import EnergyModels
import RandomStreams
import VectorMath

/// The parameters that a training starts from, as PyTorch's modules begin: embeddings standard normal,
/// linear maps, convolutions and their biases uniform within 1 / sqrt(inputs), norms with weight 1 and bias 0. The maps
/// that end a block, and the last one, are zero, so that the network begins as f = 0 (Du et al. 2023); a classifier
/// begins with the same probability for each label.
enum InitialWeights {
    /// Flat, in the order of `architecture.parameters`.
    static func draw(_ network: NetworkDescription, seed: UInt64) -> [Float] {
        // The shape of the last weight: its bias follows it.
        var weight: [Int] = []
        return network.architecture.parameters.enumerated().flatMap { index, parameter in
            let isBias = parameter.name.hasSuffix(".bias")
            if !isBias { weight = parameter.shape }
            let count = parameter.shape.reduce(1, *)
            if isZero(parameter.name, network) { return [Float](repeating: 0, count: count) }
            // Of norms.
            if weight.count == 1 { return [Float](repeating: isBias ? 0 : 1, count: count) }
            return values(of: parameter, index: index, inputs: weight.dropFirst().reduce(1, *), seed: seed)
        }
    }

    /// Whether a parameter is of a map that ends a block, or of the last one.
    private static func isZero(_ name: String, _ network: NetworkDescription) -> Bool {
        let path = name.split(separator: ".").dropLast().joined(separator: ".")
        let isLast: Bool
        let endsBlock: Bool
        switch network.architecture {
        case .residual:
            isLast = path == "output"
            endsBlock = path.hasPrefix("blocks.") && path.hasSuffix(".output")
        case .unet:
            isLast = path == "out.2" || path == "out.2.c_proj"
            endsBlock = path.hasSuffix(".out_layers.3") || path.hasSuffix(".proj_out")
        }
        // The energy 1/2 sum f^2 has no slope in the weights where f = 0: it would never leave.
        return endsBlock || isLast && network.energy?.kind != .squaredNorm
    }

    private static func values(of parameter: NetworkParameter, index: Int, inputs: Int, seed: UInt64) -> [Float] {
        let count = parameter.shape.reduce(1, *)
        let random = RandomStream(seed: seed, firstChain: 0)
        let name = parameter.name
        if ["embedding.weight", "emb.weight", "positional_embedding"].contains(where: { name.hasSuffix($0) }) {
            var normals = LaneMatrix(rows: 1, lanes: count)
            random.fillNormals(&normals, purpose: .initialWeight, level: index)
            return normals.elements.map { Float($0) }
        }
        var uniforms = [Double](repeating: 0, count: count)
        random.fillUniforms(&uniforms, purpose: .initialWeight, level: index)
        let bound = 1 / Double(inputs).squareRoot()
        return uniforms.map { Float((2 * $0 - 1) * bound) }
    }
}
