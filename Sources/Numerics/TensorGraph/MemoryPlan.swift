/// Places arrays in one stretch of memory so that those whose lives overlap do not.
struct MemoryPlan {
    /// An array: how many numbers, and the first and last step that touch it.
    struct Need {
        let node: Int
        let count: Int
        let life: ClosedRange<Int>
    }

    /// Where each node's array begins, in numbers.
    private(set) var offsets: [Int: Int] = [:]
    /// Numbers in all.
    private(set) var count = 0
    /// Numbers in a cache line: arrays begin on one.
    private static let line = 16

    /// Best fit, in order of the first use: an array takes the smallest gap between those alive that holds it.
    init(_ needs: [Need]) {
        var alive: [(range: Range<Int>, until: Int)] = []
        for need in needs.sorted(by: { ($0.life.lowerBound, $0.node) < ($1.life.lowerBound, $1.node) }) {
            alive.removeAll { $0.until < need.life.lowerBound }
            let length = (need.count + Self.line - 1) / Self.line * Self.line
            var best: Range<Int>?
            var free = 0
            for (range, _) in alive {
                if range.lowerBound - free >= length, range.lowerBound - free < best?.count ?? .max {
                    best = free..<range.lowerBound
                }
                free = range.upperBound
            }
            let start = best?.lowerBound ?? free
            offsets[need.node] = start
            count = max(count, start + length)
            let place = alive.firstIndex { $0.range.lowerBound > start } ?? alive.endIndex
            alive.insert((start..<start + length, need.life.upperBound), at: place)
        }
    }
}
