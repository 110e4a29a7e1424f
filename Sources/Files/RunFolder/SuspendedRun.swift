/// What is known of a run whose files are closed, so that it goes on as if they had stayed open.
package struct SuspendedRun: Sendable {
    let recorded: RecordedChains
    /// The part of it that is on the disk for certain: what a `sync` that fails after the pause falls back on.
    let synced: RecordedChains
    /// What was taken in of the samples; without it they are read from the beginning.
    let hash: PrefixHash?

    init(recorded: RecordedChains, synced: RecordedChains, hash: PrefixHash) {
        self.recorded = recorded
        self.synced = synced
        self.hash = hash
    }

    /// A run that an earlier process left.
    ///
    /// - Parameters:
    ///   - recordedChains: the chains whose rows the files hold for certain: those of blocks that were recorded before
    ///     a `sync` that returned.
    ///   - gradientEvaluations: of these chains together.
    ///   - description: what the run is.
    /// - Throws: `.invalidValue` when a chain is not of the run or named twice.
    package init(
        recordedChains: some Sequence<Range<Int>>, gradientEvaluations: Int, of description: RunDescription,
        folder: String
    ) throws(RunFolderError) {
        var recorded = RecordedChains()
        for chains in recordedChains {
            guard chains.lowerBound >= 0, chains.upperBound <= description.chains, recorded.first(in: chains) == nil
            else {
                throw RunFolderError(
                    .invalidValue, path: folder,
                    reason: "the recorded chains \(chains) are named twice or not all of the \(description.chains)")
            }
            recorded.insert(chains, gradientEvaluations: 0)
        }
        guard gradientEvaluations >= 0 else {
            throw RunFolderError(.invalidValue, path: folder, reason: "\(gradientEvaluations) gradient evaluations")
        }
        recorded.insert(0..<0, gradientEvaluations: gradientEvaluations)
        self.recorded = recorded
        synced = recorded
        hash = nil
    }

    /// The recorded chains: runs of neighbours, as long as can be, in order.
    package var recordedRanges: [Range<Int>] { recorded.ranges }
}
