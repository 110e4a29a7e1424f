/// What the numbers of a statistic can be: whoever is sent them by others can tell what no block comes to.
package struct StatisticLimits: Sendable, Equatable {
    /// What stands where a row has no number.
    package enum Gap: Sendable {
        case nan, zero
    }

    /// From the least to the most; nil for any number.
    let range: ClosedRange<Double>?
    /// Whether the most is meant for each of the block's chains.
    let isOfEachChain: Bool
    /// What may stand in place of a number; nil if nothing.
    let gap: Gap?
    /// Where in a row nothing may stand in place of a number; nil for nowhere.
    let whole: ClosedRange<Int>?

    /// - Parameters:
    ///   - range: from the least to the most.
    ///   - isOfEachChain: whether the most is to be taken as often as the block has chains.
    ///   - gap: what may stand in place of a number; nil if nothing.
    ///   - whole: the numbers of each row for which nothing may; nil for none.
    package init(
        _ range: ClosedRange<Double>, ofEachChain isOfEachChain: Bool = false, gap: Gap? = nil,
        whole: ClosedRange<Int>? = nil
    ) {
        self.init(range: range, isOfEachChain: isOfEachChain, gap: gap, whole: whole)
    }

    private init(range: ClosedRange<Double>?, isOfEachChain: Bool, gap: Gap?, whole: ClosedRange<Int>?) {
        self.range = range
        self.isOfEachChain = isOfEachChain
        self.gap = gap
        self.whole = whole
    }

    /// Any number will do.
    package static let none = StatisticLimits(range: nil, isOfEachChain: false, gap: nil, whole: nil)

    /// Any number but NaN and infinity; minus infinity stands for the logarithm of zero.
    package static func logarithm(gap: Gap? = nil, whole: ClosedRange<Int>? = nil) -> StatisticLimits {
        StatisticLimits(-.infinity ... .greatestFiniteMagnitude, gap: gap, whole: whole)
    }
}

extension RunStatistic {
    /// Whether all numbers are within the limits.
    ///
    /// - Parameters:
    ///   - bytes: the rows of a block, of the right size.
    ///   - chains: of the block.
    package func isPossible(_ bytes: [UInt8], chains: Int) -> Bool {
        guard let range = limits.range else { return true }
        let most = range.upperBound * (limits.isOfEachChain ? Double(chains) : 1)
        return switch element {
        case .float32: isPossible(bytes, range.lowerBound, most) { (number: Float) in Double(number) }
        case .float64: isPossible(bytes, range.lowerBound, most) { (number: Double) in number }
        case .int32: isPossible(bytes, range.lowerBound, most) { (number: Int32) in Double(number) }
        // Blocks leave no others.
        default: false
        }
    }

    @inline(__always)
    private func isPossible<Number: NpyElement>(
        _ bytes: [UInt8], _ least: Double, _ most: Double, _ value: (Number) -> Double
    ) -> Bool {
        let all = 0..<bytes.count / element.size
        func isWithin(_ numbers: Range<Int>) -> Bool {
            bytes.holdsOnly(Number.self, in: numbers) { value($0) >= least && value($0) <= most }
        }
        switch limits.gap {
        case nil: return isWithin(all)
        case .nan:
            let isWithinOrNothing = bytes.holdsOnly(Number.self, in: all) {
                value($0) >= least && value($0) <= most || value($0).isNaN
            }
            guard isWithinOrNothing else { return false }
        case .zero:
            let isWithinOrNothing = bytes.holdsOnly(Number.self, in: all) {
                value($0) >= least && value($0) <= most || value($0) == 0
            }
            guard isWithinOrNothing else { return false }
        }
        guard let whole = limits.whole else { return true }
        return stride(from: 0, to: all.count, by: axis?.count ?? 1).allSatisfy { row in
            isWithin(row + whole.lowerBound..<row + whole.upperBound + 1)
        }
    }
}

extension [UInt8] {
    /// Whether a condition holds for all the numbers that little-endian bytes stand for, or for some of them.
    ///
    /// All are looked at, whatever comes of the first, so that the processor can take many at a time: this is as fast as
    /// memory.
    @inline(__always)
    func holdsOnly<Number: NpyElement>(
        _ type: Number.Type, in range: Range<Int>? = nil, where condition: (Number) -> Bool
    ) -> Bool {
        let size = MemoryLayout<Number>.size
        let range = range ?? 0..<count / size
        return withUnsafeBytes { bytes in
            var wrong: UInt32 = 0
            for index in range {
                let number = bytes.loadUnaligned(fromByteOffset: index * size, as: Number.self)
                wrong |= condition(number) ? 0 : 1
            }
            return wrong == 0
        }
    }
}
