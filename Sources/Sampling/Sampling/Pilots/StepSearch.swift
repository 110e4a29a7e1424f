import VectorMath

/// A search for the step size with which a target part of a block's proposals is accepted at one level.
///
/// The same chains with the same random numbers are tried with one step size after another: so acceptance falls with
/// the step size with little noise. It need not fall all the way: a leapfrog path of a few steps may come back to where
/// it began. So the search comes from below, near the target in factors of at most 5/4, and ends where acceptance first falls to the
/// target; within that bracket the log odds of acceptance are taken for a straight line over the logarithm of the step
/// size (regula falsi).
struct StepSearch {
    /// The step sizes that are tried.
    static let range = 1e-15...1e12
    /// What a search that follows another on the level above begins with, in steps of that one.
    static let caution = 0.8
    /// Trials after which the best guess so far is taken.
    static let mostTrials = 48
    /// A trial this close to the target, in log odds, leads to the answer by one more interpolation.
    private static let tolerance = 0.1

    private struct Trial {
        let logStep: Double
        /// The log odds of acceptance, less those of the target.
        let excess: Double
    }

    private let targetOdds: Double
    private let least: Double
    /// The trials with acceptance above and below the target that are next to it.
    private var above: Trial?
    private var below: Trial?
    private var trials = 0
    private(set) var logStep: Double

    /// - Parameters:
    ///   - start: the step size to try first.
    ///   - decisions: how many proposals a trial makes.
    init(target: Double, start: Double, decisions: Int) {
        targetOdds = Self.logOdds(target)
        // Half a decision keeps the odds finite.
        least = 0.5 / Double(decisions)
        logStep = Elementary.log(min(max(start, Self.range.lowerBound), Self.range.upperBound))
    }

    /// The step size to try, or the answer once ``take(acceptance:)`` has said so.
    var stepSize: Double { Elementary.exp(logStep) }

    /// Takes in the mean probability of acceptance with ``stepSize``, and chooses another.
    ///
    /// - Returns: whether that is the answer, which need not be tried.
    mutating func take(acceptance: Double) -> Bool {
        trials += 1
        let excess = Self.logOdds(min(max(acceptance, least), 1 - least)) - targetOdds
        let trial = Trial(logStep: logStep, excess: excess)
        if excess >= 0 { above = trial } else { below = trial }
        let (low, high) = (Elementary.log(Self.range.lowerBound), Elementary.log(Self.range.upperBound))
        guard let above, let below else {
            // Never so little that the target would be neared for ever; a long way below, without care.
            let factor =
                excess < 0 ? max(excess, -0.693) - 0.1 : excess > 3 ? 0.693 : min(max(excess / 2, 0.1), 0.223)
            logStep = min(max(logStep + factor, low), high)
            return trials >= Self.mostTrials || logStep == trial.logStep
        }
        let part = above.excess / (above.excess - below.excess)
        // Not too close to either end: a kink in the curve would hold the search up there.
        let isClose = min(above.excess, -below.excess) < Self.tolerance
        let chosen = isClose ? part : min(max(part, 0.1), 0.9)
        logStep = above.logStep + chosen * (below.logStep - above.logStep)
        return isClose || trials >= Self.mostTrials
    }

    private static func logOdds(_ part: Double) -> Double { Elementary.log(part / (1 - part)) }
}
