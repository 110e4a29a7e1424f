import Composition
import Sampling

extension Job {
    /// Why chains can't be refined below level 0, to the target's density without noise; nil if they can, or are not.
    var refinementProblem: String? {
        guard sampler.refinement != nil else { return nil }
        if let conflict = sampler.refinementConflict { return conflict.description }
        for name in target.leaves.sorted() {
            if case .network = models[name] {
                return "\"\(name)\" is a network, which knows no level below 0; leave it out, or use \"denoise\""
            }
        }
        if target.hasSharpenedMixture {
            return "a mixture with \"sharpness\" has no density without noise; leave out one of the two"
        }
        if target.hasLevelNormalizers {
            return
                "normalisers that are estimated, or given per level, are not known below level 0; give one number for "
                + "each, or leave it out"
        }
        let boxes = boxes
        if let name = target.subtractedLeaves.sorted().first(where: { boxes[$0] != nil }) {
            return "\"\(name)\" is subtracted, and minus infinity outside of a box without noise would become plus "
                + "infinity; leave one of the two out"
        }
        if target.bounds(ofModels: boxes)?.isEmpty == true {
            return "the boxes of the target have nothing in common, so without noise it has no density anywhere"
        }
        let goesByScores = !sampler.kind.isAdjusted || !sampler.acceptance.needsEnergy
        if goesByScores, target.hasBoundsWithinMixture(ofModels: boxes) {
            return
                "the score does not tell how the target jumps, without noise, at the walls of a box in a mixture; use "
                + "mala or hmc with \"acceptance\": \"energy\", or leave it out"
        }
        return nil
    }
}
