extension Graph {
    /// The gradient of the sum of `output`'s elements with respect to each of `values`, as new nodes of
    /// this graph, by reverse accumulation. They can be differentiated again.
    ///
    /// A value that the output does not depend on has a gradient of zeros.
    package func gradient(of output: Value, withRespectTo values: [Value]) -> [Value] {
        gradient(of: output, weighted: constant(1).broadcast(to: output.shape), withRespectTo: values)
    }

    /// The gradient of the sum of `output`'s elements, each times its weight.
    ///
    /// - Parameter fixed: values that are taken as constants, whatever they depend on.
    private func gradient(
        of output: Value, weighted weights: Value, withRespectTo values: [Value], fixed: Set<Int> = []
    ) -> [Value] {
        // Only what lies between the values and the output carries a gradient.
        var carries = [Bool](repeating: false, count: output.index + 1)
        for value in values where value.index <= output.index { carries[value.index] = true }
        for index in carries.indices where !carries[index] {
            guard nodes[index].operation != .stopGradient, !fixed.contains(index) else { continue }
            carries[index] = nodes[index].operands.contains { carries[$0] }
        }
        let asked = Set(values.map(\.index))
        var gradients: [Int: Value] = [output.index: weights]
        for index in carries.indices.reversed() where carries[index] {
            guard let gradient = gradients[index] else { continue }
            let node = nodes[index]
            let operands = node.operands.map { Value(graph: self, index: $0) }
            for (place, operand) in operands.enumerated() where carries[operand.index] {
                guard
                    let part = contribution(
                        of: gradient, to: place, operands, Value(graph: self, index: index), asked)
                else { continue }
                gradients[operand.index] = gradients[operand.index].map { $0 + part } ?? part
            }
        }
        return values.map { gradients[$0.index] ?? constant(0).broadcast(to: $0.shape) }
    }

    /// What the gradient of a result sends back to one of its operands; nil for nothing.
    ///
    /// - Parameter asked: the values whose own gradients are wanted.
    private func contribution(
        of gradient: Value, to place: Int, _ operands: [Value], _ result: Value, _ asked: Set<Int>
    ) -> Value? {
        let operand = operands[place]
        switch result.node.operation {
        case .input, .indices, .constant, .parameter, .stopGradient:
            return nil
        case .elementwise(let operation):
            return contribution(of: gradient, through: operation, to: place, operands, result, asked)?
                .sum(to: operand.shape)
        case .broadcast:
            return gradient.sum(to: operand.shape)
        case .reduce(.sum, _):
            return gradient.broadcast(to: operand.shape)
        case .reduce(.maximum, let axes):
            let here = 1 - result.greater(than: operand)
            return gradient * (here / here.reduce(.sum, axes))
        case .matrixMultiply(let left, let right):
            return factor(of: gradient, place, operands, transposed: (left, right))
        case .convolution(let convolution):
            return place == 0
                ? gradient.convolveToInput(operands[1], convolution)
                : operands[0].convolveToWeights(gradient, convolution)
        case .convolutionToInput(let convolution):
            return place == 0
                ? gradient.convolve(operands[1], convolution) : gradient.convolveToWeights(operands[0], convolution)
        case .convolutionToWeights(let convolution):
            return place == 0
                ? operands[1].convolveToInput(gradient, convolution) : operands[0].convolve(gradient, convolution)
        case .groupNorm(let norm) where place == 0:
            return gradient.groupNormToInput(operand, weight: operands[1], bias: operands[2], norm)
        case .groupNorm(let norm):
            return contribution(
                of: gradient, through: operands[0].groupNormByDefinition(weight: operands[1], bias: operands[2], norm),
                to: place, operands)
        case .groupNormToInput(let norm):
            let definition = operands[1].groupNormByDefinition(weight: operands[2], bias: operands[3], norm)
            let backward = self.gradient(
                of: definition, weighted: operands[0], withRespectTo: [operands[1]],
                fixed: [operands[2].index, operands[3].index])
            return contribution(of: gradient, through: backward[0], to: place, operands)
        case .spread(let scale):
            return gradient.pool(scale: scale)
        case .pool(let scale):
            return gradient.spread(scale: scale)
        case .reshape:
            return gradient.reshape(operand.shape)
        case .transpose(let order):
            return gradient.transpose(order.indices.map { axis in order.firstIndex(of: axis) ?? axis })
        case .slice(let axis, let start):
            return padded(gradient, axis: axis, start: start, length: operand.shape[axis])
        case .concatenate(let axis):
            let start = operands.prefix(place).reduce(0) { $0 + $1.shape[axis] }
            return gradient.slice(axis, start..<start + operand.shape[axis])
        case .gather:
            return gradient.scatterSum(operands[1], rows: operand.shape[0])
        case .scatterSum:
            return gradient.gather(operands[1])
        }
    }

    private func contribution(
        of gradient: Value, through operation: Elementwise, to place: Int, _ operands: [Value], _ result: Value,
        _ asked: Set<Int>
    ) -> Value? {
        let x = operands[0]
        switch operation {
        case .negate: return -gradient
        case .exponential: return gradient * result
        case .logarithm: return gradient / x
        case .squareRoot: return gradient * (0.5 / result)
        case .sigmoid: return gradient * (result * (1 - result))
        case .add: return gradient
        case .subtract: return place == 0 ? gradient : -gradient
        case .multiply:
            // x sigmoid(x) is taken as one function, whose slope depends on x alone: it is computed where x is
            // still in cache, not where the gradient comes back. Not so where the sigmoid's own gradient is wanted.
            if isSigmoid(operands[1], of: x), !asked.contains(operands[1].index) {
                return place == 0 ? gradient * (operands[1] + result * (1 - operands[1])) : nil
            }
            return gradient * operands[1 - place]
        case .divide: return place == 0 ? gradient / operands[1] : -(gradient * (result / operands[1]))
        case .maximum:
            let first = x.greater(than: operands[1])
            return gradient * (place == 0 ? first : 1 - first)
        case .greater: return nil
        }
    }

    /// What goes back to an operand of an operation that is defined by others, through its `definition`; nil if the
    /// same operand has had its share in an earlier place.
    private func contribution(
        of gradient: Value, through definition: Value, to place: Int, _ operands: [Value]
    ) -> Value? {
        let operand = operands[place].index
        guard operands.firstIndex(where: { $0.index == operand }) == place else { return nil }
        return self.gradient(
            of: definition, weighted: gradient, withRespectTo: [operands[place]],
            fixed: Set(operands.map(\.index)).subtracting([operand]))[0]
    }

    private func isSigmoid(_ value: Value, of x: Value) -> Bool {
        value.node.operation == .elementwise(.sigmoid) && value.node.operands == [x.index]
    }

    /// C = op(A) op(B): the gradient of op(A) is dC op(B)^T, that of op(B) is op(A)^T dC.
    private func factor(
        of gradient: Value, _ place: Int, _ operands: [Value], transposed: (left: Bool, right: Bool)
    ) -> Value {
        let (a, b) = (operands[0], operands[1])
        if place == 0 {
            return transposed.left
                ? b.matrixMultiply(gradient, transposed: transposed.right, transposingOther: true)
                : gradient.matrixMultiply(b, transposingOther: !transposed.right)
        }
        return transposed.right
            ? gradient.matrixMultiply(a, transposed: true, transposingOther: transposed.left)
            : a.matrixMultiply(gradient, transposed: !transposed.left)
    }

    /// Zeros before and after along an axis: the gradient of a slice.
    private func padded(_ value: Value, axis: Int, start: Int, length: Int) -> Value {
        func zeros(_ count: Int) -> [Value] {
            var shape = value.shape
            shape[axis] = count
            return count == 0 ? [] : [constant(0).broadcast(to: shape)]
        }
        return .concatenate(
            zeros(start) + [value] + zeros(length - start - value.shape[axis]), axis: axis)
    }
}
