import ContentHash

/// An output folder while its run is under way: takes blocks in any order and becomes a finished folder at the end.
///
/// Until `finish`, the folder holds hidden staging files alone; dropped or killed before, a run leaves no file under a
/// final name. All bytes but those of the provenance depend on the job and its chains, never on the order of the
/// blocks. Memory: one bit a chain, the numbers of one level each, and about a megabyte.
public final class RunStaging {
    private let folder: String
    private let description: RunDescription
    /// Holds the lock on the folder.
    private let folderLock: File
    private var samples: ArrayStaging
    private var statistics: StagedStatistics
    private var recorded: RecordedChains
    private var gradientEvaluations = 0
    private var isOpen = true

    /// Makes the folder, if need be, and the staging files in it; staging files of a killed run are replaced.
    ///
    /// Throws `.cannotCreate` when the folder or a file cannot be made, `.inUse` while another run is writing there and
    /// `.invalidValue` when the numbers do not describe a run.
    public init(folder: String, description: RunDescription) throws(RunFolderError) {
        try description.check(folder: folder)
        try Folder.create(folder)
        let folderLock = try File(folder, for: .folder)
        guard folderLock.tryLock() else {
            throw RunFolderError(.inUse, path: folder, reason: "another run is writing to this folder")
        }
        let shape = [description.chains, description.draws, description.dimension]
        samples = try ArrayStaging(
            folder: folder, name: RunFolder.samplesName, elementType: .float32, shape: shape)
        statistics = try StagedStatistics(folder: folder, chains: description.chains, levels: description.levels)
        recorded = RecordedChains(count: description.chains)
        self.folder = folder
        self.description = description
        self.folderLock = folderLock
    }

    deinit {
        // Before the lock goes, so that the files of a next run are safe.
        try? discard()
    }

    /// Chains recorded so far.
    public var recordedChains: Int { recorded.total }

    /// Whether all chains are recorded.
    public var isReadyToFinish: Bool { recorded.total == description.chains }

    /// Takes the results of a block of chains.
    ///
    /// Throws `.invalidValue`, and changes nothing, when its counts are not those of chains of the run or one of its
    /// chains is recorded already. After `.inputOutput` or `.full` the block counts as not recorded and may come again.
    public func record(_ block: BlockRecord) throws(RunFolderError) {
        try expectOpen()
        try block.check(against: description, folder: folder)
        let chains = block.firstChain..<(block.firstChain + block.chains)
        if let chain = recorded.first(in: chains) {
            throw RunFolderError(.invalidValue, path: folder, reason: "chain \(chain) is recorded already")
        }
        let (sum, overflows) = gradientEvaluations.addingReportingOverflow(block.gradientEvaluations)
        guard !overflows else {
            throw RunFolderError(.invalidValue, path: folder, reason: "the number of gradient evaluations overflows")
        }
        try samples.write(bytes: block.samples, atRow: block.firstChain)
        try statistics.write(block)
        recorded.insert(chains)
        gradientEvaluations = sum
    }

    /// Completes the folder and gives its summary; `provenance` is the text of `provenance.json`.
    ///
    /// Everything reaches the disk under hidden names first, so that a full disk shows before the first final name.
    /// The summary comes last and marks the folder as whole; the one of an earlier run goes before anything else.
    /// Throws `.incomplete` when chains are missing, and then nothing is lost; `.inputOutput`, `.full` or
    /// `.cannotCreate` when a file cannot be written.
    public func finish(provenance: [UInt8]) throws(RunFolderError) -> RunSummary {
        try expectOpen()
        guard isReadyToFinish else {
            throw RunFolderError(
                .incomplete, path: folder,
                reason: "only \(recorded.total) of \(description.chains) chains are recorded")
        }
        let summary = try summarize()
        var archive = try StagedFile(folder: folder, name: RunFolder.statisticsName)
        try statistics.writeArchive(to: archive.file)
        try archive.file.sync()
        var job = try staged(RunFolder.jobName, description.canonicalJob)
        var origin = try staged(RunFolder.provenanceName, provenance)
        var mark = try staged(RunFolder.summaryName, Array(summary.json.utf8))
        try samples.sync()

        try Folder.removeFile(Folder.path(folder, RunFolder.summaryName))
        try folderLock.sync()
        try samples.publish()
        try archive.publish()
        try job.publish()
        try origin.publish()
        try folderLock.sync()
        try mark.publish()
        try discard()
        try folderLock.sync()
        return summary
    }

    /// Gives the run up and removes its staging files. Nothing can be recorded afterwards.
    public func discard() throws(RunFolderError) {
        isOpen = false
        try samples.discard()
        try statistics.discard()
    }

    private func summarize() throws(RunFolderError) -> RunSummary {
        var hash = SHA256()
        try samples.forEachPiece { (piece) throws(RunFolderError) in hash.update(piece) }
        let acceptance = try statistics.acceptanceMeans()
        return RunSummary(
            jobHash: description.jobHash,
            name: description.name,
            chains: description.chains,
            draws: description.draws,
            shape: [description.dimension],
            acceptanceMean: acceptance.mean,
            acceptancePerLevel: acceptance.perLevel,
            stepSize: description.stepSizes.map { $0.isFinite ? $0 : nil },
            gradientEvaluations: gradientEvaluations,
            divergences: try statistics.divergenceCount(),
            logDensity: try statistics.logDensityMoments(),
            samplesSHA256: hash.finalize().hex)
    }

    private func staged(_ name: String, _ bytes: [UInt8]) throws(RunFolderError) -> StagedFile {
        let staged = try StagedFile(folder: folder, name: name)
        try staged.file.write(bytes, at: 0)
        try staged.file.sync()
        return staged
    }

    private func expectOpen() throws(RunFolderError) {
        guard isOpen else {
            throw RunFolderError(.invalidValue, path: folder, reason: "the run is finished or given up")
        }
    }
}

/// Which chains are recorded, one bit each.
private struct RecordedChains {
    private var words: [UInt64]
    private(set) var total = 0

    init(count: Int) {
        words = [UInt64](repeating: 0, count: (count + 63) / 64)
    }

    /// The first of these chains that is recorded.
    func first(in chains: Range<Int>) -> Int? {
        chains.first { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    /// Adds chains of which none is recorded yet.
    mutating func insert(_ chains: Range<Int>) {
        for chain in chains { words[chain / 64] |= 1 << UInt64(chain % 64) }
        total += chains.count
    }
}
