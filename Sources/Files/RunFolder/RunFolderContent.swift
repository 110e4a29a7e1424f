import ContentHash

/// What stands in an output folder. Hidden names don't count: staging files of runs, a local pool's state.
package enum RunFolderContent: Sendable, Equatable {
    /// There is no such folder.
    case absent
    /// Nothing stands in the way of a run.
    case empty
    /// The run of the job with this hash: all its files, each as it was written.
    case finished(jobHash: String)
    /// What was the run of that job once; `reason` names the file and what is wrong with it.
    case damaged(jobHash: String, reason: String)
    /// No finished run, but these names, in order: what a run would overwrite, and what isn't of a run.
    case foreign([String])
}

extension RunFolder {
    /// Looks at all that a folder holds. All files of a run are read to their end, which takes its time.
    ///
    /// Throws `.inputOutput` when the folder can't be listed or a file not be read, and `.cannotCreate` when `folder` is
    /// no folder.
    package static func content(of folder: String) throws(RunFolderError) -> RunFolderContent {
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
            let others = isHalf ? names.filter { !ownNames.contains($0) } : names
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
        let pictures = summary.pictureSHA256 == nil ? [] : [pictureName]
        for name in [jobName, statisticsName, provenanceName] + pictures
        where !Folder.isFile(Folder.path(folder, name)) {
            return "\(Folder.path(folder, name)): the file is missing"
        }
        do {
            try checkProvenance(in: folder, summary)
            // A job's identity is the SHA-256 of its text. The samples, which may be large, come last.
            try checkHash(of: Folder.path(folder, jobName), summary.jobHash)
            if let hash = summary.statisticsSHA256 {
                try checkHash(of: Folder.path(folder, statisticsName), hash)
            } else {
                try checkEnd(ofArchive: Folder.path(folder, statisticsName))
            }
            if let hash = summary.pictureSHA256 { try checkHash(of: Folder.path(folder, pictureName), hash) }
            try checkShape(of: Folder.path(folder, samplesName), summary)
            try checkHash(of: Folder.path(folder, samplesName), summary.samplesSHA256)
            return nil
        } catch {
            guard error.code == .malformed || error.code == .missing else { throw error }
            return "\(error)"
        }
    }

    private static func checkHash(of path: String, _ expected: String) throws(RunFolderError) {
        var hash = SHA256()
        try File(path, for: .reading).forEachPiece { (piece) throws(RunFolderError) in hash.update(piece) }
        guard hash.finalize().hex == expected else {
            throw RunFolderError(
                .malformed, path: path, reason: "its SHA-256 is not the one that the summary tells")
        }
    }

    /// What depends on timing can't be told in the summary: the provenance carries its own SHA-256.
    private static func checkProvenance(in folder: String, _ summary: RunSummary) throws(RunFolderError) {
        let file = try File(Folder.path(folder, provenanceName), for: .reading)
        let size = try file.size()
        switch Seal.condition(of: try file.read(count: size, at: 0)) {
        case .sound: return
        case .none where summary.statisticsSHA256 == nil && size > 0: return
        case .none, .broken: throw RunFolderError(.malformed, path: file.path, reason: Seal.complaint)
        }
    }

    /// Of statistics of which no hash is known the end alone tells whether they are whole.
    private static func checkEnd(ofArchive path: String) throws(RunFolderError) {
        let file = try File(path, for: .reading)
        let size = try file.size()
        let end = min(size, endOfArchive)
        let ending: [UInt8] = try file.read(count: end, at: size - end)
        guard ending.starts(with: Array("PK\u{5}\u{6}".utf8)) else {
            throw RunFolderError(.malformed, path: path, reason: "the file is cut off")
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
