import CVectorMath

/// What ``Operation/groupNorm(_:)`` and its gradient have in common.
struct GroupNorm: Hashable, Sendable {
    let groups: Int
    let epsilon: Float
    /// Whether the normalised numbers go through x / (1 + e^-x).
    var hasSwish = false
}

extension Value {
    /// Group norm (Wu and He 2018) of images [n, height, width, channels]: of each image the channels, in `groups` of
    /// neighbours, less their mean over the group and all pixels and over their standard deviation,
    /// (x - mean) / sqrt(variance + epsilon), times `weight` plus `bias`. The variance is divided by the number of
    /// elements.
    ///
    /// `weight` and `bias` are [channels], or of each image its own, [n, 1, 1, channels]: a scale and a shift that
    /// follow the norm are best multiplied into them. ``swish()`` of the result costs no pass of its own.
    package func groupNorm(groups: Int, weight: Value, bias: Value, epsilon: Float = 1e-5) -> Value {
        precondition(shape.count == 4 && groups > 0 && shape[3].isMultiple(of: groups), "\(groups) groups of \(shape)")
        let images = [shape[0], 1, 1, shape[3]]
        for terms in [weight, bias] {
            precondition(
                [[shape[3]], [1, 1, 1, shape[3]], images].contains(terms.shape), "\(shape) with terms \(terms.shape)")
        }
        return graph.add(.groupNorm(GroupNorm(groups: groups, epsilon: epsilon)), [self, weight, bias], shape)
    }

    /// What this gradient of a group norm's result sends back to its `input`.
    func groupNormToInput(_ input: Value, weight: Value, bias: Value, _ norm: GroupNorm) -> Value {
        graph.add(.groupNormToInput(norm), [self, input, weight, bias], shape)
    }

    /// This group norm followed by a swish, as one operation; nil for another operation.
    var normalizedSwish: Value? {
        guard case .groupNorm(var norm) = node.operation, !norm.hasSwish else { return nil }
        norm.hasSwish = true
        return graph.add(.groupNorm(norm), node.operands.map { Value(graph: graph, index: $0) }, shape)
    }

    /// A group norm written down with other operations.
    func groupNormByDefinition(weight: Value, bias: Value, _ norm: GroupNorm) -> Value {
        let centred = self - groupMean(norm.groups)
        let deviation = ((centred * centred).groupMean(norm.groups) + norm.epsilon).squareRoot()
        let result = centred * (1 / deviation * weight) + bias
        return norm.hasSwish ? result * result.sigmoid() : result
    }

    /// The mean over each group of channels and all pixels, for each channel: [n, 1, 1, channels].
    ///
    /// Pixels are summed first, channel by channel, so that the pass over the image walks along its innermost axis.
    private func groupMean(_ groups: Int) -> Value {
        let (images, channels) = (shape[0], shape[3])
        let split = [images, groups, channels / groups]
        let means = mean(1, 2).reshape(split).mean(2)
        return means.broadcast(to: split).reshape([images, 1, 1, channels])
    }
}

/// A group norm of a plan's images, by itself or as what another step reads.
struct Normalization: Sendable {
    let norm: GroupNorm
    /// [n, height, width, channels].
    let shape: [Int]
    let weight: MemoryAddress
    let bias: MemoryAddress
    /// Whether each image has weights and biases of its own.
    let weightsVary: Bool
    let biasesVary: Bool
    /// Where the norm leaves its means and variances for its gradient; nil where nobody keeps them.
    let statistics: MemoryAddress?
    let workspace: MemoryAddress

    /// Numbers of scratch memory.
    static func workspaceCount(_ norm: GroupNorm, _ shape: [Int]) -> Int {
        var layer = layer(norm, shape)
        return rrr_group_norm_scratch(&layer)
    }

    /// Numbers of statistics.
    static func statisticsCount(_ shape: [Int]) -> Int { 2 * shape[0] * shape[3] }

    private static func layer(_ norm: GroupNorm, _ shape: [Int]) -> rrr_group_norm {
        rrr_group_norm(
            pixels: shape[1] * shape[2], channels: shape[3], groups: norm.groups, epsilon: norm.epsilon,
            has_swish: norm.hasSwish ? 1 : 0)
    }

    /// The same for the kernels in C.
    func arguments(_ regions: Regions) -> rrr_normalization {
        rrr_normalization(
            layer: Self.layer(norm, shape), weight: regions[weight], bias: regions[bias],
            weight_step: weightsVary ? shape[3] : 0, bias_step: biasesVary ? shape[3] : 0,
            statistics: statistics.map { regions[$0] }, scratch: regions[workspace])
    }
}

/// A group norm or its gradient by the input as a step of a plan. Its bits depend on the numbers alone: neither on the
/// processor, nor on how many images there are, nor on an image's place.
struct GroupNormPass: Sendable {
    let normalization: Normalization
    let input: MemoryAddress
    /// The gradient of the result, for the gradient by the input.
    let gradient: MemoryAddress?
    /// What is added to that, if anything.
    let addend: MemoryAddress?
    let result: MemoryAddress

    func run(_ regions: Regions) {
        var arguments = normalization.arguments(regions)
        let (images, input, result) = (normalization.shape[0], regions[input], regions[result])
        guard let gradient else {
            rrr_group_normalize(RRR_KERNEL_BEST, &arguments, images, input, result)
            return
        }
        rrr_group_norm_to_input(
            RRR_KERNEL_BEST, &arguments, images, regions[gradient], input, addend.map { UnsafePointer(regions[$0]) },
            result)
    }
}
