extension Value {
    /// Attention of these queries [..., n, width] to `keys` [..., m, width], which gives of `values` [..., m, outputs]
    /// the means [..., n, outputs] by the weights softmax(q k / sqrt(width)) over the keys (Vaswani et al. 2017).
    /// Leading axes are equal and are heads, rows or the like, each for itself.
    package func attention(keys: Value, values: Value) -> Value {
        precondition(shape.count >= 2 && values.shape.count == shape.count, "\(shape) to values \(values.shape)")
        let scaled = (1 / Float(shape[shape.count - 1]).squareRoot()) * self
        return scaled.matrixMultiply(keys, transposingOther: true).softmax(-1).matrixMultiply(values)
    }
}
