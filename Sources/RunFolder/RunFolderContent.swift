import ContentHash

/// What stands in an output folder. Hidden names don't count: staging files of runs, a local pool's state.
public enum RunFolderContent: Sendable, Equatable {
    /// There is no such folder.
    case absent
    /// Nothing stands in the way of a run.
    case empty
    /// The run of the job with this hash: all its files, with the samples that its summary tells of.
    case finished(jobHash: String)
    /// What was the run of that job once; `reason` names the file and what is wrong with it.
    case damaged(jobHash: String, reason: String)
    /// No finished run, but these names, in order: what a run would overwrite, and what isn't of a run.
    case foreign([String])
}

extension RunFolder {
    /// Looks at all that a folder holds. The samples are read to their end, which takes its time.
    ///
    /// Throws `.inputOutput` when the folder can't be listed or a file not be read, and `.cannotCreate` when `folder` is
    /// no folder.
    public static func content(of folder: String) throws(RunFolderError) -> RunFolderContent {
        let all: [String]
        do {
            all = try Folder.names(in: folder)
        } catch {
            if error.code == .missing { return .absent }
            throw error
        }
        let names = all.filter { !$0.hasPrefix(".") }.sorted()
        guard names.contains(summaryName) else {
            // A summary under its hidden name alone: a run was killed while its files got their names, one by one.
            let isHalf = all.contains(StagedFile.hiddenName(of: summaryName))
            let others = isHalf ? names.filter { !fileNames.contains($0) } : names
            return others.isEmpty ? .empty : .foreign(others)
        }
        let summary: RunSummary
        do {
            summary = try self.summary(in: folder)
        } catch {
            guard error.code == .malformed || error.code == .missing else { throw error }
            // The job's own text tells whose run it was.
            guard let job = try? SHA256.hash(ofFile: Folder.path(folder, jobName)) else { return .foreign(names) }
            return .damaged(jobHash: job.hex, reason: "\(error)")
        }
        guard let reason = try damage(in: folder, summary) else { return .finished(jobHash: summary.jobHash) }
        return .damaged(jobHash: summary.jobHash, reason: reason)
    }

    /// Bytes that a zip archive without a comment ends with.
    private static let endOfArchive = 22

    /// What is wrong with the files beside a summary; nil if nothing is.
    private static func damage(in folder: String, _ summary: RunSummary) throws(RunFolderError) -> String? {
        for name in [jobName, statisticsName, provenanceName] where !Folder.isFile(Folder.path(folder, name)) {
            return "\(Folder.path(folder, name)): the file is missing"
        }
        for name in [jobName, statisticsName, provenanceName] {
            let file = try File(Folder.path(folder, name), for: .reading)
            let size = try file.size()
            let end = min(size, endOfArchive)
            let ending: [UInt8] = try file.read(count: end, at: size - end)
            guard size > 0, name != statisticsName || ending.starts(with: Array("PK\u{5}\u{6}".utf8)) else {
                return "\(Folder.path(folder, name)): the file is cut off"
            }
        }
        let path = Folder.path(folder, samplesName)
        do {
            try checkShape(of: path, summary)
            var hash = SHA256()
            try File(path, for: .reading).forEachPiece { (piece) throws(RunFolderError) in hash.update(piece) }
            guard hash.finalize().hex == summary.samplesSHA256 else {
                return "\(path): its SHA-256 is not the one that the summary tells"
            }
            return nil
        } catch {
            guard error.code == .malformed || error.code == .missing else { throw error }
            return "\(error)"
        }
    }

    /// Throws `.malformed` or `.missing` when the samples are not of the shape that the summary names.
    static func checkShape(of samples: String, _ summary: RunSummary) throws(RunFolderError) {
        let header = try NpyReader(path: samples).header
        let shape = [summary.chains, summary.draws] + summary.shape
        guard header.elementType == .float32, header.shape == shape else {
            throw RunFolderError(
                .malformed, path: samples,
                reason: "holds \(header.elementType.rawValue) \(header.shape), the summary tells of \(shape)")
        }
    }
}
