/// The blocks that wait, as ranges of neighbours: a job of a billion blocks of which none has begun is one range.
///
/// The lowest is looked at, taken and put back in constant time, any other one in the logarithm of the number of
/// ranges, and the time to move those that are lower.
package struct BlockRanges: Sendable, Equatable {
    /// None is empty and no two touch; the lowest last, where blocks come and go.
    private var ranges: [Range<Int>]
    /// How many blocks are in it.
    package private(set) var count: Int

    /// - Parameter ascending: ranges that are not empty and do not touch, the lowest first.
    package init(_ ascending: [Range<Int>] = []) {
        ranges = ascending.reversed()
        count = ascending.reduce(0) { $0 + $1.count }
    }

    /// How many ranges it takes: what it costs in memory.
    package var rangeCount: Int { ranges.count }

    /// The place of the highest range that does not lie above `block`.
    private func place(of block: Int) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].lowerBound > block { low = middle + 1 } else { high = middle }
        }
        return low
    }

    package func contains(_ block: Int) -> Bool {
        let place = place(of: block)
        return place < ranges.count && ranges[place].contains(block)
    }

    /// The lowest block that `isFit`.
    package func first(where isFit: (Int) -> Bool) -> Int? {
        for range in ranges.reversed() {
            if let block = range.first(where: isFit) { return block }
        }
        return nil
    }

    /// Adds a block. - Returns: false if it was there.
    @discardableResult
    package mutating func insert(_ block: Int) -> Bool {
        let place = place(of: block)
        let touchesLower = place < ranges.count && ranges[place].upperBound >= block
        if touchesLower, ranges[place].upperBound > block { return false }
        let touchesHigher = place > 0 && ranges[place - 1].lowerBound == block + 1
        switch (touchesLower, touchesHigher) {
        case (true, true):
            ranges[place - 1] = ranges[place].lowerBound..<ranges[place - 1].upperBound
            ranges.remove(at: place)
        case (true, false): ranges[place] = ranges[place].lowerBound..<block + 1
        case (false, true): ranges[place - 1] = block..<ranges[place - 1].upperBound
        case (false, false): ranges.insert(block..<block + 1, at: place)
        }
        count += 1
        return true
    }

    /// Takes a block out. - Returns: false if it was not there.
    @discardableResult
    package mutating func remove(_ block: Int) -> Bool {
        let place = place(of: block)
        guard place < ranges.count, ranges[place].contains(block) else { return false }
        let (lower, higher) = (ranges[place].lowerBound..<block, block + 1..<ranges[place].upperBound)
        switch (lower.isEmpty, higher.isEmpty) {
        case (true, true): ranges.remove(at: place)
        case (true, false): ranges[place] = higher
        case (false, true): ranges[place] = lower
        case (false, false):
            ranges[place] = lower
            ranges.insert(higher, at: place)
        }
        count -= 1
        return true
    }
}
