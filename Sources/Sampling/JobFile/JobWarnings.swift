import Composition
import EnergyModels
import Sampling

extension Job {
    /// What the job itself gives reason to doubt in its samples, a sentence each; it may be run all the same.
    package var warnings: [String] { [normalizerWarning, gapWarning, scaleWarning].compactMap { $0 } }

    private var normalizerWarning: String? {
        let components = target.componentsWithoutNormalizer {
            if case .analytic = models[$0] { true } else { false }
        }
        guard !components.isEmpty else { return nil }
        let names = components.map(\.operatorName)
        let list = names.count > 4 ? names.prefix(3) + ["\(names.count - 3) more"] : names[...]
        return
            "a mixture's weights are shifted by unknown constants: its components \(list.joined(separator: ", ")) are known "
            + "up to their normalisers, which \"log_normalizers\" takes for 0; give them there, or \"estimate\""
    }

    private var gapWarning: String? {
        let subtracted = target.subtractedLeaves
        guard sampler.refinement == nil,
            target.bounds(ofModels: boxes.filter { !subtracted.contains($0.key) })?.isEmpty == true
        else { return nil }
        return
            "the boxes of the target have nothing in common: without noise it has no density anywhere, and chains stand "
            + "in the gap between them, where there is nothing but noise"
    }
}

extension Job {
    /// Data that reach further than this are far from the size, about 1, that the noise levels are made for.
    private static let farthest = 8.0

    /// The noise is about 1 at the noisiest level, where chains start: on the way to data that are much larger, levels and
    /// steps are too few and too small, and no statistic of the chains tells.
    private var scaleWarning: String? {
        let far = models.sorted { $0.key < $1.key }.compactMap { name, model -> (name: String, reach: Double)? in
            guard case .analytic(let description) = model, description.reach > Self.farthest else { return nil }
            return (name, description.reach)
        }
        guard let first = far.first else { return nil }
        return
            "\"\(first.name)\" reaches out to \(Float(first.reach)), and the noise levels are made for data of a size of "
            + "about 1: chains may not get there; scale the coordinates"
    }
}

extension ModelDescription {
    /// How far from the origin, along some axis, the data lie: means and one standard deviation, or the corners.
    fileprivate var reach: Double {
        switch self {
        case .gaussian(let mean, let covariance):
            return zip(mean.values, covariance.indices)
                .map { abs($0) + max(0, covariance[$1][$1]).squareRoot() }.max() ?? 0
        case .independentGaussian(let mean, let deviations):
            return Self.reach(mean, deviations)
        case .gaussianMixture(let means, let deviations, _):
            return zip(means, deviations).map(Self.reach).max() ?? 0
        case .uniformBox(let low, let high):
            return (low.values + high.values).map { abs($0) }.max() ?? 0
        }
    }

    private static func reach(_ mean: PointArray, _ deviations: PointArray) -> Double {
        zip(mean.values, deviations.values).map { abs($0) + $1 }.max() ?? 0
    }
}

extension TargetExpression {
    /// A model by its name, an operator by what a job calls it.
    fileprivate var operatorName: String {
        switch self {
        case .leaf(let name): "\"\(name)\""
        case .product: "a product"
        case .mixture, .sharpenedMixture: "a mixture"
        case .negation: "a negation"
        case .guidance: "a guidance"
        case .classifier: "a classifier's guidance"
        case .tempered: "a tempering"
        case .bounded: "a bounded part"
        case .tapestry: "a tapestry"
        }
    }
}
