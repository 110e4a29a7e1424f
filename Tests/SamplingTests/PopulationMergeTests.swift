import Foundation
import Sampling
import Testing

@Suite("Merging populations")
struct PopulationMergeTests {
    private let blocks = [
        PopulationMerge.Block(index: 0, logNormalizer: log(2), logWeights: [0, log(3), -.infinity, 0]),
        PopulationMerge.Block(index: 4, logNormalizer: log(4), logWeights: [7, 7]),
        PopulationMerge.Block(index: 2, logNormalizer: -.infinity, logWeights: [-.infinity, -.infinity]),
        PopulationMerge.Block(index: 1, logNormalizer: log(1), logWeights: [.nan, -700, -700, -700]),
    ]

    @Test("The normaliser is the mean over chains of the blocks' estimates, its error how they differ")
    func normalizer() {
        let merge = PopulationMerge(blocks)
        // 4, 4, 2 and 2 chains of 12 with estimates 2, 1, 0 and 4.
        let value = 5.0 / 3
        #expect((merge.logNormalizer - log(value)).magnitude < 1e-12)
        let estimates: [(chains: Double, value: Double)] = [(4, 2), (4, 1), (2, 0), (2, 4)]
        let squares = estimates.reduce(0.0) { $0 + pow($1.chains / 12 * ($1.value - value), 2) }
        let error = (4.0 / 3 * squares).squareRoot() / value
        #expect((merge.standardError - error).magnitude < 1e-12)
        // For blocks of one size it is the standard error of their mean.
        let equal = PopulationMerge(
            [1.0, 2, 4].enumerated().map { .init(index: $0, logNormalizer: log($1) - 900, logWeights: [0, 0]) })
        #expect((equal.logNormalizer - (log(7 / 3.0) - 900)).magnitude < 1e-12)
        #expect((equal.standardError - (variance([1, 2, 4]) / 3).squareRoot() * 3 / 7).magnitude < 1e-12)
        #expect(PopulationMerge([blocks[0]]).standardError.isNaN)
        #expect((PopulationMerge([blocks[0]]).logNormalizer - log(2)).magnitude < 1e-12)
    }

    @Test("A chain is selected as often as its weight asks for, on average over seeds exactly")
    func selection() {
        // Of 20 block 0 has 8 over weights 1, 3, 0, 1; block 1 has 4, block 4 has 8.
        let parts: [(block: Int, chain: Int, weight: Double)] = [
            (0, 0, 1.6), (0, 1, 4.8), (0, 3, 1.6), (1, 1, 4.0 / 3), (1, 2, 4.0 / 3), (1, 3, 4.0 / 3), (4, 0, 4),
            (4, 1, 4),
        ]
        var expected: [PopulationMerge.Chain: Double] = [:]
        for part in parts { expected[.init(block: part.block, chain: part.chain)] = part.weight * 50 / 20 }
        let merge = PopulationMerge(blocks)
        let weights = expected.values
        let squares = weights.reduce(0.0) { $0 + $1 * $1 }
        let size = 50 * 50 / squares
        #expect((merge.effectiveSize - size).magnitude < 1e-9)
        var sums: [PopulationMerge.Chain: Double] = [:]
        for seed in 0..<2000 as Range<UInt64> {
            let selection = merge.selection(of: 50, seed: seed)
            #expect(selection.count == 50)
            var counts: [PopulationMerge.Chain: Int] = [:]
            for chosen in selection { counts[chosen, default: 0] += 1 }
            #expect(Set(counts.keys).isSubset(of: expected.keys))
            for (chain, mean) in expected {
                let count = Double(counts[chain] ?? 0)
                #expect(count > mean - 1 && count < mean + 1)
                sums[chain, default: 0] += count
            }
        }
        // A count varies by at most 1/2, its mean over 2 000 seeds by 0.011: 5.2 of these are 0.058, 8 false alarms.
        for (chain, mean) in expected { #expect(((sums[chain] ?? 0) / 2000 - mean).magnitude < 0.058) }
    }

    @Test("The order in which blocks arrive is of no consequence")
    func order() {
        let merge = PopulationMerge(blocks)
        let selection = merge.selection(of: 1000, seed: 3)
        #expect(selection.map(\.block) == selection.map(\.block).sorted())
        for order in [[3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]] {
            let other = PopulationMerge(order.map { blocks[$0] })
            #expect(other == merge)
            #expect(other.selection(of: 1000, seed: 3) == selection)
        }
        #expect((4..<24).contains { merge.selection(of: 1000, seed: $0) != selection })
    }

    @Test("Equal weights select every chain once")
    func equal() {
        let merge = PopulationMerge(
            (0..<5).map { .init(index: $0, logNormalizer: 0.1 + 0.2, logWeights: [Double](repeating: 3, count: 7)) })
        let selection = merge.selection(of: 35, seed: 9)
        #expect(Set(selection).count == 35)
        #expect(merge.standardError < 1e-12)
    }

    @Test("Without any weight there is nothing to select")
    func nothing() {
        for merge in [PopulationMerge([blocks[2]]), PopulationMerge([blocks[2], blocks[2]]), PopulationMerge([])] {
            #expect(merge.selection(of: 10, seed: 1).isEmpty)
            #expect(merge.logNormalizer == -.infinity && merge.standardError.isNaN && merge.effectiveSize == 0)
        }
        #expect(PopulationMerge(blocks).selection(of: 0, seed: 1).isEmpty)
    }
}
