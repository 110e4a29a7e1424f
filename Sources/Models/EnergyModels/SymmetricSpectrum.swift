import VectorMath

/// Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub and
/// Van Loan, section 8.5): additions, products and square roots alone, so the same bits everywhere.
///
/// Made once for a model: a noise level changes the eigenvalues alone.
struct SymmetricSpectrum: Sendable {
    /// [d], in the order the rotations leave them in.
    let eigenvalues: [Double]
    /// [d][d], one after the other.
    private let vectors: [Double]

    init(of matrix: [[Double]]) {
        let count = matrix.count
        var a = matrix.flatMap(\.self)
        var v = (0..<count * count).map { $0 / count == $0 % count ? 1.0 : 0.0 }
        // Convergence is quadratic: a handful of sweeps does, sixty is a bound.
        for _ in 0..<60 {
            var rotated = false
            for p in 0..<count {
                for q in (p + 1)..<max(count, p + 1) {
                    let (pp, pq, qq) = (a[p * count + p], a[p * count + q], a[q * count + q])
                    let scale = (pp * qq).magnitude.squareRoot()
                    guard pq.magnitude > 1e-17 * scale, pq != 0 else { continue }
                    rotated = true
                    let theta = (qq - pp) / (2 * pq)
                    let root = (theta * theta + 1).squareRoot()
                    let t = theta >= 0 ? 1 / (theta + root) : 1 / (theta - root)
                    let c = 1 / (t * t + 1).squareRoot()
                    Self.rotate(&a, p, q, step: count, count: count, c, t * c)
                    Self.rotate(&a, p * count, q * count, step: 1, count: count, c, t * c)
                    Self.rotate(&v, p * count, q * count, step: 1, count: count, c, t * c)
                    (a[p * count + q], a[q * count + p]) = (0, 0)
                }
            }
            if !rotated { break }
        }
        eigenvalues = (0..<count).map { a[$0 * count + $0] }
        vectors = v
    }

    /// Turns two rows or columns, which begin at `p` and `q`, in the plane that they span.
    private static func rotate(
        _ a: inout [Double], _ p: Int, _ q: Int, step: Int, count: Int, _ c: Double, _ s: Double
    ) {
        for k in stride(from: 0, to: count * step, by: step) {
            let (x, y) = (a[p + k], a[q + k])
            (a[p + k], a[q + k]) = (c * x - s * y, s * x + c * y)
        }
    }

    /// The matrix with these eigenvectors and the given eigenvalues, row after row.
    func matrix(eigenvalues: [Double]) -> [Double] {
        SpectralMatrix.matrix(eigenvectors: vectors, eigenvalues: eigenvalues)
    }
}
