import CVectorMath
import Testing
import VectorMath

/// Numbers in (-scale, scale) that repeat no pattern; `salt` tells arrays apart.
private func floats(_ count: Int, salt: Int, scale: Float = 1) -> [Float] {
    filled(rows: 1, lanes: count, salt: salt).elements.map { scale * Float($0) }
}

private func packed(_ matrix: [Float], inner: Int, columns: Int, transposed: Bool = false) -> [Float] {
    var packed = [Float](repeating: .nan, count: rrr_packed_count(inner, columns))
    rrr_pack(inner, columns, matrix, transposed ? 1 : 0, &packed)
    return packed
}

/// The definition: each element is a chain of fused multiply-adds, in the order of k or against it.
private func chains(
    rows: Int, inner: Int, columns: Int, left: [Float], right: [Float], backwards: Bool = false
) -> [UInt32] {
    var bits: [UInt32] = []
    for row in 0..<rows {
        for column in 0..<columns {
            var sum: Float = 0
            for step in 0..<inner {
                let k = backwards ? inner - 1 - step : step
                sum.addProduct(left[row * inner + k], right[k * columns + column])
            }
            bits.append(sum.bitPattern)
        }
    }
    return bits
}

/// Nil where this processor cannot run the kernel.
private func multiply(
    by kernel: rrr_kernel, rows: Int, inner: Int, columns: Int, left: [Float], transposed: Bool = false,
    packed: [Float]
) -> [UInt32]? {
    // Numbers beyond the result show whether it was overrun.
    let guards = 40
    var result = [Float](repeating: 42, count: rows * columns + guards)
    guard rrr_multiply_packed_with(kernel, rows, inner, columns, left, transposed ? 1 : 0, packed, &result) == 1 else {
        #expect(result.allSatisfy { $0 == 42 }, "a kernel that refuses computes nothing")
        return nil
    }
    #expect(result.suffix(guards).allSatisfy { $0 == 42 }, "nothing is written beyond the result")
    return result.dropLast(guards).map(\.bitPattern)
}

@Suite("Packed multiply")
struct PackedMultiplyTests {
    private static let kernels = [RRR_KERNEL_PORTABLE, RRR_KERNEL_X86_64_V3, RRR_KERNEL_X86_64_V4]

    /// (inner, columns): networks' layers, and remainders of every kind.
    private static let shapes = [
        (2, 128), (128, 2), (128, 256), (256, 128), (0, 5), (1, 1), (1, 17), (3, 15), (2, 16), (17, 33),
        (40, 47), (300, 65), (5, 250),
    ]

    @Test("Every kernel gives the bits of the chain of fused multiply-adds", arguments: shapes)
    func definition(inner: Int, columns: Int) throws {
        let right = floats(inner * columns, salt: 2)
        let packedRight = packed(right, inner: inner, columns: columns)
        for rows in Array(0...16) + [27, 29, 64] {
            let left = floats(rows * inner, salt: 1)
            let expected = chains(rows: rows, inner: inner, columns: columns, left: left, right: right)
            let results = Self.kernels.map {
                multiply(by: $0, rows: rows, inner: inner, columns: columns, left: left, packed: packedRight)
            }
            #expect(results[0] != nil, "every processor runs the portable kernel")
            for result in results.compactMap({ $0 }) { #expect(result == expected) }
            let turned = (0..<rows * inner).map { left[$0 % rows * inner + $0 / rows] }
            for kernel in Self.kernels {
                let result = multiply(
                    by: kernel, rows: rows, inner: inner, columns: columns, left: turned, transposed: true,
                    packed: packedRight)
                if let result { #expect(result == expected, "a left-hand side stored transposed") }
            }
            var chosen = [Float](repeating: 42, count: rows * columns)
            rrr_multiply_packed(rows, inner, columns, left, 0, packedRight, &chosen)
            #expect(chosen.map(\.bitPattern) == expected)
            if rows * columns > 100, inner > 100 {
                let others = chains(
                    rows: rows, inner: inner, columns: columns, left: left, right: right, backwards: true)
                #expect(others != expected, "the order must matter for this test to mean something")
            }
        }
    }

    @Test("Subnormal products and sums are not flushed to zero")
    func subnormals() {
        let (rows, inner, columns) = (9, 33, 40)
        let left = floats(rows * inner, salt: 1, scale: 1e-20)
        let right = floats(inner * columns, salt: 2, scale: 1e-20)
        let expected = chains(rows: rows, inner: inner, columns: columns, left: left, right: right)
        #expect(expected.contains { Float(bitPattern: $0).isSubnormal })
        let packedRight = packed(right, inner: inner, columns: columns)
        for kernel in Self.kernels {
            let result = multiply(
                by: kernel, rows: rows, inner: inner, columns: columns, left: left, packed: packedRight)
            if let result { #expect(result == expected) }
        }
    }

    @Test("A row has the same bits alone, among any number of rows, and at any place", arguments: kernels)
    func rows(kernel: rrr_kernel) throws {
        let (inner, columns) = (70, 50)
        let left = floats(125 * inner, salt: 1)
        let right = packed(floats(inner * columns, salt: 2), inner: inner, columns: columns)
        func product(of rows: Range<Int>) -> [UInt32]? {
            let part = Array(left[rows.lowerBound * inner..<rows.upperBound * inner])
            return multiply(
                by: kernel, rows: rows.count, inner: inner, columns: columns, left: part, packed: right)
        }
        guard let all = product(of: 0..<125) else { return }
        #expect(Set(all).count > 6000, "the rows must differ for this test to mean something")
        for range in (1...64).map({ 3..<3 + $0 }) + (0..<125).map({ $0..<$0 + 1 }) + [61..<125] {
            let part = try #require(product(of: range))
            #expect(part == Array(all[range.lowerBound * columns..<range.upperBound * columns]))
        }
    }

    @Test("A matrix stored transposed packs to the same numbers", arguments: shapes)
    func transposed(inner: Int, columns: Int) {
        let right = floats(inner * columns, salt: 3)
        let turned = (0..<inner * columns).map { right[$0 % inner * columns + $0 / inner] }
        let packedRight = packed(right, inner: inner, columns: columns)
        #expect(packedRight.allSatisfy { !$0.isNaN }, "all of the packed matrix is filled")
        #expect(packed(turned, inner: inner, columns: columns, transposed: true) == packedRight)
    }

    @Test("A kernel that does not exist is refused")
    func unknownKernel() {
        let right = packed([1, 2], inner: 2, columns: 1)
        let unknown = rrr_kernel(rawValue: 99)
        #expect(multiply(by: unknown, rows: 1, inner: 2, columns: 1, left: [1, 2], packed: right) == nil)
    }
}
