/// Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub and
/// Van Loan, section 8.5): additions, products and square roots alone, so the same bits everywhere.
struct SymmetricSpectrum: Sendable {
    /// [d], in the order the rotations leave them in.
    let eigenvalues: [Double]
    /// vectors[i][k]: coordinate i of eigenvector k.
    private let vectors: [[Double]]

    init(of matrix: [[Double]]) {
        let count = matrix.count
        var a = matrix
        var v = (0..<count).map { i in (0..<count).map { $0 == i ? 1.0 : 0.0 } }
        // Convergence is quadratic: a handful of sweeps does, sixty is a bound.
        for _ in 0..<60 {
            var rotated = false
            for p in 0..<count {
                for q in (p + 1)..<max(count, p + 1) {
                    let scale = (a[p][p] * a[q][q]).magnitude.squareRoot()
                    guard a[p][q].magnitude > 1e-17 * scale, a[p][q] != 0 else { continue }
                    rotated = true
                    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
                    let root = (theta * theta + 1).squareRoot()
                    let t = theta >= 0 ? 1 / (theta + root) : 1 / (theta - root)
                    let c = 1 / (t * t + 1).squareRoot()
                    let s = t * c
                    for k in 0..<count {
                        (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q])
                    }
                    for k in 0..<count {
                        (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k])
                        (v[k][p], v[k][q]) = (c * v[k][p] - s * v[k][q], s * v[k][p] + c * v[k][q])
                    }
                    (a[p][q], a[q][p]) = (0, 0)
                }
            }
            if !rotated { break }
        }
        eigenvalues = (0..<count).map { a[$0][$0] }
        vectors = v
    }

    /// The matrix with these eigenvectors and the given eigenvalues, row after row.
    func matrix(eigenvalues: [Double]) -> [Double] {
        let count = vectors.count
        return (0..<count * count).map { index in
            let (i, j) = (index / count, index % count)
            return (0..<count).reduce(0) { $0 + vectors[i][$1] * eigenvalues[$1] * vectors[j][$1] }
        }
    }
}
