import EnergyModels
import VectorMath

/// A block of chains that looks for a step size at every level on its way down.
///
/// Having entered a level it makes the level's transitions again and again from the same state, with the same random
/// numbers and other step sizes (``StepSearch``), and goes on with those made with the step size that it has found. So at
/// every level acceptance is measured on chains that came down as those of the job will.
public struct PilotBlock: RunnableBlock {
    private var block: ChainBlock
    private let chains: Int
    private let tuning: TuningSettings
    /// Transitions of trials that were given up.
    private var discarded = 0

    /// A block whose first chain is `index` times the number of lanes, of a plan with tuning and a single draw.
    ///
    /// - Parameter chains: how many chains count.
    public init(plan: SamplingPlan, index: Int, chains: Int) {
        guard let tuning = plan.settings.tuning, plan.draws == 1 else {
            preconditionFailure("a pilot block is of a plan with tuning and a single draw")
        }
        block = ChainBlock(plan: plan, index: index, chains: chains)
        block.countAcceptanceProbabilities()
        self.chains = chains
        self.tuning = tuning
    }

    /// A block that goes on where ``checkpoint()`` of a block of the same plan, number and chains was taken.
    ///
    /// - Throws: ``BlockCheckpointError`` if the bytes are no such checkpoint, whole and undamaged.
    public init(plan: SamplingPlan, index: Int, chains: Int, resuming bytes: [UInt8]) throws(BlockCheckpointError) {
        self.init(plan: plan, index: index, chains: chains)
        let levels = plan.schedule.levels.count
        let tail = bytes.count - 8 * (levels + 2)
        guard tail > 0 else { throw .noCheckpoint }
        let words = (0..<levels + 2).map { word in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[tail + 8 * word + $1]) << UInt64(8 * $1) }
        }
        guard words[levels + 1] == BlockCheckpoint.checksum(of: bytes[..<(bytes.count - 8)]),
            let discarded = Int(exactly: words[levels])
        else { throw .damaged }
        self.discarded = discarded
        block = try ChainBlock(plan: plan, index: index, chains: chains, resuming: Array(bytes[..<tail]))
        block.countAcceptanceProbabilities()
        block.plan.stepSizes = words[..<levels].map { Double(bitPattern: $0) }
    }

    /// Levels entered so far, of ``steps``.
    public var stepsDone: Int { block.plan.firstLevel + 1 - block.level }

    /// How many times ``advance()`` does something: once per level.
    public var steps: Int { block.plan.firstLevel - block.plan.lastLevel + 1 }

    /// Fraction of proposals accepted at the level just done, over the first
    /// `chains` chains; nil where there were none.
    public func latestAcceptance(chains: Int) -> Double? { block.latestAcceptance(chains: chains) }

    /// Enters a level, finds its step size and makes its transitions.
    ///
    /// - Returns: false, without doing anything, when the block is finished.
    public mutating func advance() -> Bool {
        guard block.advance() else { return false }
        let level = block.level
        let transitions = block.plan.transitions(at: level)
        guard transitions > 0 else { return true }
        block.countAcceptanceProbabilities()
        let entered = block
        var search = StepSearch(
            target: tuning.targetAcceptance, start: start(at: level), decisions: transitions * chains)
        while true {
            block.plan.stepSizes[level] = search.stepSize
            for _ in 0..<transitions { _ = block.advance() }
            let isFound = search.take(acceptance: block.meanAcceptanceProbability(chains: chains))
            block = entered
            discarded += transitions
            if isFound { break }
        }
        block.plan.stepSizes[level] = search.stepSize
        for _ in 0..<transitions { _ = block.advance() }
        return true
    }

    /// The step size of the level before, or where there is none a guess by the noise.
    private func start(at level: Int) -> Double {
        let before = level + 1 < block.plan.stepSizes.count ? block.plan.stepSizes[level + 1] : .nan
        let noise = block.plan.schedule.levels[level].noise
        guard !before.isFinite else { return StepSearch.caution * before }
        return block.plan.settings.kind.isHamiltonian ? 0.5 * noise * block.plan.masses[level] : 0.25 * noise * noise
    }

    /// All that ``init(plan:index:chains:resuming:)`` needs to go on from here: the checkpoint of the chains, then
    /// little-endian the step sizes [levels] (Float64), the transitions given up (UInt64) and the checksum of all before.
    public func checkpoint() -> [UInt8] {
        var bytes = block.checkpoint()
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        for step in block.plan.stepSizes { append(step.bitPattern) }
        append(UInt64(discarded))
        append(BlockCheckpoint.checksum(of: bytes[...]))
        return bytes
    }

    /// What the block leaves, with its step sizes; its evaluations include those of the trials.
    public func result(chains: Int) -> BlockResult {
        var result = block.result(chains: chains)
        result.stepSizes = block.plan.stepSizes
        result.gradientEvaluations += discarded * block.plan.settings.evaluationsPerTransition * chains
        return result
    }
}
