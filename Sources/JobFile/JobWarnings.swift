import Composition
import Sampling

extension Job {
    /// What the job itself gives reason to doubt in its samples, a sentence each; it may be run all the same.
    public var warnings: [String] { [normalizerWarning, gapWarning].compactMap { $0 } }

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
        }
    }
}
