import EnergyModels
import RandomStreams
import VectorMath

/// The parameters that a training starts from, as PyTorch's modules begin: embeddings standard normal,
/// linear maps and their biases uniform within 1 / sqrt(inputs), norms with weight 1 and bias 0. The maps that
/// end a block, and the last one, are zero, so that the network begins as f = 0 (Du et al. 2023); a classifier
/// begins with the same probability for each label.
enum InitialWeights {
    /// Flat, in the order of `architecture.parameters`.
    static func draw(_ network: NetworkDescription, seed: UInt64) -> [Float] {
        var inputs = 1
        return network.architecture.parameters.enumerated().flatMap { index, parameter in
            // The bias of a linear map follows its weight, whose second axis counts the inputs.
            if parameter.shape.count == 2 { inputs = parameter.shape[1] }
            // The energy 1/2 sum f^2 has no slope in the weights where f = 0: it would never leave.
            let zero = network.energy?.kind == .squaredNorm ? ["blocks"] : ["blocks", "output"]
            let path = parameter.name.split(separator: ".").map(String.init)
            if path.dropLast().last == "output", zero.contains(path[0]) {
                return [Float](repeating: 0, count: parameter.shape.reduce(1, *))
            }
            return values(of: parameter, index: index, inputs: inputs, seed: seed)
        }
    }

    private static func values(of parameter: NetworkParameter, index: Int, inputs: Int, seed: UInt64) -> [Float] {
        let count = parameter.shape.reduce(1, *)
        let name = parameter.name
        if name.contains(".norm.") { return [Float](repeating: name.hasSuffix("weight") ? 1 : 0, count: count) }
        let random = RandomStream(seed: seed, firstChain: 0)
        if name.hasSuffix("embedding.weight") {
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
