/// The score of a Gaussian around the origin at a noise level, as a matrix, written down as plainly as it can be:
/// Jacobi's rotations and sums in the order in which the model has always made them.
///
/// For the tests alone: samples depend on every bit of it.
enum PlainGaussian {
    /// -(abar C + sigma^2)^-1, [row][column].
    static func negativePrecision(
        of covariance: [[Double]], signalVariance: Double, noiseVariance: Double
    ) -> [[Double]] {
        let (values, vectors) = spectrum(of: covariance)
        let inverses = values.map { -1 / (signalVariance * $0 + noiseVariance) }
        let axes = covariance.indices
        return axes.map { i in
            axes.map { j in axes.reduce(0) { $0 + vectors[i][$1] * inverses[$1] * vectors[j][$1] } }
        }
    }

    private static func spectrum(of matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
        let count = matrix.count
        var a = matrix
        var v = (0..<count).map { i in (0..<count).map { $0 == i ? 1.0 : 0.0 } }
        for _ in 0..<60 {
            var rotated = false
            for p in 0..<count - 1 {
                for q in (p + 1)..<count {
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
        return ((0..<count).map { a[$0][$0] }, v)
    }
}
