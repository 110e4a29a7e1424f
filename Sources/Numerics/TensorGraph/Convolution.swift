import CVectorMath

/// The geometry of a convolution of images [n, height, width, channels] with weights [outputs, channels, kernel,
/// kernel]: what ``Operation/convolution(_:)`` and its two gradients have in common.
struct Convolution: Hashable, Sendable {
    let height: Int
    let width: Int
    let channels: Int
    let outputHeight: Int
    let outputWidth: Int
    let outputs: Int
    let kernel: Int
    let stride: Int
    /// Zeros above and to the left; below and to the right there are as many as the output reads.
    let padding: Int

    /// The same for the kernels in C.
    var layer: rrr_convolution {
        rrr_convolution(
            height: height, width: width, channels: channels, output_height: outputHeight, output_width: outputWidth,
            outputs: outputs, kernel: kernel, stride: stride, padding: padding)
    }

    func inputShape(_ images: Int) -> [Int] { [images, height, width, channels] }
    func outputShape(_ images: Int) -> [Int] { [images, outputHeight, outputWidth, outputs] }
    var weightsShape: [Int] { [outputs, channels, kernel, kernel] }
}

/// Where a strided convolution of an even length has its zeros.
package enum ConvolutionPadding: Sendable {
    /// As many on both sides, (kernel - 1) / 2: the image keeps its size, or is halved by a stride of 2.
    case symmetric
    /// To the right and below alone, as some networks' down-sampling layers have them.
    case rightAndBottom
}

extension Value {
    /// The convolution of these images [n, height, width, channels] with `weights` [outputs, channels, kernel, kernel],
    /// kernel odd: [n, ceil(height / stride), ceil(width / stride), outputs].
    ///
    /// y[i][j][o] is the sum over c, a and b of weights[o][c][a][b] x[stride i + a - p][stride j + b - p][c], with zeros
    /// beyond the image, and p the zeros that `padding` puts above and to the left.
    package func convolve(_ weights: Value, stride: Int = 1, padding: ConvolutionPadding = .symmetric) -> Value {
        precondition(shape.count == 4 && weights.shape.count == 4, "\(shape) with weights \(weights.shape)")
        let kernel = weights.shape[2]
        precondition(
            weights.shape[1] == shape[3] && weights.shape[3] == kernel && kernel % 2 == 1 && kernel <= 8 && stride >= 1,
            "\(shape) with weights \(weights.shape) and stride \(stride)")
        let convolution = Convolution(
            height: shape[1], width: shape[2], channels: shape[3], outputHeight: (shape[1] + stride - 1) / stride,
            outputWidth: (shape[2] + stride - 1) / stride, outputs: weights.shape[0], kernel: kernel, stride: stride,
            padding: padding == .symmetric ? (kernel - 1) / 2 : 0)
        return convolve(weights, convolution)
    }

    func convolve(_ weights: Value, _ convolution: Convolution) -> Value {
        graph.add(.convolution(convolution), [self, weights], convolution.outputShape(shape[0]))
    }

    /// What this gradient of a convolution's output sends back to its input.
    func convolveToInput(_ weights: Value, _ convolution: Convolution) -> Value {
        graph.add(.convolutionToInput(convolution), [self, weights], convolution.inputShape(shape[0]))
    }

    /// What the gradient `output` of a convolution's output sends back to its weights, this being its input.
    func convolveToWeights(_ output: Value, _ convolution: Convolution) -> Value {
        graph.add(.convolutionToWeights(convolution), [self, output], convolution.weightsShape)
    }
}
