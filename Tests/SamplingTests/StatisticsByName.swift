import RunFolder
import Sampling

/// The statistics of a block by their names.
extension BlockResult {
    var acceptance: [Float] { statistics.values(of: "acceptance") }
    var logDensity: [Double] { statistics.values(of: "log_density") }
    var divergences: [Int32] { statistics.values(of: "divergences") }
    var logWeights: [Double] { statistics.values(of: "log_weight") }
    var effectiveSizes: [Float] { statistics.values(of: "effective_size") }
    var ancestors: [Int32] { statistics.values(of: "ancestors") }
    var parents: [Int32] { statistics.values(of: "parents") }
    var logNormalizers: [Double] { statistics.values(of: "level_log_normalizer") }
    var logNormalizer: Double { statistics.values(of: "log_normalizer", as: Double.self).first ?? .nan }
    var stepSizes: [Double] { statistics.values(of: "step_size") }
    var roundTrips: [Int32] { statistics.values(of: "round_trips") }
    var swapAcceptance: [Float] { statistics.values(of: "swap_acceptance") }
    var refinementAcceptance: [Float] { statistics.values(of: "refinement_acceptance") }
    var refinementEffectiveSizes: [Float] { statistics.values(of: "refinement_effective_size") }
}

/// Equality of all bits, NaN included.
func sameBits(_ one: BlockResult, _ other: BlockResult) -> Bool {
    one.sampleBytes == other.sampleBytes && one.statistics == other.statistics
        && one.gradientEvaluations == other.gradientEvaluations
}
