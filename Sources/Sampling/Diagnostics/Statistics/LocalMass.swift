import VectorMath

/// How many samples lie where the target has, beside the others, far less mass than so many samples say.
///
/// The mass that samples give to the ball through the k-th neighbour of one of them is k/n; that of the target is the ball's
/// volume times the mean of its density there, for which the harmonic mean over the neighbours stands: over a sample of the
/// density itself the mean of 1/p is the volume over the mass (Newton and Raftery 1994), and of other samples it is at least of the
/// right size. The ratio of the two is the same everywhere, up to noise, where samples have the target's distribution, whatever the
/// normaliser. Modes with too many chains show, which no comparison of chains among each other does.
struct LocalMass {
    /// Neighbours of a sample that count: the noise of a ratio's logarithm is about 1/sqrt(k).
    static let neighbours = 16

    /// The part of the samples where the ratio is more than `factor` times its median.
    let excess: Double

    /// Nil if no two samples differ, or a log density is not finite.
    ///
    /// - Parameters:
    ///   - points: [samples][dimension], finite, more of them than ``neighbours``.
    ///   - logDensities: of each, in nats, up to a constant.
    init?(points: [[Double]], logDensities: [Double], factor: Double) {
        precondition(points.count == logDensities.count && points.count > Self.neighbours)
        guard logDensities.allSatisfy(\.isFinite) else { return nil }
        let dimension = Double(points[0].count)
        var ratios: [Double] = []
        for index in points.indices {
            let near = Self.nearest(to: index, among: points)
            // Copies of one sample, as a population may leave, have no volume.
            guard let farthest = near.last, farthest.square > 0 else { continue }
            let least = near.reduce(logDensities[index]) { min($0, logDensities[$1.index]) }
            // Without the lowest density first: its inverse may be too large for a number.
            var inverses = Elementary.exp(least - logDensities[index])
            for other in near { inverses += Elementary.exp(least - logDensities[other.index]) }
            ratios.append(
                Elementary.log(inverses / Double(near.count + 1)) - least - dimension / 2
                    * Elementary.log(farthest.square))
        }
        guard !ratios.isEmpty else { return nil }
        let median = ratios.sorted()[ratios.count / 2]
        excess = Double(ratios.count { $0 - median > Elementary.log(factor) }) / Double(points.count)
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
