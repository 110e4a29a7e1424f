import CVectorMath
import Testing
import VectorMath

/// A layer and how many images go through it.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var images = 2
    var height: Int
    var width: Int
    var channels: Int
    var outputs: Int
    var kernel = 3
    var stride = 1
    var padding = 1

    var testDescription: String {
        "\(images) x \(height) x \(width), \(channels) to \(outputs), kernel \(kernel), stride \(stride), padding \(padding)"
    }

    var layer: rrr_convolution {
        rrr_convolution(
            height: height, width: width, channels: channels, output_height: (height + stride - 1) / stride,
            output_width: (width + stride - 1) / stride, outputs: outputs, kernel: kernel, stride: stride,
            padding: padding)
    }

    var x: [Float] { floats(images * height * width * channels, salt: 1) }
    var weights: [Float] { floats(outputs * channels * kernel * kernel, salt: 2) }
    var dy: [Float] { floats(images * layer.output_height * layer.output_width * outputs, salt: 3) }

    private func floats(_ count: Int, salt: Int) -> [Float] {
        filled(rows: 1, lanes: count, salt: salt).elements.map { Float($0) }
    }

    /// Every product that the layer sums, in the order of the sums: where its input, its output and its weight are.
    /// `outermost` is what is summed over in blocks of 16: the channels, or the outputs.
    private func forEachProduct(blocksOfOutputs: Bool, _ body: (Int, Int, Int) -> Void) {
        let summed = blocksOfOutputs ? outputs : channels
        for n in 0..<images {
            for block in stride(from: 0, to: summed, by: 16) {
                for a in 0..<kernel {
                    for b in 0..<kernel {
                        for s in block..<min(block + 16, summed) {
                            for other in 0..<(blocksOfOutputs ? channels : outputs) {
                                let (c, o) = blocksOfOutputs ? (other, s) : (s, other)
                                forEachPixel(a, b) { pixel, output in
                                    body(
                                        (n * height * width + pixel) * channels + c,
                                        (n * layer.output_height * layer.output_width + output) * outputs + o,
                                        ((o * channels + c) * kernel + a) * kernel + b)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func forEachPixel(_ a: Int, _ b: Int, _ body: (Int, Int) -> Void) {
        for i in 0..<layer.output_height {
            for j in 0..<layer.output_width {
                let (row, column) = (stride * i + a - padding, stride * j + b - padding)
                guard 0..<height ~= row, 0..<width ~= column else { continue }
                body(row * width + column, i * layer.output_width + j)
            }
        }
    }

    private func stride(from: Int, to: Int, by: Int) -> StrideTo<Int> { Swift.stride(from: from, to: to, by: by) }

    /// The definition: chains of fused multiply-adds.
    func outputs(of weights: [Float]) -> [Float] {
        let x = x
        var y = [Float](repeating: 0, count: dy.count)
        forEachProduct(blocksOfOutputs: false) { y[$1].addProduct(x[$0], weights[$2]) }
        return y
    }

    func inputGradient(of weights: [Float]) -> [Float] {
        let dy = dy
        var dx = [Float](repeating: 0, count: x.count)
        forEachProduct(blocksOfOutputs: true) { dx[$0].addProduct(dy[$1], weights[$2]) }
        return dx
    }

    func weightsGradient() -> [Float] {
        let (x, dy) = (x, dy)
        var dw = [Float](repeating: 0, count: weights.count)
        forEachProduct(blocksOfOutputs: false) { dw[$2].addProduct(x[$0], dy[$1]) }
        return dw
    }
}

@Suite("Convolutions")
struct ConvolutionTests {
    private static let kernels = [RRR_KERNEL_PORTABLE, RRR_KERNEL_X86_64_V3, RRR_KERNEL_X86_64_V4]

    private static let cases = [
        ConvolutionCase(height: 8, width: 8, channels: 3, outputs: 5),
        ConvolutionCase(height: 4, width: 32, channels: 32, outputs: 16),
        ConvolutionCase(images: 1, height: 7, width: 9, channels: 20, outputs: 33),
        ConvolutionCase(images: 1, height: 3, width: 15, channels: 49, outputs: 64),
        ConvolutionCase(height: 8, width: 8, channels: 17, outputs: 3, stride: 2),
        ConvolutionCase(height: 9, width: 7, channels: 16, outputs: 20, stride: 2),
        ConvolutionCase(height: 8, width: 6, channels: 5, outputs: 18, stride: 2, padding: 0),
        ConvolutionCase(images: 3, height: 5, width: 6, channels: 4, outputs: 4, kernel: 1, padding: 0),
        ConvolutionCase(height: 6, width: 6, channels: 3, outputs: 2, kernel: 1, stride: 2, padding: 0),
        ConvolutionCase(height: 5, width: 5, channels: 2, outputs: 2, kernel: 5, padding: 2),
        ConvolutionCase(images: 1, height: 1, width: 1, channels: 40, outputs: 31),
    ]

    /// Numbers beyond a result show whether it was overrun.
    private static let guards = 40

    private func computed(
        _ count: Int, scratch: Int, _ compute: (inout [Float], inout [Float]) -> Int32
    ) -> [Float]? {
        var result = [Float](repeating: 42, count: count + Self.guards)
        // What an earlier layer left in the scratch memory must not matter.
        var memory = [Float](repeating: .nan, count: scratch + Self.guards)
        let isComputed = compute(&result, &memory) == 1
        #expect(result.suffix(Self.guards).allSatisfy { $0 == 42 }, "nothing is written beyond the result")
        #expect(memory.suffix(Self.guards).allSatisfy { $0.isNaN }, "nothing is written beyond the scratch memory")
        return isComputed ? Array(result.dropLast(Self.guards)) : nil
    }

    private func packed(_ test: ConvolutionCase, _ direction: rrr_direction) -> [Float] {
        var layer = test.layer
        var packed = [Float](repeating: .nan, count: rrr_convolution_weights_count(&layer, direction))
        rrr_convolution_pack(&layer, direction, test.weights, &packed)
        #expect(packed.allSatisfy { !$0.isNaN }, "all of the packed weights are filled")
        return packed
    }

    /// The output, or the gradient by the input, from the case's own numbers unless others are given; nil if this
    /// processor does not have the kernel.
    private func result(
        _ test: ConvolutionCase, _ kernel: rrr_kernel, _ direction: rrr_direction = RRR_TO_OUTPUT,
        images: Range<Int>? = nil, norm: UnsafePointer<rrr_normalization>? = nil,
        addends: UnsafePointer<rrr_addends>? = nil, of other: [Float]? = nil
    ) -> [Float]? {
        var layer = test.layer
        let (all, count) = direction == RRR_TO_OUTPUT ? (test.x, test.dy.count) : (test.dy, test.x.count)
        let images = images ?? 0..<test.images
        let size = all.count / test.images
        let source = Array((other ?? all)[images.lowerBound * size..<images.upperBound * size])
        let weights = packed(test, direction)
        return computed(count / test.images * images.count, scratch: rrr_convolution_scratch(&layer, direction)) {
            rrr_convolve(kernel, &layer, direction, images.count, source, norm, weights, addends, &$0, &$1)
        }
    }

    @Test("Every kernel gives the bits of the chains of fused multiply-adds", arguments: cases)
    func definition(_ test: ConvolutionCase) {
        var layer = test.layer
        let (x, weights, dy) = (test.x, test.weights, test.dy)
        let expected = (test.outputs(of: weights), test.inputGradient(of: weights), test.weightsGradient())
        var runs = 0
        for kernel in Self.kernels {
            let y = result(test, kernel)
            let dx = result(test, kernel, RRR_TO_INPUT)
            let dw = computed(weights.count, scratch: rrr_convolution_gradient_scratch(&layer)) {
                rrr_convolve_to_weights(kernel, &layer, test.images, x, dy, &$0, &$1)
            }
            guard let y, let dx, let dw else { continue }
            runs += 1
            // Zeros of the border are summed too, so that a zero may have another sign.
            #expect(y == expected.0 && dx == expected.1 && dw == expected.2, "kernel \(kernel.rawValue)")
        }
        #expect(runs > 0, "every processor runs the portable kernel")
    }

    @Test("An image has the same bits alone and among others")
    func images() throws {
        let test = ConvolutionCase(images: 3, height: 6, width: 10, channels: 18, outputs: 20)
        let all = try #require(result(test, RRR_KERNEL_PORTABLE))
        let each = try (0..<3).flatMap { try #require(result(test, RRR_KERNEL_PORTABLE, images: $0..<$0 + 1)) }
        #expect(all.map(\.bitPattern) == each.map(\.bitPattern))
        #expect(Set(all).count > all.count / 2, "the numbers must differ for this test to mean something")
    }

    @Test("What is added before the store has the bits of additions afterwards", arguments: cases)
    func addends(_ test: ConvolutionCase) {
        for kernel in Self.kernels {
            for (direction, channels) in [(RRR_TO_OUTPUT, test.outputs), (RRR_TO_INPUT, test.channels)] {
                let numbers = direction == RRR_TO_OUTPUT ? test.dy : test.x
                let all = ConvolutionCase(
                    images: 1, height: 1, width: 1, channels: channels, outputs: channels * test.images)
                let (ofLayer, ofImages) = (all.x, all.dy)
                guard let plain = result(test, kernel, direction) else { continue }
                let found = ofLayer.withUnsafeBufferPointer { ofLayer in
                    ofImages.withUnsafeBufferPointer { ofImages in
                        numbers.withUnsafeBufferPointer { numbers in
                            var addends = rrr_addends(
                                channels: (ofLayer.baseAddress, ofImages.baseAddress), channels_step: (0, channels),
                                numbers: numbers.baseAddress)
                            return result(test, kernel, direction, addends: &addends)
                        }
                    }
                }
                let size = plain.count / test.images
                let expected = plain.indices.map { place in
                    let channel = place % channels
                    return plain[place] + ofLayer[channel] + ofImages[place / size * channels + channel]
                        + numbers[place]
                }
                #expect(found?.map(\.bitPattern) == expected.map(\.bitPattern), "kernel \(kernel.rawValue)")
            }
        }
    }

    @Test("Images that are normalised while they are packed give the bits of a norm beforehand", arguments: cases)
    func normalized(_ test: ConvolutionCase) throws {
        guard test.stride == 1 else { return }
        let layer = rrr_group_norm(
            pixels: test.height * test.width, channels: test.channels, groups: 1, epsilon: 1e-5, has_swish: 1)
        var (weight, bias) = (Array(test.weights.prefix(test.channels)), Array(test.weights.suffix(test.channels)))
        for kernel in Self.kernels {
            weight.withUnsafeMutableBufferPointer { weight in
                bias.withUnsafeMutableBufferPointer { bias in
                    withNormScratch(layer) { scratch in
                        var norm = rrr_normalization(
                            layer: layer, weight: weight.baseAddress, bias: bias.baseAddress, weight_step: 0,
                            bias_step: 0, statistics: nil, scratch: scratch)
                        var y = test.x
                        guard rrr_group_normalize(kernel, &norm, test.images, test.x, &y) == 1 else { return }
                        let expected = result(test, kernel, of: y)
                        let found = result(test, kernel, norm: &norm)
                        #expect(found?.map(\.bitPattern) == expected?.map(\.bitPattern), "kernel \(kernel.rawValue)")
                        #expect(found != result(test, kernel), "the norm does something")
                    }
                }
            }
        }
    }
}

/// Scratch memory in which nothing of use stands.
func withNormScratch(_ layer: rrr_group_norm, _ body: (UnsafeMutablePointer<Float>?) -> Void) {
    var layer = layer
    var scratch = [Float](repeating: .nan, count: rrr_group_norm_scratch(&layer))
    scratch.withUnsafeMutableBufferPointer { body($0.baseAddress) }
}
