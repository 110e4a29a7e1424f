package import RunFolder
import VectorMath

/// Which points a run keeps of chains on their way: those of the first chains of each block, as they leave some levels.
package struct TraceSettings: Sendable, Equatable {
    /// The most chains of a block whose points are kept.
    private static let mostChains = 8

    /// Noise levels, the noisiest first, each of them one that chains visit.
    package let levels: [Int]
    /// Chains of each block.
    package let chains: Int
    /// Of a point.
    let shape: [Int]

    /// - Parameters:
    ///   - levels: noise levels, in any order.
    ///   - chains: of a block that is full.
    ///   - shape: of a point.
    package init(levels: [Int], chains: Int, shape: [Int]) {
        self.levels = levels.sorted(by: >)
        self.chains = min(chains, Self.mostChains)
        self.shape = shape
    }

    /// What the numbers of a block are of.
    package var axis: RunStatistic.Axis { .trace(chains: chains, levels: levels.count, shape: shape) }

    /// Numbers that a block keeps at each level.
    var numbersPerLevel: Int { chains * shape.reduce(1, *) }

    /// At how many of the levels annealing is over at a place.
    func levelsDone(at place: BlockPlace, of plan: SamplingPlan) -> Int {
        let isOver = place.transitions >= plan.annealingTransitions(at: place.level)
        return levels.count { $0 > place.level || $0 == place.level && isOver }
    }
}

/// The points that a block has kept of its chains on their way.
struct ChainTrace: Sendable, Equatable {
    let settings: TraceSettings
    /// [levels done, chains, dimension], the noisiest level first.
    private(set) var points: [Float]

    init(_ settings: TraceSettings, points: [Float] = []) {
        (self.settings, self.points) = (settings, points)
    }

    /// Keeps the points where chains stand, [dimension][lanes], if annealing has just come to its end at one of the levels.
    mutating func keep(_ position: LaneMatrix, at place: BlockPlace, of plan: SamplingPlan) {
        guard settings.levelsDone(at: place, of: plan) * settings.numbersPerLevel > points.count else { return }
        for lane in 0..<settings.chains {
            for row in 0..<position.rows { points.append(Float(position[row, lane])) }
        }
    }

    /// As they are written, [chains, levels, dimension]; NaN for chains that only pad the block, from `count` on.
    func ofFirst(_ count: Int) -> [Float] {
        let size = settings.numbersPerLevel / settings.chains
        return (0..<settings.chains).flatMap { chain in
            settings.levels.indices.flatMap { level in
                let start = level * settings.numbersPerLevel + chain * size
                return chain < count ? points[start..<start + size] : ArraySlice(repeating: .nan, count: size)
            }
        }
    }
}
