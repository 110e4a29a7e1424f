package import EnergyModels
import VectorMath

/// A block of chains that looks for a step size at every level on its way down.
///
/// Having entered a level it makes the level's transitions again and again from the same state, with the same random
/// numbers and other step sizes (``StepSearch``), and goes on with those made with the step size that it has found. So at
/// every level acceptance is measured on chains that came down as those of the job will.
package struct PilotBlock: RunnableBlock {
    /// Where the block stood when the last level was done: what a checkpoint holds.
    private var done: ChainBlock
    /// Transitions of trials that were given up, up to there and since.
    private var discarded: (done: Int, since: Int) = (0, 0)
    /// On its way through a level.
    private var block: ChainBlock
    /// The level just entered and the search there; nil between two levels.
    private var trial: (entered: ChainBlock, search: StepSearch, isFound: Bool)?
    private let chains: Int
    private let tuning: TuningSettings

    /// A block whose first chain is `index` times the number of lanes, of a plan with tuning and a single draw.
    ///
    /// - Parameter chains: how many chains count.
    package init(plan: SamplingPlan, index: Int, chains: Int) {
        guard let tuning = plan.settings.tuning, plan.draws == 1 else {
            preconditionFailure("a pilot block is of a plan with tuning and a single draw")
        }
        block = ChainBlock(plan: plan, index: index, chains: chains)
        done = block
        self.chains = chains
        self.tuning = tuning
    }

    /// A block that goes on where ``checkpoint()`` of a block of the same plan, number and chains was taken.
    ///
    /// - Throws: ``BlockCheckpointError`` if the bytes are no such checkpoint, whole and undamaged.
    package init(plan: SamplingPlan, index: Int, chains: Int, resuming bytes: [UInt8]) throws(BlockCheckpointError) {
        self.init(plan: plan, index: index, chains: chains)
        let levels = plan.schedule.levels.count
        let tail = bytes.count - 8 * (levels + 2)
        guard tail > 0 else { throw .noCheckpoint }
        let words = (0..<levels + 2).map { word in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[tail + 8 * word + $1]) << UInt64(8 * $1) }
        }
        guard words[levels + 1] == BlockCheckpoint.checksum(of: bytes[..<(bytes.count - 8)]) else { throw .damaged }
        let most = UInt64(StepSearch.mostTrials * plan.units)
        guard words[levels] <= most else {
            throw .outOfRange(field: "transitions given up", found: words[levels], most: Int(most))
        }
        let steps = words[..<levels].map { Double(bitPattern: $0) }
        guard steps.allSatisfy({ $0.isNaN || ($0.isFinite && $0 > 0) }) else { throw .damaged }
        discarded.done = Int(words[levels])
        done = try ChainBlock(plan: plan, index: index, chains: chains, resuming: Array(bytes[..<tail]))
        done.plan.stepSizes = steps
        block = done
    }

    /// Levels done so far, of ``steps``.
    package var stepsDone: Int { done.plan.firstLevel + 1 - done.level }

    /// The number of levels; how many times ``advance()`` does something for each is not known beforehand.
    package var steps: Int { done.plan.firstLevel - done.plan.lastLevel + 1 }

    /// Fraction of proposals accepted by the trial at hand or the last, over the first `chains` chains; nil where there
    /// were none.
    package func latestAcceptance(chains: Int) -> Double? { block.latestAcceptance(chains: chains) }

    /// Enters a level, or makes a transition of a trial there.
    ///
    /// - Returns: false, without doing anything, when the block is finished.
    /// - Throws: ``EvaluationError``, with the block as it was before.
    package mutating func advance() throws(EvaluationError) -> Bool {
        // On bridges to a level the steps there count as well; until they are found, a guess does.
        if trial == nil, block.plan.settings.population.map({ $0.bridges > 0 }) == true, stepsDone < steps {
            block.plan.stepSizes[block.level - 1] = start(at: block.level - 1)
        }
        guard try block.advance() else { return false }
        let level = block.level
        let transitions = block.plan.transitions(at: level)
        guard let trial else {
            guard transitions > 0 else {
                finishLevel()
                return true
            }
            block.countAcceptanceProbabilities()
            attempt(
                StepSearch(
                    target: tuning.targetAcceptance, start: start(at: level), decisions: transitions * chains),
                from: block, isFound: false)
            return true
        }
        guard block.transitionsAtLevel == transitions else { return true }
        if trial.isFound {
            finishLevel()
        } else {
            var search = trial.search
            let isFound = search.take(acceptance: block.meanAcceptanceProbability(chains: chains))
            discarded.since += transitions
            attempt(search, from: trial.entered, isFound: isFound)
        }
        return true
    }

    private mutating func attempt(_ search: StepSearch, from entered: ChainBlock, isFound: Bool) {
        trial = (entered, search, isFound)
        block = entered
        block.plan.stepSizes[block.level] = search.stepSize
    }

    private mutating func finishLevel() {
        trial = nil
        done = block
        discarded = (discarded.done + discarded.since, 0)
    }

    /// The step size of the level before, or where there is none a guess by the noise.
    private func start(at level: Int) -> Double {
        let before = level + 1 < block.plan.stepSizes.count ? block.plan.stepSizes[level + 1] : .nan
        let noise = block.plan.schedule.levels[level].noise
        guard !before.isFinite else { return StepSearch.caution * before }
        return block.plan.settings.kind.isHamiltonian ? 0.5 * noise * block.plan.masses[level] : 0.25 * noise * noise
    }

    /// All that ``init(plan:index:chains:resuming:)`` needs to go on from the last level that is done: the checkpoint of
    /// the chains there, then little-endian the step sizes [levels] (Float64), the transitions given up (UInt64) and the
    /// checksum of all before.
    package func checkpoint() -> [UInt8] {
        var bytes = done.checkpoint()
        func append(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        for step in done.plan.stepSizes { append(step.bitPattern) }
        append(UInt64(discarded.done))
        append(BlockCheckpoint.checksum(of: bytes[...]))
        return bytes
    }

    /// 0: a pilot block has no draw before its end.
    package var settledBytes: Int { 0 }

    /// What the block leaves, with its step sizes; its evaluations include those of the trials.
    package func result(chains: Int) -> BlockResult {
        var result = block.result(chains: chains)
        result.gradientEvaluations +=
            (discarded.done + discarded.since) * block.plan.settings.evaluationsPerTransition * chains
        return result
    }
}
