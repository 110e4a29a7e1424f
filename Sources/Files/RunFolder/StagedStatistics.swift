/// The statistics of a run while it is under way: arrays on the disk, rows in any order.
struct StagedStatistics {
    private final class Entry {
        let statistic: RunStatistic
        var array: ArrayStaging

        init(_ statistic: RunStatistic, _ array: consuming ArrayStaging) {
            self.statistic = statistic
            self.array = array
        }
    }

    private let block: Int
    private let entries: [Entry]

    init(folder: String, of run: RunDescription) throws(RunFolderError) {
        try self.init(run) { (statistic, shape) throws(RunFolderError) in
            try ArrayStaging(
                folder: folder, name: statistic.fileName, elementType: statistic.element, shape: shape)
        }
    }

    /// Takes up what an earlier process left; see `ArrayStaging.init(resuming:)`.
    init(resuming folder: String, of run: RunDescription) throws(RunFolderError) {
        try self.init(run) { (statistic, shape) throws(RunFolderError) in
            try ArrayStaging(
                resuming: statistic.fileName, folder: folder, elementType: statistic.element, shape: shape)
        }
    }

    private init(
        _ run: RunDescription, _ array: (RunStatistic, [Int]) throws(RunFolderError) -> ArrayStaging
    ) throws(RunFolderError) {
        block = run.block
        var entries: [Entry] = []
        for statistic in run.statistics {
            let rows = statistic.rows == .chains ? run.chains : run.blocks
            let shape = [rows] + (statistic.axis?.lengths ?? [])
            entries.append(Entry(statistic, try array(statistic, shape)))
        }
        self.entries = entries
    }

    func write(_ record: BlockRecord) throws(RunFolderError) {
        for entry in entries {
            guard let rows = record.statistics[entry.statistic.name] else { continue }
            let first = record.firstChain
            try entry.array.write(bytes: rows, atRow: entry.statistic.rows == .chains ? first : first / block)
        }
    }

    /// Writes the arrays as a numpy archive into an empty file.
    ///
    /// - Parameter selected: one more, if samples are selected.
    func writeArchive(
        to file: borrowing File, with selected: consuming ArrayStaging?
    ) throws(RunFolderError) {
        var archive = ZipWriter()
        for entry in entries { try archive.add(entry.statistic.fileName, entry.array, to: file) }
        if let selected { try archive.add(RunStatistic.selected + ".npy", selected, to: file) }
        try archive.finish(to: file)
    }

    func expectInPlace() throws(RunFolderError) {
        for entry in entries { try entry.array.expectInPlace() }
    }

    /// The rows of some blocks that make these chains, statistic by statistic, with the bytes that each of the blocks has.
    func bytes(
        ofBlocks blocks: Range<Int>, chains: Range<Int>
    ) throws(RunFolderError) -> [(rows: RunStatistic.Rows, rowBytes: Int, bytes: [UInt8])] {
        var all: [(rows: RunStatistic.Rows, rowBytes: Int, bytes: [UInt8])] = []
        for entry in entries {
            let rows = entry.statistic.rows
            let bytes = try entry.array.bytes(ofRows: rows == .chains ? chains : blocks)
            all.append((rows, entry.statistic.rowBytes, bytes))
        }
        return all
    }

    func sync() throws(RunFolderError) {
        for entry in entries { try entry.array.sync() }
    }

    func own() {
        for entry in entries { entry.array.own() }
    }

    func suspend() {
        for entry in entries { entry.array.suspend() }
    }

    func discard() throws(RunFolderError) {
        for entry in entries { try entry.array.discard() }
    }

    /// Hands a statistic to `body` in the order of its rows, some whole rows at a time; nothing if there is none of that
    /// name.
    func forEachRows<Element: NpyElement>(
        of name: String, as type: Element.Type, _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError) {
        guard let entry = entries.first(where: { $0.statistic.name == name }) else { return }
        try entry.array.forEachRows(as: type, body)
    }

    /// Mean over the finite entries of each level [levels], and over all of them; nil over none.
    ///
    /// Chains are added in their order, whatever the order in which they came: the sums are the same bits.
    func acceptanceMeans(levels: Int) throws(RunFolderError) -> (mean: Double?, perLevel: [Double?]) {
        var sums = [Double](repeating: 0, count: levels)
        var counts = [Int](repeating: 0, count: levels)
        try forEachRows(of: RunStatistic.acceptance, as: Float.self) { (rates) throws(RunFolderError) in
            var start = 0
            while start < rates.count {
                // Without branches: the levels of a chain don't wait for one another.
                for level in 0..<levels {
                    let rate = rates[start + level]
                    sums[level] += rate.isFinite ? Double(rate) : 0
                    counts[level] += rate.isFinite ? 1 : 0
                }
                start += levels
            }
        }
        let total = counts.reduce(0, +)
        let perLevel = zip(sums, counts).map { sum, count in count == 0 ? nil : sum / Double(count) }
        return (total == 0 ? nil : sums.reduce(0, +) / Double(total), perLevel)
    }

    /// Mean and standard deviation over the chains whose log-density is finite.
    ///
    /// - Parameter selection: the chains that count, in ascending order, each as often as it is named; nil for all.
    func logDensityMoments(of selection: [Int]?) throws(RunFolderError) -> RunSummary.LogDensity {
        var sum = 0.0
        var count = 0
        try forEachLogDensity(of: selection) { value in
            sum += value
            count += 1
        }
        guard count > 0 else { return RunSummary.LogDensity(mean: nil, standardDeviation: nil) }
        let mean = sum / Double(count)
        guard count > 1 else { return RunSummary.LogDensity(mean: mean, standardDeviation: 0) }
        // A second pass: sums of squares lose the digits that far-off means share.
        var squares = 0.0
        try forEachLogDensity(of: selection) { squares += ($0 - mean) * ($0 - mean) }
        return RunSummary.LogDensity(mean: mean, standardDeviation: (squares / Double(count - 1)).squareRoot())
    }

    private func forEachLogDensity(of selection: [Int]?, _ body: (Double) -> Void) throws(RunFolderError) {
        var (chain, next) = (0, 0)
        try forEachRows(of: RunStatistic.logDensity, as: Double.self) { (values) throws(RunFolderError) in
            for value in values {
                var times = 1
                if let selection {
                    times = 0
                    while next < selection.count, selection[next] == chain { (next, times) = (next + 1, times + 1) }
                }
                if value.isFinite { for _ in 0..<times { body(value) } }
                chain += 1
            }
        }
    }

    /// Divergent transitions of all chains together.
    func divergenceCount() throws(RunFolderError) -> Int {
        var total = 0
        try forEachRows(of: RunStatistic.divergences, as: Int32.self) { (counts) throws(RunFolderError) in
            for count in counts { total += Int(count) }
        }
        return total
    }
}
