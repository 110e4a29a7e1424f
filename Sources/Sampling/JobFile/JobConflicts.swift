import Composition
import EnergyModels
import Pictures
import RunFolder
import Sampling

extension Job {
    /// Parts of a job that can't go together.
    struct Conflict {
        /// The keys that lead to the part to blame, from the job down.
        let place: [String]
        /// What is wrong and what to do.
        let problem: String
    }

    /// What no part of the job can tell alone, at most one conflict for each of its keys.
    var conflicts: [Conflict] {
        var conflicts: [Conflict] = []
        for rule in rules where !conflicts.contains(where: { $0.place[0] == rule.place[0] }) {
            if let problem = rule.problem() { conflicts.append(Conflict(place: rule.place, problem: problem)) }
        }
        return conflicts
    }

    /// A place to blame, and what is wrong there, if anything is.
    private struct Rule {
        let place: [String]
        let problem: () -> String?

        init(_ place: String..., problem: @autoclosure @escaping () -> String?) {
            (self.place, self.problem) = (place, problem)
        }

        init(
            _ place: String..., forbids condition: @autoclosure @escaping () -> Bool,
            _ problem: @autoclosure @escaping () -> String
        ) {
            (self.place, self.problem) = (place, { condition() ? problem() : nil })
        }
    }

    private var rules: [Rule] {
        targetRules + samplerRules + refinementRules + lengthRules + outputRules
    }

    private var targetRules: [Rule] {
        [
            Rule("target", problem: allowsUnnormalized ? nil : normalizationProblem),
            Rule(
                "target", forbids: !sampler.denoise && boxesOfDraws.contains { $0.axisWithoutFloats != nil },
                "draws are float32, of which none lies within a box of the target along axis "
                    + "\(boxesOfDraws.lazy.compactMap(\.axisWithoutFloats).first ?? 0); make the box wider, or shift or "
                    + "scale the coordinates"),
            Rule(
                "target", forbids: target.componentToEstimate != nil && sampler.kernel == .reverse,
                "normalisers are estimated by the transitions of the sampler, and reverse makes none; give numbers, or "
                    + "use another sampler"),
        ]
    }

    private var samplerRules: [Rule] {
        let conflict = sampler.conflict(hasEnergy: hasEnergy, draws: draws)
        let rounds = (draws - 1) * thin
        return [
            Rule("sampler", conflict?.option.rawValue ?? "", problem: conflict?.description),
            Rule(
                "sampler", "acceptance",
                forbids: sampler.kernel.acceptance?.needsEnergy == false && target.hasBoundsWithinMixture,
                "the score does not tell how the target jumps at the walls of a bounded part of a mixture; put the "
                    + "bounds around the mixture, or write \"energy\""),
            Rule(
                "sampler", "start", forbids: sampler.start == .target && !(target.totalWeight > 0),
                "the target's weights add up to \(target.totalWeight), so that it is no Gaussian where there is nothing "
                    + "but noise; leave it out"),
            Rule("sampler", "mass", problem: massProblem),
            Rule("sampler", "step_size", problem: stepSizeProblem),
            Rule("sampler", "refine", problem: refinedStepSizeProblem),
            Rule(
                "sampler", "exchange", forbids: sampler.exchange.map { $0.every > rounds } ?? false,
                "there are \(rounds) rounds, draws less one times thin, so that one every "
                    + "\(sampler.exchange?.every ?? 0) never comes; make every smaller"),
            Rule(
                "pilot", forbids: isPilot && (sampler.tuning == nil || draws > 1 || sampler.refinement != nil),
                "a pilot looks for step sizes, so that it needs \"step_size\": \"tuned\", and keeps a single draw at the "
                    + "last level"),
        ]
    }

    /// Why chains can't be refined below level 0, to the target's density without noise.
    private var refinementRules: [Rule] {
        guard sampler.refinement != nil else { return [] }
        let boxes = boxes
        let learned = target.leaves.sorted().filter { if case .analytic = models[$0] { false } else { true } }
        let subtracted = target.subtractedLeaves.sorted().filter { boxes[$0] != nil }
        return [
            Rule(
                "sampler", "refine", forbids: !learned.isEmpty,
                "\"\(learned[0])\" is a \(models[learned[0]]?.isServed == true ? "server" : "network"), which knows no level "
                    + "below 0; leave it out, or use \"denoise\""),
            Rule(
                "sampler", "refine", forbids: target.hasSharpenedMixture,
                "a mixture with \"sharpness\" has no density without noise; leave out one of the two"),
            Rule(
                "sampler", "refine", forbids: target.hasLevelNormalizers,
                "normalisers that are estimated, or given per level, are not known below level 0; give one number for "
                    + "each, or leave it out"),
            Rule(
                "sampler", "refine", forbids: !subtracted.isEmpty,
                "\"\(subtracted[0])\" is subtracted, and minus infinity outside of a box without noise would become "
                    + "plus infinity; leave one of the two out"),
            Rule(
                "sampler", "refine", forbids: target.bounds(ofModels: boxes)?.isEmpty == true,
                "the boxes of the target have nothing in common, so without noise it has no density anywhere"),
            Rule(
                "sampler", "refine",
                forbids: sampler.kernel.acceptance?.needsEnergy != true
                    && target.hasBoundsWithinMixture(ofModels: boxes),
                "the score does not tell how the target jumps, without noise, at the walls of a box in a mixture; use "
                    + "mala or hmc with \"acceptance\": \"energy\", or leave it out"),
        ]
    }

    /// What makes the job too long or too large.
    private var lengthRules: [Rule] {
        let replicas = sampler.exchange?.levels.count ?? 1
        let transitions =
            max(sampler.transitions, sampler.refinement?.transitions ?? 0) + (draws - 1) * thin * replicas
        return [
            Rule(
                "draws",
                forbids: draws > 1
                    && (sampler.kernel == .reverse || sampler.reverseSteps && sampler.levels.lowerBound > 0),
                "more than one draw needs transitions at the level where chains end; use 1 draw, or let levels begin at 0"
            ),
            Rule(
                "draws", forbids: transitions >= 1 << 31,
                "draws times thin\(replicas > 1 ? " times replicas" : "") is \(transitions) transitions; stay below "
                    + "2147483648"),
            Rule("chains", problem: weightedChainsProblem),
            Rule("block", problem: blockSizeProblem),
            Rule("sampler", problem: preliminaryProblem),
        ]
    }

    private var outputRules: [Rule] {
        [Rule("output", "grid", problem: gridProblem), Rule("output", "trace", problem: traceProblem)]
    }

    /// The most bytes of a block's points that are kept on the way.
    private static let mostTraceBytes = 16 << 20

    /// Why the points of the levels that were asked for can't be kept.
    private var traceProblem: String? {
        let visited = sampler.reverseSteps ? 0...levels - 1 : sampler.levels
        if let level = trace.first(where: { !visited.contains($0) }) {
            return "chains don't come to level \(level); take some of \(visited.lowerBound) to \(visited.upperBound)"
        }
        guard let size = traceSettings.map({ 4 * $0.axis.count }), size > Self.mostTraceBytes else { return nil }
        return "the points of a block at \(trace.count) levels would take \(size) bytes, more than "
            + "\(Self.mostTraceBytes); keep those of fewer levels"
    }

    /// Why there is no picture with the rows and columns that were asked for.
    private var gridProblem: String? {
        guard let grid, SheetLayout(grid, shape: shape.lengths) == nil else { return nil }
        guard shape.lengths.count == 3, [1, 3].contains(shape.lengths[0]) else {
            return "points have the shape \(shape), and a grid is of images, [channels, height, width] with 1 or 3 "
                + "channels; leave it out"
        }
        return "\(grid.rows) x \(grid.columns) pictures of \(shape.lengths[1]) x \(shape.lengths[2]) make more than "
            + "\(SheetLayout.mostPixels) pixels, or a side of more than \(SheetLayout.mostSide); ask for fewer rows or "
            + "columns"
    }
}
