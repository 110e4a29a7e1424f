/// Arithmetic on whole gradients, in an order that depends on nothing but their length.
enum Gradient {
    /// Adds `other` [P] to `sum` [P].
    static func add(_ other: [Float], to sum: inout [Float]) {
        let count = sum.count
        precondition(other.count == count)
        // Pointers, because a check of each index would keep the loop from becoming vector code.
        other.withUnsafeBufferPointer { other in
            sum.withUnsafeMutableBufferPointer { sum in
                for i in 0..<count { sum[i] += other[i] }
            }
        }
    }

    /// The Euclidean norm, summed in double precision over eight interleaved parts.
    static func norm(_ gradient: [Float]) -> Double {
        gradient.withUnsafeBufferPointer { gradient in
            var parts = SIMD8<Double>()
            let whole = gradient.count / 8 * 8
            for i in stride(from: 0, to: whole, by: 8) {
                var eight = SIMD8<Float>()
                for k in 0..<8 { eight[k] = gradient[i + k] }
                let wide = SIMD8<Double>(eight)
                parts += wide * wide
            }
            var sum = 0.0
            for k in 0..<8 { sum += parts[k] }
            for i in whole..<gradient.count { sum += Double(gradient[i]) * Double(gradient[i]) }
            return sum.squareRoot()
        }
    }
}
