import COpenBLAS

/// A multiply [rows, inner] x [inner, columns] by OpenBLAS on one thread, with memory of its own: the
/// limit that benchmarks measure against. No plan runs it.
package final class ReferenceMultiply {
    private let rows, inner, columns: Int
    private let transposesRight: Bool
    private let memory: (left: Memory, right: Memory, result: Memory)
    private static let singleThread: Void = openblas_set_num_threads(1)

    /// Matrices of zeros. - Parameter transposingRight: whether the right one is stored [columns, inner].
    package init(rows: Int, inner: Int, columns: Int, transposingRight: Bool) {
        Self.singleThread
        (self.rows, self.inner, self.columns, transposesRight) = (rows, inner, columns, transposingRight)
        memory = (.ofGraph(count: rows * inner), .ofGraph(count: inner * columns), .ofGraph(count: rows * columns))
    }

    /// Multiplies once.
    package func run() {
        let (a, b, c) = (memory.left.start, memory.right.start, memory.result.start)
        let rightStride = Int32(transposesRight ? inner : columns)
        guard rows > 1 else {
            // One row is bound by reading the matrix, which sgemv does at twice the speed of sgemm.
            cblas_sgemv(
                CblasRowMajor, transposesRight ? CblasNoTrans : CblasTrans, Int32(transposesRight ? columns : inner),
                rightStride, 1, b, rightStride, a, 1, 0, c, 1)
            return
        }
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, transposesRight ? CblasTrans : CblasNoTrans, Int32(rows), Int32(columns),
            Int32(inner), 1, a, Int32(inner), b, rightStride, 0, c, Int32(columns))
    }
}
