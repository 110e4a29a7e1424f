import COpenBLAS

/// A step of a plan with its arrays in place.
enum Instruction: Sendable {
    case loop(FusedLoop)
    case multiply(MatrixProduct)
    case copy(StridedCopy)
    case gather(RowTransfer)
    case scatterSum(RowTransfer)

    func run(_ regions: Regions) {
        switch self {
        case .loop(let loop): loop.run(regions)
        case .multiply(let product): product.run(regions)
        case .copy(let copy): copy.run(regions)
        case .gather(let rows): rows.gather(regions)
        case .scatterSum(let rows): rows.scatterSum(regions)
        }
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

    private func multiply(
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

/// Numbers copied from one strided arrangement to another: transposes, slices, concatenations.
struct StridedCopy: Sendable {
    private let lengths: [Int]
    private let sourceStrides: [Int]
    private let resultStrides: [Int]
    private let source: Place
    private let result: Place

    /// - Parameters:
    ///   - lengths: of the copied part, axis by axis.
    ///   - source: where its first number is, with the strides by which it is read.
    ///   - result: where that goes, with the strides by which it is written.
    init(lengths: [Int], from source: (Place, [Int]), to result: (Place, [Int])) {
        self.lengths = lengths
        (self.source, sourceStrides) = source
        (self.result, resultStrides) = result
    }

    func run(_ regions: Regions) { copy(axis: 0, regions[source], regions[result]) }

    private func copy(axis: Int, _ from: UnsafePointer<Float>, _ to: UnsafeMutablePointer<Float>) {
        guard axis < lengths.count else {
            to.pointee = from.pointee
            return
        }
        let (length, read, write) = (lengths[axis], sourceStrides[axis], resultStrides[axis])
        if axis == lengths.count - 1 {
            for index in 0..<length { to[index * write] = from[index * read] }
        } else {
            for index in 0..<length { copy(axis: axis + 1, from + index * read, to + index * write) }
        }
    }
}

/// Rows between a table [tableRows, width] and a list [count, width] of the rows at given indices.
struct RowTransfer: Sendable {
    let table: Place
    let list: Place
    /// The first index, in the region of whole numbers.
    let indices: Int
    let count: Int
    let tableRows: Int
    let width: Int

    func gather(_ regions: Regions) {
        for row in 0..<count {
            (regions[list] + row * width)
                .update(from: regions[table] + Int(regions.indices[indices + row]) * width, count: width)
        }
    }

    func scatterSum(_ regions: Regions) {
        let sums = regions[table]
        sums.update(repeating: 0, count: tableRows * width)
        for row in 0..<count {
            let target = sums + Int(regions.indices[indices + row]) * width
            let source = regions[list] + row * width
            for column in 0..<width { target[column] += source[column] }
        }
    }
}

/// The multiplication library, as it runs here.
public enum MatrixLibrary {
    /// One thread per multiply: parallelism is blocks side by side, and bits change with the number of threads.
    static let singleThread: Void = openblas_set_num_threads(1)

    /// Version, build and the processor core that it chose its kernels for: what its bits depend on.
    public static var description: String {
        singleThread
        return "\(String(cString: openblas_get_config())) \(String(cString: openblas_get_corename()))"
    }

    /// Multiplies two matrices of ones [rows, inner] x [inner, columns] `repeats` times: the limit that
    /// benchmarks measure against.
    public static func multiply(rows: Int, inner: Int, columns: Int, transposingRight: Bool, repeats: Int) {
        singleThread
        let memory = (0..<3).map { [left = rows * inner, right = inner * columns, result = rows * columns] in
            Memory(count: [left, right, result][$0])
        }
        let product = MatrixProduct(
            count: 1, rows: rows, inner: inner, columns: columns, transposeLeft: false,
            transposeRight: transposingRight, left: Place(region: .constant, offset: 0),
            right: Place(region: .level, offset: 0), result: Place(region: .evaluation, offset: 0))
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: 1) { none in
            guard let none = none.baseAddress else { return }
            let regions = Regions(
                constant: memory[0].start, level: memory[1].start, evaluation: memory[2].start, indices: none,
                scratch: memory[2].start)
            for _ in 0..<repeats { product.run(regions) }
        }
    }
}
