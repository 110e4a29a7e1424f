/// A set of block numbers.
///
/// It is cut into pages, and a page of which all blocks are in the set, or none, takes a few bytes: one block at the far
/// end of a large job costs no more than one at its beginning.
package struct BlockSet: Sendable, Equatable {
    private struct Page: Equatable {
        static let size = 4_096
        /// A bit a block; empty while the page is empty, and when it is full.
        var words: [UInt64] = []
        var count = 0
    }

    private var pages: [Page] = []
    /// How many are in it.
    package private(set) var count = 0

    /// The empty set.
    package init() {}

    /// Whether `block`, 0 or more, is in it.
    package func contains(_ block: Int) -> Bool {
        let page = block / Page.size
        guard block >= 0, page < pages.count else { return false }
        if pages[page].words.isEmpty { return pages[page].count > 0 }
        return pages[page].words[block % Page.size / 64] >> UInt64(block % 64) & 1 == 1
    }

    /// Adds `block`, 0 or more. - Returns: false if it was there.
    @discardableResult
    package mutating func insert(_ block: Int) -> Bool {
        guard !contains(block) else { return false }
        let page = block / Page.size
        if page >= pages.count { pages += [Page](repeating: Page(), count: page + 1 - pages.count) }
        if pages[page].count == 0 { pages[page].words = [UInt64](repeating: 0, count: Page.size / 64) }
        pages[page].words[block % Page.size / 64] |= 1 << UInt64(block % 64)
        pages[page].count += 1
        if pages[page].count == Page.size { pages[page].words = [] }
        count += 1
        return true
    }

    /// Takes `block` out. - Returns: false if it was not there.
    @discardableResult
    package mutating func remove(_ block: Int) -> Bool {
        guard contains(block) else { return false }
        let page = block / Page.size
        if pages[page].words.isEmpty { pages[page].words = [UInt64](repeating: .max, count: Page.size / 64) }
        pages[page].words[block % Page.size / 64] &= ~(1 << UInt64(block % 64))
        pages[page].count -= 1
        if pages[page].count == 0 { pages[page].words = [] }
        count -= 1
        return true
    }

    /// Those of its blocks that are below `end`, 0 or more.
    package func limited(to end: Int) -> BlockSet {
        var limited = self
        let whole = end / Page.size
        guard whole < pages.count else { return self }
        limited.pages = Array(pages.prefix(whole + 1))
        limited.count = limited.pages.reduce(0) { $0 + $1.count }
        for block in max(end, whole * Page.size)..<(whole + 1) * Page.size { limited.remove(block) }
        return limited
    }

    /// What is not in it of the blocks below `end`, in ascending order.
    package func gaps(below end: Int) -> [Range<Int>] {
        guard count > 0 else { return end > 0 ? [0..<end] : [] }
        var gaps: [Range<Int>] = []
        var start: Int?
        var block = 0
        while block < end {
            let page = block / Page.size
            let isUniform = page >= pages.count || pages[page].words.isEmpty
            if contains(block) {
                if let first = start { gaps.append(first..<block) }
                start = nil
            } else if start == nil {
                start = block
            }
            block = isUniform ? (page + 1) * Page.size : block + 1
        }
        if let start { gaps.append(start..<end) }
        return gaps
    }

    /// Whether the same blocks are in both.
    package static func == (a: BlockSet, b: BlockSet) -> Bool {
        // Pages behind the last block of the one are empty in the other, or the counts differ.
        a.count == b.count && zip(a.pages, b.pages).allSatisfy { $0 == $1 }
    }
}
