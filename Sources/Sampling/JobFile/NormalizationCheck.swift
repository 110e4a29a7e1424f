import Composition
import EnergyModels
import Sampling
import StrictJSON

extension Job {
    /// Why the target has no finite integral at a level that chains visit; nil if nothing tells so.
    ///
    /// What is told is certain. It is not told of a target that subtracts a mixture of unlike widths, or has such a
    /// mixture beside a Gaussian with correlations, if it falls along every axis and rises only in between; nor of
    /// networks whose energies rise where they saw no data.
    var normalizationProblem: String? {
        guard target.subtracts else { return nil }
        let tails = models.filter { target.leaves.contains($0.key) }.mapValues(\.tail)
        let walled = tails.filter { boxes[$0.key] == nil }
        for level in probedLevels {
            // Without noise a box has density within its walls alone.
            let tails = level.noise > 0 ? tails : walled
            guard let rise = target.tail(of: tails.mapValues { $0(level) })?.rise else { continue }
            let place =
                switch rise {
                case .axis(let axis): "along axis \(axis)"
                case .betweenAxes: "in a direction between the axes"
                }
            // Six digits: sums such as 0.7 - 1 should read as they were meant.
            let weight = (target.totalWeight * 1e6).rounded() / 1e6
            return "can't be normalised: its total weight is \(JSONText.number(weight).canonical), and at level "
                + "\(level.index) its log density does not fall far out \(place); put \"bounded\" around it, use smaller "
                + "negative weights, or add \"allow_unnormalized\": true to the job"
        }
        return nil
    }
}

extension Job {
    /// The levels at which tails are looked at: up to 128 of those that chains visit, the first and the last among
    /// them, and fewer for targets of many parts and dimensions. From level to level tails change little.
    private var probedLevels: [NoiseLevel] {
        let schedule = NoiseSchedule(schedule)
        let below = sampler.refinement.map { schedule.refinement(levels: $0.levels) } ?? []
        let visited =
            below.reversed() + (sampler.reverseSteps ? schedule.levels : Array(schedule.levels[sampler.levels]))
        let parts = models.values.reduce(target.occurrences) { $0 + $1.parts }
        // A covariance costs the square of the dimensions.
        let perPart = models.values.contains(where: \.isCorrelated) ? dimension * dimension : dimension
        let count = min(visited.count, max(2, min(128, 2_000_000 / parts / perPart)))
        guard count > 1 else { return [visited[0]] }
        return (0..<count).map { visited[$0 * (visited.count - 1) / (count - 1)] }
    }
}

extension JobModel {
    fileprivate var parts: Int {
        if case .analytic(let density) = self { density.parts } else { 1 }
    }

    fileprivate var isCorrelated: Bool {
        if case .analytic(.gaussian) = self { true } else { false }
    }

    /// The tail at a noise level. What a network was trained on, or a server knows, is taken to lie within bounds.
    fileprivate var tail: (NoiseLevel) -> TailForm {
        switch self {
        case .analytic(let density): density.tail
        case .network, .server: { TailForm(precision: 1 / $0.noiseVariance, dimension: shape.dimension) }
        }
    }
}
