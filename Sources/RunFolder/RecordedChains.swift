/// Which chains of a run are recorded, one bit each, and the gradients they took.
struct RecordedChains {
    private var words: [UInt64]
    private(set) var total = 0
    /// Chains from the first on that are all recorded, as far as they were counted.
    private(set) var prefix = 0
    /// Gradients evaluated, all recorded chains together.
    private(set) var gradientEvaluations = 0

    init(count: Int) {
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    /// The first of these chains that is recorded.
    func first(in chains: Range<Int>) -> Int? {
        chains.first { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    /// All recorded chains: runs of neighbours, as long as can be, in order.
    var ranges: [Range<Int>] {
        var ranges: [Range<Int>] = []
        for (index, word) in words.enumerated() where word != 0 {
            for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
                let chain = 64 * index + bit
                if let last = ranges.last, last.upperBound == chain {
                    ranges[ranges.count - 1] = last.lowerBound..<chain + 1
                } else {
                    ranges.append(chain..<chain + 1)
                }
            }
        }
        return ranges
    }

    /// Takes out chains that are recorded, and the gradients they took.
    mutating func remove(_ chains: Range<Int>, gradientEvaluations gradients: Int) {
        for chain in chains { words[chain / 64] &= ~(1 << UInt64(chain % 64)) }
        total -= chains.count
        prefix = min(prefix, chains.lowerBound)
        gradientEvaluations = max(0, gradientEvaluations - gradients)
    }

    /// Counts ``prefix`` anew.
    mutating func countPrefix() {
        while prefix / 64 < words.count, words[prefix / 64] >> UInt64(prefix % 64) & 1 == 1 { prefix += 1 }
    }

    /// Whether the gradients can be counted with so many more.
    func hasRoom(for gradients: Int) -> Bool {
        !gradientEvaluations.addingReportingOverflow(gradients).overflow
    }

    /// Adds chains of which none is recorded yet, and the gradients they took, for which there is room.
    mutating func insert(_ chains: Range<Int>, gradientEvaluations gradients: Int) {
        for chain in chains { words[chain / 64] |= 1 << UInt64(chain % 64) }
        total += chains.count
        gradientEvaluations += gradients
    }
}
