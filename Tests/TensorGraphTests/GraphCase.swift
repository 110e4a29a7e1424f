import Testing

@testable import TensorGraph

/// A small graph with numbers for its inputs.
struct GraphCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Shapes of the inputs, all taken from uniform numbers in `range`.
    let shapes: [[Int]]
    var range: ClosedRange<Double> = -1.5...1.5
    /// For each list of indices: the numbers.
    var indices: [[Int]] = []
    let build: @Sendable ([Value], [Value]) -> Value

    var testDescription: String { name }

    /// The inputs' numbers, the same in every run.
    func numbers(seed: UInt64) -> [[Double]] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        return shapes.map { shape in
            (0..<shape.elementCount).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let unit = Double(state >> 40) / Double(1 << 24)
                // What the plan reads is single precision; both sides get the same numbers.
                return Double(Float(range.lowerBound + unit * (range.upperBound - range.lowerBound)))
            }
        }
    }

    static let all: [GraphCase] = elementwise + stretched + shaping + composed

    static let elementwise: [GraphCase] = [
        GraphCase(name: "negate", shapes: [[3, 4]]) { x, _ in -x[0] },
        GraphCase(name: "exponential", shapes: [[3, 4]]) { x, _ in x[0].exponential() },
        GraphCase(name: "logarithm", shapes: [[3, 4]], range: 0.3...2) { x, _ in x[0].logarithm() },
        GraphCase(name: "square root", shapes: [[3, 4]], range: 0.3...2) { x, _ in x[0].squareRoot() },
        GraphCase(name: "sigmoid", shapes: [[3, 4]]) { x, _ in x[0].sigmoid() },
        GraphCase(name: "swish", shapes: [[3, 4]]) { x, _ in x[0].swish() },
    ]

    static let stretched: [GraphCase] = [
        GraphCase(name: "add", shapes: [[3, 4], [4]]) { x, _ in x[0] + x[1] },
        GraphCase(name: "subtract", shapes: [[3, 1], [3, 4]]) { x, _ in x[0] - x[1] },
        GraphCase(name: "multiply", shapes: [[3, 4], [1, 4]]) { x, _ in x[0] * x[1] },
        GraphCase(name: "divide", shapes: [[3, 4], [3, 1]], range: 0.5...2) { x, _ in x[0] / x[1] },
        GraphCase(name: "maximum", shapes: [[3, 4], [3, 4]]) { x, _ in x[0].maximum(x[1]) },
        GraphCase(name: "greater", shapes: [[3, 4], [3, 4]]) { x, _ in x[0].greater(than: x[1]) * x[0] },
        GraphCase(name: "numbers", shapes: [[5]]) { x, _ in
            let square = x[0] * x[0]
            return (2 - square) / x[0].graph.constant(3) + 1 - x[0]
        },
        GraphCase(name: "three axes stretched", shapes: [[2, 1, 3], [4, 1], [1]]) { x, _ in x[0] * x[1] + x[2] * x[0] },
        GraphCase(name: "one number", shapes: [[]]) { x, _ in x[0] * x[0].exponential() },
        GraphCase(name: "longer than a strip", shapes: [[3, 300], [300], [3, 1]]) { x, _ in
            (x[0] * x[1]).sigmoid() + x[2]
        },
    ]

    static let shaping: [GraphCase] = [
        GraphCase(name: "sum over rows", shapes: [[3, 4]]) { x, _ in x[0].sum(0) * x[0] },
        GraphCase(name: "sum over columns", shapes: [[3, 300]]) { x, _ in x[0].sum(-1).exponential() },
        GraphCase(name: "sum over outer axes", shapes: [[2, 3, 4]]) { x, _ in x[0].sum(0, 2) * x[0].sum(1) },
        GraphCase(name: "mean", shapes: [[2, 5]]) { x, _ in x[0].mean(0, 1) * x[0] },
        GraphCase(name: "largest", shapes: [[3, 4]]) { x, _ in x[0].largest(-1) * x[0] },
        GraphCase(name: "largest over rows", shapes: [[3, 4]]) { x, _ in x[0].largest(0) * x[0] },
        GraphCase(name: "broadcast", shapes: [[3, 1]]) { x, _ in x[0].broadcast(to: [2, 3, 4]) * x[0] },
        GraphCase(name: "product", shapes: [[3, 4], [4, 5]]) { x, _ in x[0].matrixMultiply(x[1]) },
        GraphCase(name: "product, left transposed", shapes: [[4, 3], [4, 5]]) { x, _ in
            x[0].matrixMultiply(x[1], transposed: true)
        },
        GraphCase(name: "product, right transposed", shapes: [[3, 4], [5, 4]]) { x, _ in
            x[0].matrixMultiply(x[1], transposingOther: true)
        },
        GraphCase(name: "product, both transposed", shapes: [[4, 3], [5, 4]]) { x, _ in
            x[0].matrixMultiply(x[1], transposed: true, transposingOther: true)
        },
        GraphCase(name: "product of one row", shapes: [[1, 4], [4, 5], [3, 5]]) { x, _ in
            x[0].matrixMultiply(x[1]).matrixMultiply(x[2], transposingOther: true)
        },
        GraphCase(name: "products side by side, left transposed", shapes: [[2, 4, 3], [2, 4, 5]]) { x, _ in
            x[0].matrixMultiply(x[1], transposed: true)
        },
        GraphCase(name: "products side by side", shapes: [[2, 3, 4], [2, 5, 4]]) { x, _ in
            x[0].matrixMultiply(x[1], transposingOther: true)
        },
        GraphCase(name: "convolution", shapes: [[2, 3, 2, 2], [17, 2, 3, 3]]) { x, _ in x[0].convolve(x[1]) },
        GraphCase(name: "convolution of many channels", shapes: [[1, 2, 2, 18], [2, 18, 3, 3]]) { x, _ in
            x[0].convolve(x[1])
        },
        GraphCase(name: "convolution of single pixels", shapes: [[2, 3, 2, 3], [4, 3, 1, 1]]) { x, _ in
            x[0].convolve(x[1])
        },
        GraphCase(
            name: "what is added to convolutions and norms",
            shapes: [[2, 3, 2, 3], [3, 3, 3, 3], [3], [2, 3], [3, 3, 1, 1], [3]]
        ) { x, _ in
            let first = x[0].convolve(x[1]) + x[2] + x[3].reshape([2, 1, 1, 3])
            let second = x[5] + (first.groupNorm(groups: 1, weight: x[2], bias: x[5]).swish() + x[0]).convolve(x[1])
            return x[0].convolve(x[4]) + second + first
        },
        GraphCase(name: "convolution with a stride", shapes: [[2, 2, 4, 2], [3, 2, 3, 3]]) { x, _ in
            x[0].convolve(x[1], stride: 2)
        },
        GraphCase(name: "convolution with a stride over odd lengths", shapes: [[1, 5, 3, 1], [2, 1, 3, 3]]) { x, _ in
            x[0].convolve(x[1], stride: 2)
        },
        GraphCase(name: "convolution with zeros to the right and below", shapes: [[2, 2, 4, 2], [3, 2, 3, 3]]) { x, _ in
            x[0].convolve(x[1], stride: 2, padding: .rightAndBottom)
        },
        GraphCase(name: "twice as large", shapes: [[2, 2, 1, 3]]) { x, _ in x[0].upsampled().exponential() },
        GraphCase(name: "half as large", shapes: [[2, 2, 4, 3]]) { x, _ in x[0].averagePooled().exponential() },
        GraphCase(name: "reshape", shapes: [[3, 4]]) { x, _ in (x[0] * x[0]).reshape([2, 6]) * x[0].reshape([2, 6]) },
        GraphCase(name: "transpose", shapes: [[2, 3, 4]]) { x, _ in x[0].transpose([2, 0, 1]).exponential() },
        GraphCase(name: "slice", shapes: [[3, 6]]) { x, _ in x[0].slice(1, 1..<3) * x[0].slice(1, 2..<4) },
        GraphCase(name: "concatenate", shapes: [[3, 2], [3, 4]]) { x, _ in
            Value.concatenate([x[0], x[1], x[0] * x[0]], axis: 1).exponential()
        },
        GraphCase(name: "gather", shapes: [[4, 3]], indices: [[2, 0, 2, 3, 1]]) { x, i in
            x[0].gather(i[0]).exponential()
        },
        GraphCase(name: "scatter", shapes: [[5, 3]], indices: [[2, 0, 2, 1, 1]]) { x, i in
            x[0].scatterSum(i[0], rows: 4).exponential()
        },
    ]

    static let composed: [GraphCase] = [
        GraphCase(name: "softmax", shapes: [[3, 5]]) { x, _ in x[0].softmax(-1) * x[0] },
        GraphCase(name: "log of summed exponentials", shapes: [[3, 5]]) { x, _ in x[0].logSumExp(1) },
        GraphCase(name: "log softmax", shapes: [[3, 5]]) { x, _ in x[0].logSoftmax(-1) },
        GraphCase(name: "log softmax over rows", shapes: [[4, 3], [4, 3]]) { x, _ in (x[0] * x[0]).logSoftmax(0) * x[1]
        },
        GraphCase(name: "layer norm", shapes: [[3, 8], [8], [8]]) { x, _ in x[0].layerNorm(weight: x[1], bias: x[2]) },
        GraphCase(name: "two layers", shapes: [[3, 4], [6, 4], [6], [2, 6]]) { x, _ in
            (x[0].matrixMultiply(x[1], transposingOther: true) + x[2]).swish().matrixMultiply(
                x[3], transposingOther: true)
        },
        GraphCase(name: "attention", shapes: [[2, 3, 4], [2, 5, 4], [2, 5, 4]]) { x, _ in
            (0.5 * x[0].matrixMultiply(x[1], transposingOther: true)).softmax(-1).matrixMultiply(x[2])
        },
        GraphCase(name: "group norm", shapes: [[2, 2, 3, 4], [4], [4]]) { x, _ in
            x[0].groupNorm(groups: 2, weight: x[1], bias: x[2])
        },
        GraphCase(name: "group norm and swish", shapes: [[2, 2, 3, 4], [4], [4]]) { x, _ in
            x[0].groupNorm(groups: 2, weight: x[1], bias: x[2]).swish()
        },
        GraphCase(name: "group norm with terms of each image", shapes: [[2, 1, 3, 18], [2, 1, 1, 18], [18]]) { x, _ in
            x[0].groupNorm(groups: 3, weight: x[1], bias: x[2], epsilon: 0.1).swish()
        },
    ]
}
