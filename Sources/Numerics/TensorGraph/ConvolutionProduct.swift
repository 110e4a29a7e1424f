import CVectorMath

/// A convolution or its gradient by the input, by weights that are packed beforehand. Its bits depend on the numbers
/// alone: neither on the processor, nor on how many images there are, nor on an image's place.
struct ConvolutionProduct: Sendable {
    /// Which of the two.
    enum Direction: Hashable, Sendable {
        case toOutput, toInput

        fileprivate var ofKernels: rrr_direction { self == .toOutput ? RRR_TO_OUTPUT : RRR_TO_INPUT }
    }

    /// What is added to the numbers of each channel.
    struct ChannelAddend: Sendable {
        let place: MemoryAddress
        /// Whether each image has numbers of its own.
        let varies: Bool
    }

    let convolution: Convolution
    let direction: Direction
    let images: Int
    let source: MemoryAddress
    /// Applied to the source while it is packed, if anything.
    let normalization: Normalization?
    let weights: MemoryAddress
    /// At most two, added one after the other.
    let channelAddends: [ChannelAddend]
    /// What is added then, number by number.
    let addend: MemoryAddress?
    let result: MemoryAddress
    let workspace: MemoryAddress

    /// Numbers that packed weights take.
    static func packedCount(_ convolution: Convolution, _ direction: Direction) -> Int {
        var layer = convolution.layer
        return rrr_convolution_weights_count(&layer, direction.ofKernels)
    }

    /// Numbers of scratch memory.
    static func workspaceCount(_ convolution: Convolution, _ direction: Direction) -> Int {
        var layer = convolution.layer
        return rrr_convolution_scratch(&layer, direction.ofKernels)
    }

    func run(_ regions: Regions) {
        var layer = convolution.layer
        var addends = rrr_addends()
        let channels = direction == .toOutput ? convolution.outputs : convolution.channels
        if let first = channelAddends.first {
            addends.channels.0 = UnsafePointer(regions[first.place])
            addends.channels_step.0 = first.varies ? channels : 0
        }
        if channelAddends.count > 1 {
            addends.channels.1 = UnsafePointer(regions[channelAddends[1].place])
            addends.channels_step.1 = channelAddends[1].varies ? channels : 0
        }
        addends.numbers = addend.map { UnsafePointer(regions[$0]) }
        func convolve(_ norm: UnsafePointer<rrr_normalization>?) {
            rrr_convolve(
                RRR_KERNEL_BEST, &layer, direction.ofKernels, images, regions[source], norm, regions[weights],
                &addends, regions[result], regions[workspace])
        }
        if var arguments = normalization?.arguments(regions) { convolve(&arguments) } else { convolve(nil) }
    }
}

/// The packing of a convolution's weights.
struct PackedConvolution: Sendable {
    let convolution: Convolution
    let direction: ConvolutionProduct.Direction
    let source: MemoryAddress
    let result: MemoryAddress

    func run(_ regions: Regions) {
        var layer = convolution.layer
        rrr_convolution_pack(&layer, direction.ofKernels, regions[source], regions[result])
    }
}

/// A convolution's gradient by its weights, summed over the images in their order.
struct ConvolutionToWeights: Sendable {
    let convolution: Convolution
    let images: Int
    let input: MemoryAddress
    let output: MemoryAddress
    let result: MemoryAddress
    let workspace: MemoryAddress

    /// Numbers of scratch memory.
    static func workspaceCount(_ convolution: Convolution) -> Int {
        var layer = convolution.layer
        return rrr_convolution_gradient_scratch(&layer)
    }

    func run(_ regions: Regions) {
        var layer = convolution.layer
        rrr_convolve_to_weights(
            RRR_KERNEL_BEST, &layer, images, regions[input], regions[output], regions[result], regions[workspace])
    }
}
