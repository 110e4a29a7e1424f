/// What is known of a run at its end that its rows alone don't tell.
package struct RunConclusion: Sendable, Equatable {
    /// What the populations of a run's blocks came to together.
    package struct PopulationResult: Sendable, Equatable {
        /// For each row of the samples the chain that it is of, in ascending order, [chains].
        package var selection: [Int]
        /// Of the composition.
        package var logNormalizer: RunSummary.LogNormalizer
        /// How many equally weighted samples the weighted chains are worth.
        package var effectiveSize: Double
        /// Chains of the start with descendants at the last level, in the blocks that are among the selection.
        package var ancestors: Int

        /// Every field as given.
        package init(
            selection: [Int], logNormalizer: RunSummary.LogNormalizer, effectiveSize: Double, ancestors: Int
        ) {
            self.ancestors = ancestors
            self.selection = selection
            self.logNormalizer = logNormalizer
            self.effectiveSize = effectiveSize
        }
    }

    /// Step size [levels], index = level; not finite where there is none.
    package var stepSizes: [Double]
    /// Where samples are selected.
    package var population: PopulationResult?
    /// Jobs that were run first, in their order.
    package var preliminaries: [RunSummary.PreliminaryRun]

    /// Every field as given.
    package init(
        stepSizes: [Double], population: PopulationResult? = nil, preliminaries: [RunSummary.PreliminaryRun] = []
    ) {
        self.preliminaries = preliminaries
        self.stepSizes = stepSizes
        self.population = population
    }

    /// Throws `.invalidValue`, naming `folder`, when these are not the numbers of that run.
    func check(against run: RunDescription, folder: String) throws(RunFolderError) {
        func refusal(_ reason: String) -> RunFolderError {
            RunFolderError(.invalidValue, path: folder, reason: reason)
        }
        guard stepSizes.count == run.levels else {
            throw refusal("\(stepSizes.count) step sizes for \(run.levels) levels")
        }
        guard (population != nil) == run.selects else {
            throw refusal("a selection of samples is needed where the run selects, and nowhere else")
        }
        guard let selection = population?.selection else { return }
        guard selection.count == run.chains, selection.allSatisfy({ 0..<run.chains ~= $0 }),
            zip(selection, selection.dropFirst()).allSatisfy(<=)
        else {
            throw refusal("the selection is not of \(run.chains) of the run's chains in ascending order")
        }
    }
}
