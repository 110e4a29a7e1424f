import JobFile
import RunFolder
import Sampling

/// What the numbers of a job's results can be. Workers are not believed: what no block can come to is not kept.
struct ResultLimits {
    private let sampler: SamplerSettings
    private let levels: Int
    private let roundTrips: Int
    /// Of a chain.
    private let evaluations: Double
    /// Of a chain: every proposal, and every draw that could not be denoised.
    private let divergences: Double
    /// Steps that a block may have behind it.
    let steps: Double
    /// Bytes of what a block has come to.
    let stateBytes: Int

    init(_ job: Job) {
        (sampler, levels) = (job.sampler, job.levels)
        roundTrips = (job.draws - 1) * job.thin
        evaluations = job.sampler.mostEvaluations(levels: job.levels, draws: job.draws, thin: job.thin)
        divergences = job.sampler.mostProposals(draws: job.draws, thin: job.thin) + Double(job.draws)
        steps = job.sampler.mostSteps(levels: job.levels, draws: job.draws, thin: job.thin)
        stateBytes = job.mostStateBytes
    }

    /// What is impossible about the rows of one block, whose sizes are right; nil if nothing is.
    func problem(in record: BlockRecord, of run: RunDescription) -> String? {
        let most = evaluations * Double(record.chains)
        guard Double(record.gradientEvaluations) <= most else {
            return "\(record.gradientEvaluations) gradient evaluations, of at most \(most)"
        }
        // A chain is double and the file is float32, so a sample may be infinite.
        guard record.samples.holdsOnly(Float.self, where: { $0 == $0 }) else { return "a sample that is not a number" }
        for (statistic, rows) in zip(run.statistics, record.statistics)
        where !isPossible(statistic.name, rows, chains: record.chains) {
            return "a number of \(statistic.name) that no block comes to"
        }
        return nil
    }

    private func isPossible(_ name: String, _ rows: [UInt8], chains: Int) -> Bool {
        // Rounding may take a size that is the number of chains a little beyond it.
        let size = 0...Float(chains) * 1.0001
        let (floor, ceiling) = (-Double.infinity, Double.greatestFiniteMagnitude)
        return switch name {
        case "acceptance":
            isTable(rows, of: Float.self, within: 0...1, isWhole: sampler.kind != .reverse) { $0 != $0 }
        case "divergences":
            rows.holdsOnly(Int32.self) { Double($0) <= divergences }
        case "log_weight", "log_normalizer":
            rows.holdsOnly(Double.self) { $0 >= floor && $0 <= ceiling }
        case "effective_size":
            isTable(rows, of: Float.self, within: size) { $0 != $0 }
        case "ancestors", "parents":
            isTable(rows, of: Int32.self, within: 1...Int32(clamping: chains)) { $0 == 0 }
        case "level_log_normalizer":
            isTable(rows, of: Double.self, within: floor...ceiling) { $0 != $0 }
        case "step_size":
            isTable(rows, of: Double.self, within: SamplerSettings.findableStepSizes) { $0 != $0 }
        case "round_trips":
            rows.holdsOnly(Int32.self) { $0 <= roundTrips }
        case "swap_acceptance":
            rows.holdsOnly(Float.self) { $0 >= 0 && $0 <= 1 || $0 != $0 }
        case "refinement_acceptance":
            rows.holdsOnly(Float.self) { $0 >= 0 && $0 <= 1 }
        case "refinement_effective_size":
            rows.holdsOnly(Float.self) { size.contains($0) }
        default:
            // A log density may be anything, also where an energy overflows.
            true
        }
    }

    /// Whether a table with a column for each level is within a range at the levels that get transitions, and elsewhere
    /// either that or what stands for nothing.
    ///
    /// - Parameter isWhole: false if the levels that get transitions are none.
    private func isTable<Number: BitwiseCopyable & Comparable>(
        _ rows: [UInt8], of type: Number.Type, within range: ClosedRange<Number>, isWhole: Bool = true,
        isNothing: (Number) -> Bool
    ) -> Bool {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard rows.holdsOnly(type, where: { $0 >= low && $0 <= high || isNothing($0) }) else { return false }
        guard isWhole else { return true }
        let count = rows.count / MemoryLayout<Number>.size
        return stride(from: 0, to: count, by: levels).allSatisfy { row in
            rows.holdsOnly(type, in: row + sampler.levels.lowerBound..<row + sampler.levels.upperBound + 1) {
                $0 >= low && $0 <= high
            }
        }
    }
}

extension [UInt8] {
    /// Whether a condition holds for all the numbers that little-endian bytes stand for, or for some of them.
    ///
    /// All are looked at, whatever comes of the first, so that the processor can take many at a time: this is as fast as
    /// memory.
    @inline(__always)
    fileprivate func holdsOnly<Number: BitwiseCopyable>(
        _ type: Number.Type, in range: Range<Int>? = nil, where condition: (Number) -> Bool
    ) -> Bool {
        let size = MemoryLayout<Number>.size
        let range = range ?? 0..<count / size
        return withUnsafeBytes { bytes in
            var wrong: UInt32 = 0
            for index in range {
                let number = bytes.loadUnaligned(fromByteOffset: index * size, as: Number.self)
                wrong |= condition(number) ? 0 : 1
            }
            return wrong == 0
        }
    }
}
