import Sampling

extension Job {
    /// A block's result travels as one message.
    private static let largestResult = 48 << 20
    /// At the end the weights of all chains of a population are looked at together.
    private static let mostWeightedChains = 1 << 24

    /// What of the job is too large, by the key of the job that says so; nil if nothing is.
    var sizeProblem: (key: String, problem: String)? {
        guard sampler.population == nil || chains <= Self.mostWeightedChains else {
            return (
                "chains",
                "a population has at most \(Self.mostWeightedChains) chains; use several jobs with different seeds"
            )
        }
        let (ofChain, ofBlock) = resultSizes
        let size = block * ofChain + ofBlock
        guard size <= Self.largestResult else {
            let most = max(0, Self.largestResult - ofBlock) / ofChain
            return (
                "block",
                "a block's result would take \(size) bytes, more than \(Self.largestResult); use a block of at most "
                    + "\(most) chains, or fewer draws"
            )
        }
        return nil
    }

    /// Bytes of a block's result: for each chain, and for the block besides.
    private var resultSizes: (chain: Int, block: Int) {
        statistics.reduce(into: (chain: draws * dimension * 4, block: 0)) { sizes, array in
            let row = (array.columns ?? 1) * array.element.size
            if array.rows == .chains { sizes.chain += row } else { sizes.block += row }
        }
    }
}
