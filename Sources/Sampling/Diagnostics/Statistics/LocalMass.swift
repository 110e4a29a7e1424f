import VectorMath

/// How many samples lie where the target has, beside the others, far less mass than so many samples say.
///
/// A sample and its k nearest neighbours are (k + 1)/n of the samples. The region that they fill has a volume that goes with the
/// root of their covariance's determinant, be it round, a slab or a thread; the target's mass there is this volume times the mean
/// of its density, for which the harmonic mean over them stands: over a sample of the density itself the mean of 1/p is the volume
/// over the mass (Newton and Raftery 1994). The ratio of the two is nearly the same everywhere, up to noise, where samples have the
/// target's distribution, whatever the normaliser. Modes with too many chains show, which no comparison of chains among each
/// other does.
struct LocalMass {
    /// Neighbours of a sample that count: the noise of a ratio's logarithm is about 1/sqrt(k).
    static let neighbours = 16

    /// The part of the samples where the ratio is more than `factor` times its median.
    let excess: Double

    /// Nil if no two samples differ.
    ///
    /// - Parameters:
    ///   - points: [samples][dimension], finite, more of them than ``neighbours``.
    ///   - logDensities: of each, finite, in nats, up to a constant.
    init?(points: [[Double]], logDensities: [Double], factor: Double) {
        precondition(points.count == logDensities.count && points.count > Self.neighbours)
        var ratios: [Double] = []
        for index in points.indices {
            let near = Self.nearest(to: index, among: points)
            let region = (near.map(\.index) + [index]).map { points[$0] }
            let spread = Self.determinant(Self.covariance(region))
            // Copies of one sample, as a population may leave, have no volume, but for rounding.
            guard let farthest = near.last, spread > 1e-12 * Self.power(farthest.square, region[0].count) else {
                continue
            }
            let least = near.reduce(logDensities[index]) { min($0, logDensities[$1.index]) }
            // Without the lowest density first: its inverse may be too large for a number.
            var inverses = Elementary.exp(least - logDensities[index])
            for other in near { inverses += Elementary.exp(least - logDensities[other.index]) }
            let mean = inverses / Double(near.count + 1)
            ratios.append(Elementary.log(mean) - least - 0.5 * Elementary.log(spread))
        }
        guard !ratios.isEmpty else { return nil }
        let median = ratios.sorted()[ratios.count / 2]
        excess = Double(ratios.count { $0 - median > Elementary.log(factor) }) / Double(points.count)
    }

    private static func power(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    /// [dimension][dimension].
    private static func covariance(_ points: [[Double]]) -> [[Double]] {
        let (count, axes) = (Double(points.count), points[0].indices)
        let centre = axes.map { axis in points.reduce(0) { $0 + $1[axis] } / count }
        return axes.map { a in
            axes.map { b in points.reduce(0) { $0 + ($1[a] - centre[a]) * ($1[b] - centre[b]) } / count }
        }
    }

    /// Of a symmetric matrix without negative eigenvalues: the product of what elimination leaves on the diagonal.
    private static func determinant(_ matrix: [[Double]]) -> Double {
        var (matrix, product) = (matrix, 1.0)
        for pivot in matrix.indices {
            product *= matrix[pivot][pivot]
            guard product > 0 else { return 0 }
            for row in matrix.indices.dropFirst(pivot + 1) {
                let factor = matrix[row][pivot] / matrix[pivot][pivot]
                for column in matrix.indices { matrix[row][column] -= factor * matrix[pivot][column] }
            }
        }
        return product
    }

    /// The nearest other points, from near to far, with their squared distances.
    private static func nearest(to index: Int, among points: [[Double]]) -> [(index: Int, square: Double)] {
        var near: [(index: Int, square: Double)] = []
        near.reserveCapacity(neighbours + 1)
        let point = points[index]
        for other in points.indices where other != index {
            var square = 0.0
            for axis in point.indices {
                let difference = point[axis] - points[other][axis]
                square += difference * difference
            }
            guard near.count < neighbours || square < near[neighbours - 1].square else { continue }
            if near.count == neighbours { near.removeLast() }
            let place = near.firstIndex { $0.square > square } ?? near.count
            near.insert((other, square), at: place)
        }
        return near
    }
}
