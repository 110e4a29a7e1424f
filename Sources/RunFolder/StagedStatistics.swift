/// The per-chain statistics of a run while it is under way: three arrays on the disk, rows in any order.
struct StagedStatistics: ~Copyable {
    /// What the arrays are called in the archive.
    static let names = ["acceptance.npy", "log_density.npy", "divergences.npy"]

    private var acceptance: ArrayStaging
    private var logDensity: ArrayStaging
    private var divergences: ArrayStaging

    init(folder: String, chains: Int, levels: Int) throws(RunFolderError) {
        let acceptance = try ArrayStaging(
            folder: folder, name: "acceptance.npy", elementType: .float32, shape: [chains, levels])
        let logDensity = try ArrayStaging(
            folder: folder, name: "log_density.npy", elementType: .float64, shape: [chains])
        let divergences = try ArrayStaging(
            folder: folder, name: "divergences.npy", elementType: .int32, shape: [chains])
        self.acceptance = acceptance
        self.logDensity = logDensity
        self.divergences = divergences
    }

    /// Takes up what an earlier process left; see `ArrayStaging.init(resuming:)`.
    init(resuming folder: String, chains: Int, levels: Int) throws(RunFolderError) {
        let acceptance = try ArrayStaging(
            resuming: "acceptance.npy", folder: folder, elementType: .float32, shape: [chains, levels])
        let logDensity = try ArrayStaging(
            resuming: "log_density.npy", folder: folder, elementType: .float64, shape: [chains])
        let divergences = try ArrayStaging(
            resuming: "divergences.npy", folder: folder, elementType: .int32, shape: [chains])
        self.acceptance = acceptance
        self.logDensity = logDensity
        self.divergences = divergences
    }

    func write(_ block: BlockRecord) throws(RunFolderError) {
        try acceptance.write(block.acceptance, atRow: block.firstChain)
        try logDensity.write(block.logDensity, atRow: block.firstChain)
        try divergences.write(block.divergences, atRow: block.firstChain)
    }

    /// Writes the arrays as a numpy archive into an empty file.
    func writeArchive(to file: borrowing File) throws(RunFolderError) {
        var archive = ZipWriter()
        try archive.add("acceptance.npy", acceptance, to: file)
        try archive.add("log_density.npy", logDensity, to: file)
        try archive.add("divergences.npy", divergences, to: file)
        try archive.finish(to: file)
    }

    func sync() throws(RunFolderError) {
        try acceptance.sync()
        try logDensity.sync()
        try divergences.sync()
    }

    mutating func own() {
        acceptance.own()
        logDensity.own()
        divergences.own()
    }

    mutating func suspend() {
        acceptance.suspend()
        logDensity.suspend()
        divergences.suspend()
    }

    mutating func discard() throws(RunFolderError) {
        try acceptance.discard()
        try logDensity.discard()
        try divergences.discard()
    }

    /// Mean over the finite entries of each level [levels], and over all of them; nil over none.
    ///
    /// Chains are added in their order, whatever the order in which they came: the sums are the same bits.
    func acceptanceMeans() throws(RunFolderError) -> (mean: Double?, perLevel: [Double?]) {
        let levels = acceptance.header.rowSize
        var sums = [Double](repeating: 0, count: levels)
        var counts = [Int](repeating: 0, count: levels)
        try acceptance.forEachRows(as: Float.self) { (rates) throws(RunFolderError) in
            var level = 0
            for rate in rates {
                if rate.isFinite {
                    sums[level] += Double(rate)
                    counts[level] += 1
                }
                level = level + 1 == levels ? 0 : level + 1
            }
        }
        let total = counts.reduce(0, +)
        let perLevel = zip(sums, counts).map { sum, count in count == 0 ? nil : sum / Double(count) }
        return (total == 0 ? nil : sums.reduce(0, +) / Double(total), perLevel)
    }

    /// Mean and standard deviation over the chains whose log-density is finite.
    func logDensityMoments() throws(RunFolderError) -> RunSummary.LogDensity {
        var sum = 0.0
        var count = 0
        try logDensity.forEachRows(as: Double.self) { (values) throws(RunFolderError) in
            for value in values where value.isFinite {
                sum += value
                count += 1
            }
        }
        guard count > 0 else { return RunSummary.LogDensity(mean: nil, standardDeviation: nil) }
        let mean = sum / Double(count)
        guard count > 1 else { return RunSummary.LogDensity(mean: mean, standardDeviation: 0) }
        // A second pass: sums of squares lose the digits that far-off means share.
        var squares = 0.0
        try logDensity.forEachRows(as: Double.self) { (values) throws(RunFolderError) in
            for value in values where value.isFinite { squares += (value - mean) * (value - mean) }
        }
        return RunSummary.LogDensity(mean: mean, standardDeviation: (squares / Double(count - 1)).squareRoot())
    }

    /// Divergent transitions of all chains together.
    func divergenceCount() throws(RunFolderError) -> Int {
        var total = 0
        try divergences.forEachRows(as: Int32.self) { (counts) throws(RunFolderError) in
            for count in counts { total += Int(count) }
        }
        return total
    }
}
