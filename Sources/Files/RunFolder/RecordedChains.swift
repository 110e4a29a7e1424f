/// Which chains of a run are recorded, as ranges of neighbours, and the gradients they took.
struct RecordedChains {
    private var chains = RangeSet<Int>()
    private(set) var total = 0
    /// Gradients evaluated, all recorded chains together.
    private(set) var gradientEvaluations = 0

    /// Chains from the first on that are all recorded.
    var prefix: Int {
        chains.ranges.first.map { $0.lowerBound == 0 ? $0.upperBound : 0 } ?? 0
    }

    /// The first of these chains that is recorded.
    func first(in chains: Range<Int>) -> Int? {
        // The first range that ends behind the first of them.
        let ranges = self.chains.ranges
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= chains.lowerBound { low = middle + 1 } else { high = middle }
        }
        guard low < ranges.count, ranges[low].lowerBound < chains.upperBound else { return nil }
        return max(ranges[low].lowerBound, chains.lowerBound)
    }

    /// All recorded chains: runs of neighbours, as long as can be, in order.
    var ranges: [Range<Int>] { Array(chains.ranges) }

    /// Takes out chains that are recorded, and the gradients they took.
    mutating func remove(_ chains: Range<Int>, gradientEvaluations gradients: Int) {
        self.chains.remove(contentsOf: chains)
        total -= chains.count
        gradientEvaluations = max(0, gradientEvaluations - gradients)
    }

    /// Whether the gradients can be counted with so many more.
    func hasRoom(for gradients: Int) -> Bool {
        !gradientEvaluations.addingReportingOverflow(gradients).overflow
    }

    /// Adds chains of which none is recorded yet, and the gradients they took, for which there is room.
    mutating func insert(_ chains: Range<Int>, gradientEvaluations gradients: Int) {
        self.chains.insert(contentsOf: chains)
        total += chains.count
        gradientEvaluations += gradients
    }
}
