/// A set of block numbers, a bit each.
public struct BlockSet: Sendable, Equatable {
    private var words: [UInt64] = []
    /// How many are in it.
    public private(set) var count = 0

    /// The empty set.
    public init() {}

    /// Whether `block`, 0 or more, is in it.
    public func contains(_ block: Int) -> Bool {
        block >= 0 && block / 64 < words.count && words[block / 64] >> UInt64(block % 64) & 1 == 1
    }

    /// Adds `block`, 0 or more. - Returns: false if it was there.
    @discardableResult
    public mutating func insert(_ block: Int) -> Bool {
        guard !contains(block) else { return false }
        let word = block / 64
        if word >= words.count { words += [UInt64](repeating: 0, count: max(word + 1 - words.count, words.count)) }
        words[word] |= 1 << UInt64(block % 64)
        count += 1
        return true
    }

    /// Takes `block` out. - Returns: false if it was not there.
    @discardableResult
    public mutating func remove(_ block: Int) -> Bool {
        guard contains(block) else { return false }
        words[block / 64] &= ~(1 << UInt64(block % 64))
        count -= 1
        return true
    }

    /// Those of its blocks that are below `end`, 0 or more.
    func limited(to end: Int) -> BlockSet {
        guard words.count > end / 64 else { return self }
        var limited = self
        limited.words = Array(words.prefix(end / 64 + 1))
        limited.words[end / 64] &= 1 << UInt64(end % 64) &- 1
        limited.count = limited.words.reduce(0) { $0 + $1.nonzeroBitCount }
        return limited
    }

    /// Whether the same blocks are in both.
    public static func == (a: BlockSet, b: BlockSet) -> Bool {
        a.count == b.count && zip(a.words, b.words).allSatisfy { $0 == $1 }
    }
}
