/// Elementwise operations stretch their operands as NumPy does.
extension Value {
    /// a + b.
    package static func + (a: Value, b: Value) -> Value {
        if a.isZero, a.fits(b) { return b }
        if b.isZero, b.fits(a) { return a }
        return a.elementwise(.add, b)
    }

    /// a - b.
    package static func - (a: Value, b: Value) -> Value {
        b.isZero && b.fits(a) ? a : a.elementwise(.subtract, b)
    }

    /// a b, number by number.
    package static func * (a: Value, b: Value) -> Value {
        if a.graph.number(a) == 1, a.fits(b) { return b }
        if b.graph.number(b) == 1, b.fits(a) { return a }
        return a.elementwise(.multiply, b)
    }

    /// a / b, number by number.
    package static func / (a: Value, b: Value) -> Value { a.elementwise(.divide, b) }
    /// a + b.
    package static func + (a: Value, b: Float) -> Value { a + a.graph.constant(b) }
    /// a - b.
    package static func - (a: Value, b: Float) -> Value { a - a.graph.constant(b) }
    /// a - b.
    package static func - (a: Float, b: Value) -> Value { b.graph.constant(a) - b }
    /// a b.
    package static func * (a: Float, b: Value) -> Value { b.graph.constant(a) * b }
    /// a / b.
    package static func / (a: Float, b: Value) -> Value { b.graph.constant(a) / b }
    /// -a.
    package static prefix func - (a: Value) -> Value { a.elementwise(.negate) }

    /// e^x.
    package func exponential() -> Value { elementwise(.exponential) }
    /// The natural logarithm.
    package func logarithm() -> Value { elementwise(.logarithm) }
    /// The square root; NaN below 0.
    package func squareRoot() -> Value { elementwise(.squareRoot) }
    /// 1 / (1 + e^-x).
    package func sigmoid() -> Value { elementwise(.sigmoid) }
    /// x / (1 + e^-x) (Ramachandran, Zoph and Le 2017), also called SiLU.
    package func swish() -> Value { normalizedSwish ?? self * sigmoid() }
    /// The larger of two numbers.
    package func maximum(_ other: Value) -> Value { elementwise(.maximum, other) }
    /// 1 where this is greater, else 0; its gradient is zero.
    package func greater(than other: Value) -> Value { elementwise(.greater, other) }

    private func elementwise(_ operation: Elementwise) -> Value { graph.add(.elementwise(operation), [self], shape) }

    private func elementwise(_ operation: Elementwise, _ other: Value) -> Value {
        graph.add(.elementwise(operation), [self, other], shape.broadcast(with: other.shape))
    }

    var isZero: Bool { graph.number(self) == 0 }

    /// Whether stretching this over the other leaves the other's shape.
    private func fits(_ other: Value) -> Bool { shape.broadcast(with: other.shape) == other.shape }
}

/// Reductions keep their axes, with length 1. An axis counts from 0, or from the end if negative.
extension Value {
    /// The sum along axes.
    package func sum(_ axes: Int...) -> Value { reduce(.sum, axes.map(axis)) }
    /// The mean along axes.
    package func mean(_ axes: Int...) -> Value {
        let axes = axes.map(axis)
        return (1 / Float(axes.reduce(1) { $0 * shape[$1] })) * reduce(.sum, axes)
    }
    /// The largest number; its gradient goes, in equal parts, to the places that have it.
    package func largest(_ axes: Int...) -> Value { reduce(.maximum, axes.map(axis)) }

    /// log sum e^x, without overflow.
    package func logSumExp(_ axis: Int) -> Value {
        let peak = largest(axis).stopGradient()
        return (self - peak).exponential().sum(axis).logarithm() + peak
    }

    /// e^x / sum e^x, without overflow.
    package func softmax(_ axis: Int) -> Value {
        let powers = (self - largest(axis).stopGradient()).exponential()
        return powers / powers.sum(axis)
    }

    /// x - log sum e^x, without overflow, and without losing digits to a number that all have in common. Where an x
    /// is plus infinity or not a number, none of them is.
    package func logSoftmax(_ axis: Int) -> Value {
        let centred = self - largest(axis).stopGradient()
        return centred - centred.exponential().sum(axis).logarithm()
    }

    /// (x - mean) / sqrt(variance + epsilon) along the last axis (Ba, Kiros and Hinton 2016), times
    /// `weight` plus `bias`; the variance is divided by the number of elements.
    package func layerNorm(weight: Value, bias: Value, epsilon: Float = 1e-5) -> Value {
        let centred = self - mean(-1)
        let deviation = ((centred * centred).mean(-1) + epsilon).squareRoot()
        return centred * (1 / deviation) * weight + bias
    }

    func reduce(_ kind: Reduction, _ axes: [Int]) -> Value {
        let axes = axes.sorted().filter { shape[$0] != 1 }
        guard !axes.isEmpty else { return self }
        var reduced = shape
        for axis in axes { reduced[axis] = 1 }
        return graph.add(.reduce(kind, axes: axes), [self], reduced)
    }

    /// The sum over whatever axes a broadcast to this value's shape stretched.
    func sum(to target: [Int]) -> Value {
        let padded = target.padded(to: shape.count)
        return reduce(.sum, shape.indices.filter { padded[$0] == 1 && shape[$0] != 1 }).reshape(target)
    }

    private func axis(_ axis: Int) -> Int {
        let place = axis < 0 ? axis + shape.count : axis
        precondition(shape.indices.contains(place), "no axis \(axis) in \(shape)")
        return place
    }
}

/// Products, and moving numbers about.
extension Value {
    /// Matrix products over the last two axes, each operand transposed first if asked for; leading axes
    /// are equal and give one product each.
    package func matrixMultiply(_ other: Value, transposed: Bool = false, transposingOther: Bool = false) -> Value {
        let rank = shape.count
        precondition(rank >= 2 && shape.dropLast(2) == other.shape.dropLast(2), "\(shape) times \(other.shape)")
        let (rows, inner) = transposed ? (shape[rank - 1], shape[rank - 2]) : (shape[rank - 2], shape[rank - 1])
        let (otherInner, columns) =
            transposingOther
            ? (other.shape[rank - 1], other.shape[rank - 2]) : (other.shape[rank - 2], other.shape[rank - 1])
        precondition(inner == otherInner, "\(shape) times \(other.shape)")
        return graph.add(
            .matrixMultiply(transposeLeft: transposed, transposeRight: transposingOther), [self, other],
            shape.dropLast(2) + [rows, columns])
    }

    /// This value, taken as constant by gradients.
    package func stopGradient() -> Value { graph.add(.stopGradient, [self], shape) }

    /// The same numbers in another shape.
    package func reshape(_ target: [Int]) -> Value {
        precondition(target.elementCount == shape.elementCount, "\(shape) as \(target)")
        return target == shape ? self : graph.add(.reshape, [self], target)
    }

    /// Stretched to a larger shape.
    package func broadcast(to target: [Int]) -> Value {
        precondition(shape.broadcast(with: target) == target, "\(shape) to \(target)")
        return target == shape ? self : graph.add(.broadcast, [self], target)
    }

    /// Axis i of the result is axis `order[i]` of this.
    package func transpose(_ order: [Int]) -> Value {
        precondition(order.sorted() == Array(shape.indices), "\(order) of \(shape)")
        return order == Array(shape.indices)
            ? self : graph.add(.transpose(order: order), [self], order.map { shape[$0] })
    }

    /// The part of an axis in `range`.
    package func slice(_ axis: Int, _ range: Range<Int>) -> Value {
        let axis = self.axis(axis)
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[axis] && !range.isEmpty, "\(range) of \(shape)")
        guard range.count < shape[axis] else { return self }
        var part = shape
        part[axis] = range.count
        return graph.add(.slice(axis: axis, start: range.lowerBound), [self], part)
    }

    /// Values one behind the other along an axis; all other lengths are equal.
    package static func concatenate(_ values: [Value], axis: Int) -> Value {
        let first = values[0]
        let axis = first.axis(axis)
        var whole = first.shape
        whole[axis] = values.reduce(0) { $0 + $1.shape[axis] }
        for value in values {
            var shape = value.shape
            shape[axis] = whole[axis]
            precondition(shape == whole, "\(value.shape) beside \(first.shape)")
        }
        return values.count == 1 ? first : first.graph.add(.concatenate(axis: axis), values, whole)
    }

    /// The rows of this table [rows, width] at `indices` [n]: [n, width]. An index outside the table is
    /// refused when it is set.
    package func gather(_ indices: Value) -> Value {
        precondition(shape.count == 2 && indices.node.operation == .indices)
        return graph.add(.gather, [self, indices], [indices.shape[0], shape[1]])
    }

    /// These rows [n, width] summed into a table of `rows` rows at `indices` [n].
    package func scatterSum(_ indices: Value, rows: Int) -> Value {
        precondition(shape.count == 2 && indices.node.operation == .indices && indices.shape[0] == shape[0])
        return graph.add(.scatterSum, [self, indices], [rows, shape[1]])
    }
}
