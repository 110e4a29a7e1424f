extension PlanCompiler {
    /// The instructions of an operation that is not fused.
    func instructions(_ end: Int) -> [Instruction] {
        let sum = sums.sums[end]
        let index = sum?.kernel ?? end
        let node = graph.nodes[index]
        let shapes = node.operands.map { graph.nodes[$0].shape }
        switch node.operation {
        case .matrixMultiply(let transposeLeft, let transposeRight):
            let rank = node.shape.count
            let inner = shapes[0][transposeLeft ? rank - 2 : rank - 1]
            if let packing = packing(index) {
                return [
                    .multiplyPacked(
                        PackedProduct(
                            rows: node.shape[0], inner: inner, columns: node.shape[1], transposeLeft: transposeLeft,
                            left: place(node.operands[0]), right: place(number(packing)), result: place(index)))
                ]
            }
            return [
                .multiply(
                    MatrixProduct(
                        count: node.shape.dropLast(2).reduce(1, *), rows: node.shape[rank - 2], inner: inner,
                        columns: node.shape[rank - 1], transposeLeft: transposeLeft, transposeRight: transposeRight,
                        left: place(node.operands[0]), right: place(node.operands[1]), result: place(index),
                        workspace: place(workspace(index))))
            ]
        case .convolution(let convolution):
            return convolve(index, convolution, .toOutput, sum, into: end)
        case .convolutionToInput(let convolution):
            return convolve(index, convolution, .toInput, sum, into: end)
        case .convolutionToWeights(let convolution):
            return [
                .convolveToWeights(
                    ConvolutionToWeights(
                        convolution: convolution, images: shapes[0][0], input: place(node.operands[0]),
                        output: place(node.operands[1]), result: place(index), workspace: place(workspace(index))))
            ]
        case .groupNorm:
            return [
                .groupNorm(
                    GroupNormPass(
                        normalization: normalization(index), input: place(node.operands[0]), gradient: nil,
                        addend: nil, result: place(index)))
            ]
        case .groupNormToInput:
            return [
                .groupNorm(
                    GroupNormPass(
                        normalization: normalization(index), input: place(node.operands[1]),
                        gradient: place(node.operands[0]), addend: sum?.numbers.map(place), result: place(end)))
            ]
        case .spread(let scale), .pool(let scale):
            let enlarges = node.shape[1] > shapes[0][1]
            return [
                .resample(
                    Resampling(
                        enlarges: enlarges, scale: scale, shape: enlarges ? shapes[0] : node.shape,
                        source: place(node.operands[0]), result: place(index)))
            ]
        case .transpose(let order):
            let strides = shapes[0].strides
            return [
                .copy(
                    StridedCopy(
                        lengths: node.shape, from: (place(node.operands[0]), order.map { strides[$0] }),
                        to: (place(index), node.shape.strides)))
            ]
        case .slice(let axis, let start):
            return [copy(node.operands[0], shapes[0], axis, start, into: index, node.shape, at: 0, lengths: node.shape)]
        case .concatenate(let axis):
            var start = 0
            return zip(node.operands, shapes).map { operand, shape in
                defer { start += shape[axis] }
                return copy(operand, shape, axis, 0, into: index, node.shape, at: start, lengths: shape)
            }
        case .gather:
            return [
                .gather(
                    RowTransfer(
                        table: place(node.operands[0]), list: place(index),
                        indices: indexOffsets[node.operands[1]] ?? 0,
                        count: node.shape[0], tableRows: shapes[0][0], width: node.shape[1]))
            ]
        case .scatterSum:
            return [
                .scatterSum(
                    RowTransfer(
                        table: place(index), list: place(node.operands[0]),
                        indices: indexOffsets[node.operands[1]] ?? 0,
                        count: shapes[0][0], tableRows: node.shape[0], width: node.shape[1]))
            ]
        case .input, .indices, .constant, .parameter, .elementwise, .broadcast, .stopGradient, .reduce, .reshape:
            return []
        }
    }

    private func convolve(
        _ index: Int, _ convolution: Convolution, _ direction: ConvolutionProduct.Direction, _ sum: StoredSums.Sum?,
        into result: Int
    ) -> [Instruction] {
        let node = graph.nodes[index]
        let norm = normed.norms[index]
        var workspace = place(workspace(index))
        var weights = workspace
        var steps: [Instruction] = []
        if let packing = packing(index) {
            weights = place(number(packing))
        } else {
            steps = [pack(.convolution(convolution, direction), from: place(node.operands[1]), to: weights)]
            workspace = MemoryAddress(
                region: workspace.region,
                offset: workspace.offset + ConvolutionProduct.packedCount(convolution, direction))
        }
        return steps + [
            .convolve(
                ConvolutionProduct(
                    convolution: convolution, direction: direction, images: node.shape[0],
                    source: place(norm.map { graph.nodes[$0].operands[0] } ?? node.operands[0]),
                    normalization: norm.map(normalization), weights: weights,
                    channelAddends: (sum?.channels ?? []).map { addend in
                        .init(place: place(addend), varies: varies(addend, node.shape))
                    }, addend: sum?.numbers.map(place), result: place(result), workspace: workspace))
        ]
    }

    /// Whether each image has numbers of its own.
    private func varies(_ channels: Int, _ images: [Int]) -> Bool {
        graph.nodes[channels].shape.elementCount > images[3]
    }

    /// A norm's node or that of its gradient, whose last two operands are the weights and the biases.
    private func normalization(_ index: Int) -> Normalization {
        let node = graph.nodes[index]
        switch node.operation {
        case .groupNorm(let norm), .groupNormToInput(let norm):
            let (weight, bias) = (node.operands[node.operands.count - 2], node.operands[node.operands.count - 1])
            return Normalization(
                norm: norm, shape: node.shape, weight: place(weight), bias: place(bias),
                weightsVary: varies(weight, node.shape), biasesVary: varies(bias, node.shape),
                statistics: places[statistics(normed.measured[index] ?? index)], workspace: place(workspace(index)))
        default: preconditionFailure("not a norm")
        }
    }

    /// Copies between parts of two arrays that begin at given places of one axis.
    private func copy(
        _ source: Int, _ sourceShape: [Int], _ axis: Int, _ sourceStart: Int, into result: Int, _ resultShape: [Int],
        at resultStart: Int, lengths: [Int]
    ) -> Instruction {
        func part(_ index: Int, _ shape: [Int], _ start: Int) -> (MemoryAddress, [Int]) {
            let whole = place(index)
            return (
                MemoryAddress(region: whole.region, offset: whole.offset + start * shape.strides[axis]), shape.strides
            )
        }
        return .copy(
            StridedCopy(
                lengths: lengths, from: part(source, sourceShape, sourceStart),
                to: part(result, resultShape, resultStart)))
    }
}
