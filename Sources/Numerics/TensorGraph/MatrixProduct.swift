import CVectorMath

/// A matrix packed for ``PackedProduct``: what a product's right-hand side becomes when it changes less
/// often than the product is computed, as weights do.
struct PackedMatrix: Sendable {
    let inner: Int
    let columns: Int
    /// Whether the source is stored [columns, inner].
    let transposed: Bool
    let source: MemoryAddress
    let result: MemoryAddress

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
    let transposeLeft: Bool
    let left: MemoryAddress
    let right: MemoryAddress
    let result: MemoryAddress

    func run(_ regions: Regions) {
        rrr_multiply_packed(
            rows, inner, columns, regions[left], transposeLeft ? 1 : 0, regions[right], regions[result])
    }
}

/// Matrix products of which both sides change as often as the products: result [rows, columns] = op(left)
/// op(right), one for each of `count` pairs that lie one behind the other.
///
/// Each right-hand side is packed just before its product, so that the bits are those of ``PackedProduct``.
struct MatrixProduct: Sendable {
    let count: Int
    let rows: Int
    let inner: Int
    let columns: Int
    let transposeLeft: Bool
    let transposeRight: Bool
    let left: MemoryAddress
    let right: MemoryAddress
    let result: MemoryAddress
    /// For one packed right-hand side.
    let workspace: MemoryAddress

    func run(_ regions: Regions) {
        let packed = regions[workspace]
        for index in 0..<count {
            rrr_pack(inner, columns, regions[right] + index * inner * columns, transposeRight ? 1 : 0, packed)
            rrr_multiply_packed(
                rows, inner, columns, regions[left] + index * rows * inner, transposeLeft ? 1 : 0, packed,
                regions[result] + index * rows * columns)
        }
    }
}
