import PoolCore
import Testing

@Suite("Waiting blocks as ranges")
struct BlockRangesTests {
    @Test("they hold what a set of numbers would hold, whatever is put in and taken out")
    func likeASet() {
        var numbers = SystemRandom(state: 3)
        for _ in 0..<200 {
            var ranges = BlockRanges([2..<5, 9..<10])
            var set: Set<Int> = [2, 3, 4, 9]
            for _ in 0..<100 {
                let block = numbers.below(16)
                if numbers.below(2) == 0 {
                    #expect(ranges.insert(block) == set.insert(block).inserted)
                } else {
                    #expect(ranges.remove(block) == (set.remove(block) != nil))
                }
                #expect(ranges.count == set.count)
                #expect((0..<16).allSatisfy { ranges.contains($0) == set.contains($0) })
                #expect(ranges.first { $0 % 3 == 0 } == set.sorted().first { $0 % 3 == 0 })
            }
            // Neighbours are one range: what it costs tells so.
            let gaps = set.count { !set.contains($0 + 1) }
            #expect(ranges.rangeCount == gaps)
        }
    }

    @Test("the blocks that are not in a set, page by page, are those that it does not contain")
    func gaps() {
        var set = BlockSet()
        #expect(set.gaps(below: 10) == [0..<10])
        #expect(set.gaps(below: 0).isEmpty)
        for block in [0, 1, 5, 4_095, 4_096, 20_000] { set.insert(block) }
        #expect(set.gaps(below: 20_002) == [2..<5, 6..<4_095, 4_097..<20_000, 20_001..<20_002])
        for block in 0..<8_192 { set.insert(block) }
        #expect(set.gaps(below: 9_000) == [8_192..<9_000])
        #expect(set.gaps(below: 8_000).isEmpty)
        #expect(set.count == 8_193)
    }

    @Test("a worker that claims the last block of a job of 2^32 costs a range, and the others are granted in order")
    func lastOfMany() {
        let blocks = 1 << 32
        var pool = Scheduler()
        _ = pool.handle(.submitted(1, JobTerms(blocks: blocks)), at: .zero)
        let last = Attempt(job: 1, block: blocks - 1, number: 1)
        let start = ContinuousClock().now
        let actions = pool.handle(.registered(1, slots: 1, group: "a", holding: [last]), at: .zero)
        _ = pool.handle(.finished(1, last, seconds: 1), at: .zero)
        // By name they would take minutes, and more memory than there is.
        #expect(ContinuousClock().now - start < .seconds(1))
        #expect(pool.holds(1, Attempt(job: 1, block: 0, number: 1)))
        #expect(pool.view(of: 1)?.finished == 1)
        #expect(!actions.contains(.registerAgain(1)))
    }

    @Test("a worker holds no more blocks than one may, whatever it says of its slots and its blocks")
    func claims() {
        let configuration = PoolConfiguration()
        var pool = Scheduler(configuration: configuration)
        _ = pool.handle(.submitted(1, JobTerms(blocks: 1 << 24)), at: .zero)
        let claims = (0..<20_000).map { Attempt(job: 1, block: 2 * $0 + 1, number: 1) }
        _ = pool.handle(.registered(1, slots: 1 << 32, group: "a", holding: claims), at: .zero)
        #expect(pool.view(of: 1, at: .zero)?.running == configuration.mostHeld)
        #expect(pool.view(of: 1, at: .zero)?.slots == configuration.mostSlots)
        _ = pool.handle(.registered(2, slots: 1 << 32, group: "a"), at: .zero)
        #expect((pool.view(of: 2, at: .zero)?.running ?? .max) <= configuration.mostHeld)
    }
}

/// Knuth's MMIX generator: the same numbers on every machine.
private struct SystemRandom {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
