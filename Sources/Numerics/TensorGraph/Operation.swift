/// What a node of a graph computes: a closed set, whose gradients are made of itself.
///
/// Operands and results are row-major tensors. A new kind of layer (attention, resampling)
/// is built from these or adds one case here, its gradient in Gradient.swift and its
/// instruction in PlanInstructions.swift.
enum Operation: Hashable, Sendable {
    /// Numbers that the caller sets.
    case input
    /// Whole numbers that the caller sets, for ``gather``; kept as Int32.
    case indices
    /// A tensor of the graph, by its place in ``Graph/constants``.
    case constant(Int)
    /// A fixed tensor that the graph does not hold, by its number among those that who compiles a plan has.
    case parameter(Int)
    /// One number from the numbers at the same place of one or two operands, stretched as NumPy does.
    case elementwise(Elementwise)
    /// The operand stretched to the node's shape.
    case broadcast
    /// The operand itself; its gradient is taken to be zero.
    case stopGradient
    /// Along axes, which keep length 1.
    case reduce(Reduction, axes: [Int])
    /// Matrix products over the last two axes, one for each index of the others.
    case matrixMultiply(transposeLeft: Bool, transposeRight: Bool)
    /// Images [n, height, width, channels] and weights [outputs, channels, kernel, kernel].
    case convolution(Convolution)
    /// The gradient of a convolution's output, and its weights: what goes back to the input.
    case convolutionToInput(Convolution)
    /// A convolution's input, and the gradient of its output: what goes back to the weights.
    case convolutionToWeights(Convolution)
    /// Images [n, height, width, channels], weights and biases.
    case groupNorm(GroupNorm)
    /// The gradient of a group norm's result, and its images, weights and biases: what goes back to the images.
    case groupNormToInput(GroupNorm)
    /// Images [n, height, width, channels] of twice the height and width: each pixel, times a number, becomes four.
    case spread(scale: Float)
    /// Images of half the height and width: the sum of each four pixels, times a number.
    case pool(scale: Float)
    /// The same numbers in another shape.
    case reshape
    /// Axis i of the result is axis `order[i]` of the operand.
    case transpose(order: [Int])
    /// Part of an axis, from a start on; its length is the node's.
    case slice(axis: Int, start: Int)
    /// Operands one behind the other along an axis.
    case concatenate(axis: Int)
    /// Rows of a table [rows, width] at indices [n]: [n, width].
    case gather
    /// The rows [n, width] summed into a table at indices [n]: the gradient of ``gather``.
    case scatterSum
}

/// Elementwise operations; the first group takes one operand, the second two.
enum Elementwise: Sendable {
    case negate, exponential, logarithm, squareRoot, sigmoid
    case add, subtract, multiply, divide, maximum
    /// 1 where the first operand is greater, else 0.
    case greater
}

/// How a reduction joins numbers.
enum Reduction: Sendable {
    case sum, maximum
}

/// How often a value changes; what changes seldom is not computed often.
package enum Rate: Int, Sendable, Comparable, CaseIterable {
    /// Never: computed when the plan is made.
    case constant
    /// With the noise level.
    case level
    /// With every evaluation.
    case evaluation

    /// Whether a changes less often than b.
    package static func < (a: Rate, b: Rate) -> Bool { a.rawValue < b.rawValue }
}
