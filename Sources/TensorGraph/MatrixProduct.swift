import COpenBLAS
import CVectorMath

/// A matrix packed for ``PackedProduct``: what a product's right-hand side becomes when it changes less
/// often than the product is computed, as weights do.
struct PackedMatrix: Sendable {
    let inner: Int
    let columns: Int
    /// Whether the source is stored [columns, inner].
    let transposed: Bool
    let source: Place
    let result: Place

    /// Numbers that a packed matrix takes.
    static func count(inner: Int, columns: Int) -> Int { rrr_packed_count(inner, columns) }

    func run(_ regions: Regions) {
        rrr_pack(inner, columns, regions[source], transposed ? 1 : 0, regions[result])
    }
}

/// A product with a packed right-hand side. Its bits depend on the numbers alone: neither on the
/// processor, nor on how many rows there are, nor on a row's place.
struct PackedProduct: Sendable {
    let rows: Int
    let inner: Int
    let columns: Int
    let left: Place
    let right: Place
    let result: Place

    func run(_ regions: Regions) {
        rrr_multiply_packed(rows, inner, columns, regions[left], regions[right], regions[result])
    }
}

/// Matrix products of fixed shapes by OpenBLAS: result [rows, columns] = op(left) op(right), one for
/// each of `count` pairs that lie one behind the other.
struct MatrixProduct: Sendable {
    let count: Int
    let rows: Int
    let inner: Int
    let columns: Int
    let transposeLeft: Bool
    let transposeRight: Bool
    let left: Place
    let right: Place
    let result: Place

    func run(_ regions: Regions) {
        for index in 0..<count {
            multiply(
                regions[left] + index * rows * inner, regions[right] + index * inner * columns,
                regions[result] + index * rows * columns)
        }
    }

    func multiply(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>
    ) {
        if rows == 1 {
            // One row is bound by reading the matrix, which sgemv does at twice the speed of sgemm.
            cblas_sgemv(
                CblasRowMajor, transposeRight ? CblasNoTrans : CblasTrans,
                Int32(transposeRight ? columns : inner), Int32(transposeRight ? inner : columns), 1, b,
                Int32(transposeRight ? inner : columns), a, 1, 0, c, 1)
            return
        }
        cblas_sgemm(
            CblasRowMajor, transposeLeft ? CblasTrans : CblasNoTrans, transposeRight ? CblasTrans : CblasNoTrans,
            Int32(rows), Int32(columns), Int32(inner), 1, a, Int32(transposeLeft ? rows : inner), b,
            Int32(transposeRight ? inner : columns), 0, c, Int32(columns))
    }
}

/// How the multiplication library runs here.
enum MatrixLibrary {
    /// One thread per multiply: parallelism is blocks side by side, and bits change with the number of threads.
    static let singleThread: Void = openblas_set_num_threads(1)
}

/// A multiply [rows, inner] x [inner, columns] by OpenBLAS on one thread, with memory of its own: the
/// limit that benchmarks measure against.
public final class ReferenceMultiply {
    private let memory: (left: Memory, right: Memory, result: Memory)
    private let product: MatrixProduct

    /// Matrices of zeros. - Parameter transposingRight: whether the right one is stored [columns, inner].
    public init(rows: Int, inner: Int, columns: Int, transposingRight: Bool) {
        MatrixLibrary.singleThread
        memory = (Memory(count: rows * inner), Memory(count: inner * columns), Memory(count: rows * columns))
        product = MatrixProduct(
            count: 1, rows: rows, inner: inner, columns: columns, transposeLeft: false,
            transposeRight: transposingRight, left: Place(region: .constant, offset: 0),
            right: Place(region: .constant, offset: 0), result: Place(region: .constant, offset: 0))
    }

    /// Multiplies once.
    public func run() { product.multiply(memory.left.start, memory.right.start, memory.result.start) }
}
