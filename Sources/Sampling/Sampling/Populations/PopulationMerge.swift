import RandomStreams
import VectorMath

/// What the populations of a job's blocks say together.
///
/// Blocks are independent, so a chain weighs as much as its part of the block's weight times the block's estimate of
/// the normaliser and number of chains. All of it follows from the blocks and the seed, in whatever order the blocks
/// arrived; memory is taken for chains, not for samples.
package struct PopulationMerge: Sendable, Equatable {
    /// A block's part.
    package struct Block: Sendable, Equatable {
        /// The block's number.
        package var index: Int
        /// The block's estimate, ``RunStatistic/logNormalizer``.
        package var logNormalizer: Double
        /// Of its chains, ``RunStatistic/logWeight``, [chains], at least one.
        package var logWeights: [Double]

        package init(index: Int, logNormalizer: Double, logWeights: [Double]) {
            self.index = index
            self.logNormalizer = logNormalizer
            self.logWeights = logWeights
        }
    }

    /// A chain by its block's number and its place in the block.
    package struct Chain: Sendable, Hashable {
        /// The block's number.
        package let block: Int
        /// Counted from 0 within the block.
        package let chain: Int

        package init(block: Int, chain: Int) {
            self.block = block
            self.chain = chain
        }
    }

    /// The logarithm of the merged estimate of the normaliser, which is the mean of the blocks' estimates, each
    /// counted by its chains: unbiased, its logarithm too low by about half the squared standard error. Minus
    /// infinity if every weight of every block is zero.
    package let logNormalizer: Double
    /// The standard error of `logNormalizer`, from how the blocks' estimates differ; NaN for a single block or where
    /// all weights are zero. It is itself uncertain where blocks are few or differ by more than a factor.
    package let standardError: Double
    /// How many equally weighted, independent samples the chains' weights are worth; descendants of one chain within
    /// a block are not told apart.
    package let effectiveSize: Double

    private let blocks: [(index: Int, chains: Int)]
    private let weights: RelativeWeights

    /// Merges blocks of different numbers; a weight or a normaliser that is not finite is zero.
    package init(_ blocks: [Block]) {
        let blocks = blocks.sorted { $0.index < $1.index }
        let chains = Double(blocks.reduce(0) { $0 + $1.logWeights.count })
        let logShares = blocks.map { $0.logNormalizer + Elementary.log(Double($0.logWeights.count) / chains) }
        let shares = RelativeWeights(logarithms: logShares)
        logNormalizer = shares.logSum

        // The variance of a weighted mean of independent estimates, over its square.
        let squares = zip(blocks, shares.weights).reduce(0.0) { sum, block in
            let part = Double(block.0.logWeights.count) / chains
            let deviation = block.1 / shares.sum - part
            return sum + deviation * deviation
        }
        let count = Double(blocks.count)
        standardError =
            count > 1 && shares.sum > 0 ? (count / (count - 1) * squares).squareRoot() : .nan

        let logarithms = zip(blocks, logShares).flatMap { block, share in
            let logSum = RelativeWeights(logarithms: block.logWeights).logSum
            return block.logWeights.map { $0 - logSum + share }
        }
        weights = RelativeWeights(logarithms: logarithms)
        effectiveSize = weights.effectiveSize
        self.blocks = blocks.map { ($0.index, $0.logWeights.count) }
    }

    /// Equally weighted chains, by systematic resampling of all of them in the order of blocks; a chain is chosen as
    /// often as its weight asks for.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - seed: the job's.
    /// - Returns: [count] in the order of blocks and chains; none if all weights are zero.
    package func selection(of count: Int, seed: UInt64) -> [Chain] {
        var uniform = [0.0]
        RandomStream(seed: seed, firstChain: 0).fillUniforms(&uniform, purpose: .selection, level: 0)
        var (block, first) = (0, 0)
        return weights.choose(count, uniform: uniform[0]).map { index in
            while index >= first + blocks[block].chains {
                first += blocks[block].chains
                block += 1
            }
            return Chain(block: blocks[block].index, chain: index - first)
        }
    }

    package static func == (one: PopulationMerge, other: PopulationMerge) -> Bool {
        one.weights == other.weights && one.logNormalizer.bitPattern == other.logNormalizer.bitPattern
            && one.standardError.bitPattern == other.standardError.bitPattern
            && one.blocks.elementsEqual(other.blocks, by: ==)
    }
}
