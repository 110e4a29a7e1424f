import ContentHash
package import StrictJSON

/// An output folder while its run is under way: takes blocks in any order and becomes a finished folder at the end.
///
/// Until `finish`, the folder holds hidden staging files alone; dropped or killed before, a run leaves no file under a
/// final name. A run that was killed, or let go of with `suspend`, can be taken up again where `sync` last left it.
/// All bytes but those of the provenance depend on the job and its chains, never on the order of the blocks or on
/// interruptions. Memory: a few bytes for each gap between recorded chains, the numbers of one level each, and about a
/// megabyte; where samples are selected, 16 bytes a chain at the end.
package final class RunStaging {
    let folder: String
    let description: RunDescription
    /// Holds the lock on the folder.
    private let folderLock: File
    /// The draws of all chains.
    var draws: ArrayStaging
    private var hash: PrefixHash
    let statistics: StagedStatistics
    var job: StagedFile
    private var recorded: RecordedChains
    /// What was recorded when `sync` last returned.
    private var synced: RecordedChains
    /// Folders with names in them that have not reached the disk.
    private var unsyncedFolders: [String]
    private var isOpen = true

    /// Makes the folder, if need be, and the staging files in it; staging files of a killed run are replaced.
    ///
    /// Throws `.cannotCreate` when the folder or a file cannot be made, `.inUse` while another run is writing there and
    /// `.invalidValue` when the numbers do not describe a run.
    package init(folder: String, description: RunDescription) throws(RunFolderError) {
        try description.check(folder: folder)
        unsyncedFolders = try Folder.create(folder) + [folder]
        let folderLock = try RunStaging.lock(folder)
        draws = try ArrayStaging(
            folder: folder, name: description.drawsName, elementType: .float32, shape: description.samplesShape)
        hash = RunStaging.hash(of: draws, description)
        statistics = try StagedStatistics(folder: folder, of: description)
        job = try StagedFile(folder: folder, name: RunFolder.jobName)
        try job.file.write(description.canonicalJob, at: 0)
        recorded = RecordedChains()
        synced = recorded
        self.folder = folder
        self.description = description
        self.folderLock = folderLock
    }

    /// Takes up a run whose staging files an earlier process left in the folder.
    ///
    /// - Parameter suspended: what is in the files. The rows of all other chains are written anew, whatever stands there.
    ///
    /// A run that was killed within `finish` is taken up too. Throws `.missing` when a staging file is not there and
    /// `.malformed` when one is not of this run, its job or its size; then all files are left as they are, and the
    /// first initialiser starts the run from nothing. Throws `.inUse` while another run is writing there.
    package init(
        resuming folder: String, description: RunDescription, from suspended: SuspendedRun
    ) throws(RunFolderError) {
        try description.check(folder: folder)
        let folderLock = try RunStaging.lock(folder)
        try RunStaging.takeBackFinalNames(in: folder, of: description)
        job = try StagedFile(resuming: RunFolder.jobName, folder: folder)
        let size = try job.file.size()
        guard size == description.canonicalJob.count,
            try job.file.read(count: size, at: 0) == description.canonicalJob
        else {
            throw RunFolderError(.malformed, path: job.file.path, reason: "the staging files are those of another job")
        }
        draws = try ArrayStaging(
            resuming: description.drawsName, folder: folder, elementType: .float32, shape: description.samplesShape)
        hash = suspended.hash ?? RunStaging.hash(of: draws, description)
        statistics = try StagedStatistics(resuming: folder, of: description)
        draws.own()
        statistics.own()
        job.own()
        recorded = suspended.recorded
        synced = suspended.synced
        unsyncedFolders = [folder]
        self.folder = folder
        self.description = description
        self.folderLock = folderLock
    }

    deinit {
        // Before the lock goes, so that the files of a next run are safe.
        try? discard()
    }

    /// Chains recorded so far.
    package var recordedChains: Int { recorded.total }

    /// The same chains: runs of neighbours, as long as can be, in order.
    package var recordedRanges: [Range<Int>] { recorded.ranges }

    /// Gradients evaluated, all recorded chains together.
    package var gradientEvaluations: Int { recorded.gradientEvaluations }

    /// Whether all chains are recorded.
    package var isReadyToFinish: Bool { recorded.total == description.chains }

    /// Takes the results of a block of chains.
    ///
    /// Throws `.invalidValue`, and changes nothing, when its counts are not those of chains of the run or one of its
    /// chains is recorded already. After `.inputOutput` or `.full` the block counts as not recorded and may come again.
    package func record(_ block: BlockRecord) throws(RunFolderError) {
        try expectOpen()
        if let problem = block.problem(in: description) {
            throw RunFolderError(.invalidValue, path: folder, reason: problem)
        }
        let chains = block.firstChain..<(block.firstChain + block.chains)
        if let chain = recorded.first(in: chains) {
            throw RunFolderError(.invalidValue, path: folder, reason: "chain \(chain) is recorded already")
        }
        guard recorded.hasRoom(for: block.gradientEvaluations) else {
            throw RunFolderError(.invalidValue, path: folder, reason: "the number of gradient evaluations overflows")
        }
        try draws.write(bytes: block.samples, atRow: block.firstChain)
        try statistics.write(block)
        recorded.insert(chains, gradientEvaluations: block.gradientEvaluations)
    }

    /// Takes chains out that are recorded: whole blocks whose rows are damaged. They may come again.
    ///
    /// - Parameter gradientEvaluations: what these chains took.
    package func forget(_ chains: Range<Int>, gradientEvaluations: Int) throws(RunFolderError) {
        try expectOpen()
        guard chains.allSatisfy({ recorded.first(in: $0..<$0 + 1) != nil }) else {
            throw RunFolderError(.invalidValue, path: folder, reason: "the chains \(chains) are not all recorded")
        }
        recorded.remove(chains, gradientEvaluations: gradientEvaluations)
        synced = recorded
        // It may have taken them in.
        hash = RunStaging.hash(of: draws, description)
    }

    /// Returns when all that was recorded so far has reached the disk and would survive a loss of power.
    ///
    /// Throws `.inputOutput` or `.full`. Then what was recorded since the last `sync` counts as not recorded and may
    /// come again: after a failure the system no longer tells which of it is on the disk.
    package func sync() throws(RunFolderError) {
        try expectOpen()
        do {
            try draws.sync()
            try statistics.sync()
            if !unsyncedFolders.isEmpty {
                try job.file.syncContent()
                for folder in unsyncedFolders { try Folder.sync(folder) }
                unsyncedFolders = []
            }
        } catch {
            recorded = synced
            throw error
        }
        synced = recorded
        if !description.selects { hash.advance(to: draws.size(upToRow: recorded.prefix)) }
    }

    /// Lets go of the run and leaves its staging files, for ``init(resuming:description:from:)``. Nothing can be recorded
    /// afterwards.
    ///
    /// The folder stays locked until this object goes.
    @discardableResult
    package func suspend() -> SuspendedRun {
        isOpen = false
        draws.suspend()
        statistics.suspend()
        job.suspend()
        return SuspendedRun(recorded: recorded, synced: synced, hash: hash)
    }

    /// All numbers of a statistic, row by row, of chains that are not recorded zero; none if there is no such statistic.
    ///
    /// Throws `.invalidValue` when it holds numbers of another kind, and `.inputOutput`.
    package func values<Element: NpyElement>(
        of statistic: String, as type: Element.Type = Element.self
    ) throws(RunFolderError) -> [Element] {
        var values: [Element] = []
        try forEachRows(of: statistic, as: type) { (rows) throws(RunFolderError) in values += rows }
        return values
    }

    /// Hands the same numbers to `body`, some whole rows at a time, for those that are too many at once.
    package func forEachRows<Element: NpyElement>(
        of statistic: String, as type: Element.Type = Element.self,
        _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError) {
        try statistics.forEachRows(of: statistic, as: type, body)
    }

    /// The draws of some chains as they were recorded, [range.count * draws * dimension].
    package func draws(ofChains range: Range<Int>) throws(RunFolderError) -> [Float] { try draws.rows(range) }

    /// Completes the folder and gives its summary; `provenance` are the names and values of `provenance.json`, one or more.
    ///
    /// Everything reaches the disk under hidden names first, so that a full disk shows before the first final name.
    /// The summary comes last and marks the folder as whole; the one of an earlier run goes before anything else.
    /// Throws `.incomplete` when chains are missing, and `.invalidValue` when the conclusion is not of this run, and then
    /// nothing is lost; `.notFinite` when not one of the draws is finite; `.inputOutput`, `.full` or `.cannotCreate` when
    /// a file cannot be written.
    ///
    /// - Parameters:
    ///   - warnings: what the summary's other numbers give reason to doubt; they are written into it.
    ///   - diagnostics: what is thought of the samples; it too.
    package func finish(
        provenance: [(String, JSONText)], conclusion: RunConclusion, warnings: (RunSummary) -> [String] = { _ in [] },
        diagnostics: (RunSummary) throws(RunFolderError) -> RunDiagnostics? = { _ in nil }
    ) throws(RunFolderError) -> RunSummary {
        try expectOpen()
        guard isReadyToFinish else {
            throw RunFolderError(
                .incomplete, path: folder,
                reason: "only \(recorded.total) of \(description.chains) chains are recorded")
        }
        try conclusion.check(against: description, folder: folder)
        var archive = try StagedFile(folder: folder, name: RunFolder.statisticsName)
        var origin = try staged(RunFolder.provenanceName, Seal.text(of: provenance))
        let pictureBytes: [UInt8]?
        var selected: ArrayStaging?
        let samplesTold: (hash: Digest, nonFiniteDraws: Int)
        if let selection = conclusion.population?.selection {
            let samples = try select(selection)
            samplesTold = try RunStaging.hash(of: samples, description).finish(size: samples.fileSize)
            try samples.sync()
            pictureBytes = try picture(of: samples)
            selected = consume samples
            try statistics.writeArchive(to: archive.file, with: selectedRows(selection))
        } else {
            samplesTold = try hash.finish(size: draws.fileSize)
            try draws.sync()
            pictureBytes = try picture(of: draws)
            try statistics.writeArchive(to: archive.file, with: nil)
        }
        var picture: StagedFile?
        if let pictureBytes { picture = try staged(RunFolder.pictureName, pictureBytes) }
        let statisticsHash = PrefixHash(ofFile: archive.file.path)
        let archiveSize = try archive.file.size()
        // While the disk takes it in.
        statisticsHash.advance(to: archiveSize)
        try archive.file.sync()
        var summary = try summarize(conclusion, samplesTold)
        guard summary.nonFiniteDraws < description.chains * description.draws else {
            throw RunFolderError(
                .notFinite, path: folder,
                reason: "not one of the \(summary.nonFiniteDraws) draws is finite: the chains ran away; "
                    + "try smaller step sizes")
        }
        summary.statisticsSHA256 = try statisticsHash.finish(size: archiveSize).hash.hex
        summary.pictureSHA256 = pictureBytes.map { SHA256.hash(of: $0).hex }
        summary.warnings = warnings(summary)
        summary.diagnostics = try diagnostics(summary)
        var mark = try staged(RunFolder.summaryName, Array(summary.json.utf8))
        try job.file.sync()

        try Folder.removeFile(Folder.path(folder, RunFolder.summaryName))
        try folderLock.sync()
        if selected == nil { try draws.publish() } else { try selected?.publish() }
        // That of an earlier run would pass for this one's.
        if picture == nil { try Folder.removeFile(Folder.path(folder, RunFolder.pictureName)) }
        try picture?.publish()
        try archive.publish()
        try job.publish()
        try origin.publish()
        try folderLock.sync()
        try mark.publish()
        try folderLock.sync()
        // The run is whole: what is left over is no reason to run it again.
        try? discard()
        return summary
    }

    /// The rows of `samples.npy`: the draws of these chains, in ascending order.
    private func select(_ selection: [Int]) throws(RunFolderError) -> ArrayStaging {
        let samples = try ArrayStaging(
            folder: folder, name: RunFolder.samplesName, elementType: .float32, shape: description.samplesShape)
        let rowSize = draws.header.rowSize
        let mostRows = max(1, File.pieceSize / max(1, rowSize * MemoryLayout<Float>.size))
        var next = 0
        while next < selection.count {
            let first = selection[next]
            let piece = selection[next...].prefix(mostRows).prefix { $0 < first + mostRows }
            let rows: [Float] = try draws.rows(first..<(piece.last ?? first) + 1)
            let values = piece.flatMap { rows[($0 - first) * rowSize..<($0 - first + 1) * rowSize] }
            try samples.write(values, atRow: next)
            next += piece.count
        }
        return samples
    }

    private func selectedRows(_ selection: [Int]) throws(RunFolderError) -> ArrayStaging {
        let rows = try ArrayStaging(
            folder: folder, name: RunStatistic.selected + ".npy", elementType: .int32, shape: [selection.count])
        try rows.write(selection.map { Int32($0) }, atRow: 0)
        return rows
    }

    /// Gives the run up and removes its staging files. Nothing can be recorded afterwards.
    package func discard() throws(RunFolderError) {
        isOpen = false
        try draws.discard()
        try statistics.discard()
        try job.discard()
    }

    /// Removes the staging files of a run that is not taken up again. Throws `.inUse` while a run is writing there.
    package static func discard(in folder: String) throws(RunFolderError) {
        guard Folder.isFolder(folder) else { return }
        let folderLock = try lock(folder)
        for name in try Folder.names(in: folder) where StagedFile.isHidden(name) {
            try Folder.removeFile(Folder.path(folder, name))
        }
        try folderLock.sync()
    }

    private func summarize(
        _ conclusion: RunConclusion, _ samples: (hash: Digest, nonFiniteDraws: Int)
    ) throws(RunFolderError) -> RunSummary {
        let acceptance = try statistics.acceptanceMeans(levels: description.levels)
        let population = conclusion.population
        return RunSummary(
            jobHash: description.jobHash,
            name: description.name,
            chains: description.chains,
            draws: description.draws,
            shape: description.shape,
            acceptanceMean: acceptance.mean,
            acceptancePerLevel: acceptance.perLevel,
            stepSize: conclusion.stepSizes.map { $0.isFinite ? $0 : nil },
            gradientEvaluations: recorded.gradientEvaluations,
            divergences: try statistics.divergenceCount(),
            nonFiniteDraws: samples.nonFiniteDraws,
            logNormalizer: population?.logNormalizer,
            population: population.map {
                RunSummary.PopulationWorth(
                    effectiveSize: $0.effectiveSize, distinctChains: Set($0.selection).count, ancestors: $0.ancestors)
            },
            preliminaries: conclusion.preliminaries,
            logDensity: try statistics.logDensityMoments(of: population?.selection),
            samplesSHA256: samples.hash.hex)
    }

    private func staged(_ name: String, _ bytes: [UInt8]) throws(RunFolderError) -> StagedFile {
        let staged = try StagedFile(folder: folder, name: name)
        try staged.file.write(bytes, at: 0)
        try staged.file.sync()
        return staged
    }

    private static func hash(of samples: borrowing ArrayStaging, _ description: RunDescription) -> PrefixHash {
        PrefixHash(
            ofFile: samples.path,
            draws: NonFiniteDraws(dataOffset: samples.dataOffset, dimension: description.dimension))
    }

    private static func lock(_ folder: String) throws(RunFolderError) -> File {
        let folderLock = try File(folder, for: .folder)
        guard folderLock.tryLock() else {
            throw RunFolderError(.inUse, path: folder, reason: "another run is writing to this folder")
        }
        return folderLock
    }

    /// Gives files that a killed `finish` had given their names already their hidden names back.
    ///
    /// They are this run's: the hidden statistics stay until the end, `finish` removes the summary of an earlier run
    /// before it gives the first name, and the other hidden files are there from the run's start until then.
    private static func takeBackFinalNames(
        in folder: String, of run: RunDescription
    ) throws(RunFolderError) {
        let statistics = run.statistics.map { Folder.path(folder, StagedFile.hiddenName(of: $0.fileName)) }
        guard !Folder.isFile(Folder.path(folder, RunFolder.summaryName)), statistics.allSatisfy(Folder.isFile) else {
            return
        }
        for name in [run.drawsName, RunFolder.jobName] {
            let (hidden, final) = (
                Folder.path(folder, StagedFile.hiddenName(of: name)), Folder.path(folder, name)
            )
            guard !Folder.isFile(hidden), Folder.isFile(final) else { continue }
            try Folder.rename(final, to: hidden)
        }
    }

    func expectOpen() throws(RunFolderError) {
        guard isOpen else {
            throw RunFolderError(.invalidValue, path: folder, reason: "the run is finished or given up")
        }
    }
}
