import RunFolder
import Sampling

extension Job {
    /// A block's result travels as one message.
    private static let largestResult = 48 << 20
    /// A block's state travels in pieces and is kept on the coordinator's disk.
    private static let largestState = 512 << 20
    /// At the end the weights of all chains of a population are looked at together.
    private static let mostWeightedChains = 1 << 24

    /// Why there are too many chains; nil if there are not.
    var weightedChainsProblem: String? {
        guard sampler.population != nil, chains > Self.mostWeightedChains else { return nil }
        return "a population has at most \(Self.mostWeightedChains) chains; use several jobs with different seeds"
    }

    /// Why a block is too large; nil if it is not.
    var blockSizeProblem: String? {
        let (ofChain, ofBlock) = resultSizes
        // Beyond any limit a size need not be exact, but must not overflow.
        let size = block * min(ofChain, 1 << 46) + ofBlock
        guard size <= Self.largestResult else {
            let most = max(0, Self.largestResult - ofBlock) / ofChain
            return "a block's result would take \(size) bytes, more than \(Self.largestResult); use a block of at most "
                + "\(most) chains, or fewer draws"
        }
        let ofState = stateSizeOfChain
        guard block * ofState <= Self.largestState else {
            return "what a block has come to would take \(block * ofState) bytes, more than \(Self.largestState); use "
                + "a block of at most \(Self.largestState / ofState) chains, or fewer "
                + (sampler.exchange == nil ? "draws" : "replicas or draws")
        }
        return nil
    }

    /// The most blocks of a job that a pool takes: each costs a bit there and a row in the journal.
    package static let mostBlocks = 1 << 24

    /// Why no pool takes a job of so many blocks, and what to do; nil if one does.
    package var problemOfBlocks: String? {
        guard blocks > Self.mostBlocks else { return nil }
        return "\(chains) chains in blocks of \(block) are \(blocks) blocks, and a pool takes at most "
            + "\(Self.mostBlocks) of one job; make \"block\" \((chains + Self.mostBlocks - 1) / Self.mostBlocks) or more, "
            + "or \"chains\" fewer"
    }

    /// The most bytes of a block's state, as it is written down: that of its chains, and what is told of the plan and of each
    /// level.
    package var mostStateBytes: Int {
        let ofLevels = 32 * (levels + (sampler.refinement?.levels ?? 0)) + 8 * (sampler.exchange?.levels.count ?? 0)
        let ofTrace = traceSettings.map { 4 * $0.axis.count + 8 * ($0.levels.count + 1) } ?? 0
        return block * (stateSizeOfChain + bytesToldOfDraws) + ofLevels + ofTrace + 4_096
    }

    /// Bytes of a block's state for each chain, at most, without what is told of its draws: position and momentum in
    /// double precision, of its replicas too, the draws, and what is counted.
    private var stateSizeOfChain: Int {
        let replicas = sampler.exchange?.levels.count ?? 1
        let counts = 16 + levels + (sampler.refinement?.levels ?? 0) + 4 * replicas
        return 16 * dimension * replicas + 4 * draws * dimension + 4 * counts
    }

    /// Chains of a block where a job says nothing: 64, or fewer where points are so large that as many would have more than
    /// 262 144 coordinates together; a power of two.
    static func usualBlock(dimension: Int) -> Int {
        var block = 64
        while block > 1, block * dimension > 1 << 18 { block /= 2 }
        return block
    }

    /// Bytes of a block's result, without what is told of its draws: for each chain, and for the block besides.
    private var resultSizes: (chain: Int, block: Int) {
        statistics.reduce(into: (chain: draws * dimension * 4 - bytesToldOfDraws, block: 0)) { sizes, statistic in
            sizes.chain += statistic.size(chains: 1, blocks: 0)
            sizes.block += statistic.size(chains: 0, blocks: 1)
        }
    }

    /// Bytes of what statistics tell of each draw of a chain: few enough for any block, or they would tell nothing.
    private var bytesToldOfDraws: Int {
        statistics.reduce(0) { sum, statistic in
            if case .draws = statistic.axis { sum + statistic.rowBytes } else { sum }
        }
    }
}
