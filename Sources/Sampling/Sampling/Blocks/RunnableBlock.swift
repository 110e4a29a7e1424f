package import EnergyModels

/// A block of chains that is run step by step, and can be written down in between and taken up again elsewhere.
package protocol RunnableBlock {
    /// Steps done so far.
    var stepsDone: Int { get }
    /// Steps in all.
    var steps: Int { get }
    /// Fraction of proposals accepted so far at the level in progress or just done, over the first `chains` chains; nil
    /// where there were none.
    func latestAcceptance(chains: Int) -> Double?
    /// Makes a step.
    ///
    /// - Returns: false, without doing anything, when the block is finished.
    /// - Throws: ``EvaluationError``, with the block as it was before: a checkpoint of it can go on elsewhere.
    mutating func advance() throws(EvaluationError) -> Bool
    /// All that it takes to go on from here.
    func checkpoint() -> [UInt8]
    /// Bytes at the start of ``checkpoint()`` that no later one changes, whoever takes it: the draws kept so far.
    var settledBytes: Int { get }
    /// What the first `chains` chains of a finished block leave.
    func result(chains: Int) -> BlockResult
}

extension SamplingPlan {
    /// A block of the job: a pilot block where step sizes are to be found.
    ///
    /// - Parameters:
    ///   - index: its number.
    ///   - chains: how many chains count.
    package func block(index: Int, chains: Int) -> any RunnableBlock {
        settings.tuning == nil
            ? ChainBlock(plan: self, index: index, chains: chains)
            : PilotBlock(plan: self, index: index, chains: chains)
    }

    /// A block that goes on where a checkpoint was taken of the block of the same number and chains.
    ///
    /// - Throws: ``BlockCheckpointError`` if the bytes are no such checkpoint, whole and undamaged.
    package func block(
        index: Int, chains: Int, resuming bytes: [UInt8]
    ) throws(BlockCheckpointError) -> any RunnableBlock {
        settings.tuning == nil
            ? try ChainBlock(plan: self, index: index, chains: chains, resuming: bytes)
            : try PilotBlock(plan: self, index: index, chains: chains, resuming: bytes)
    }
}
