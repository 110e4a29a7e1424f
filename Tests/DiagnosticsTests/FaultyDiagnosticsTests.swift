import Testing

@testable import Diagnostics

@Suite("Diagnostics with a part left out")
struct FaultyDiagnosticsTests {
    @Test("Without the halves, chains that all drift the same way pass for good ones")
    func withoutHalves() throws {
        let draws = try Reference.draws("drifting")
        let faulty = max(draws.normalScores.varianceRatio, draws.folded.normalScores.varianceRatio)
        #expect(faulty < 1.03)
        #expect(try #require(draws.rHat) > 1.25)
    }

    @Test("Without the distances from the median, a chain with another spread passes for a good one")
    func withoutFolding() throws {
        let draws = try Reference.draws("other_spread")
        #expect(draws.halves.normalScores.varianceRatio < 1.05)
        #expect(try #require(draws.rHat) > 1.1)
    }

    @Test("Without ranks, tails that are heavy hide chains that lie apart")
    func withoutRanks() throws {
        let tails = try Reference.draws("heavy_tails")
        let shifted = ChainDraws(
            chains: tails.chains, values: tails.values.enumerated().map { $1 + ($0 < tails.draws ? 3 : 0) })
        #expect(shifted.halves.varianceRatio < 1.01)
        #expect(try #require(shifted.rHat) > 1.05)
    }

    @Test("Without the variance between chains, chains that lie apart are worth too much")
    func withoutBetween() throws {
        let draws = try Reference.draws("apart")
        let each = (0..<draws.chains).map { ChainDraws(chains: 1, values: Array(draws.chain($0))).effectiveSize }
        #expect(each.reduce(0, +) > 80)
        #expect(try #require(draws.bulkEffectiveSize) < 20)
    }

    @Test("The effective size of the bulk alone misses tails that are hardly reached")
    func withoutTails() throws {
        // Independent draws, but now and then a chain is far out for a while.
        var values = try Reference.draws("independent").values
        for index in 240..<270 { values[index] = 40 }
        let draws = ChainDraws(chains: 4, values: values)
        #expect(try #require(draws.tailEffectiveSize) < 0.3 * (try #require(draws.bulkEffectiveSize)))
    }
}
