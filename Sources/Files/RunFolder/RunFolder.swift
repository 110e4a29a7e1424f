/// What a finished run leaves: the names in its folder, and how to look at one that is there.
package enum RunFolder {
    /// The canonical job.
    package static let jobName = "job.json"
    /// The draws, float32 [chains, draws, …shape].
    package static let samplesName = "samples.npy"
    /// Per-chain statistics.
    package static let statisticsName = "statistics.npz"
    /// Samples side by side, of a run whose points are images.
    package static let pictureName = "samples.png"
    /// Everything that depends on timing or placement.
    package static let provenanceName = "provenance.json"
    /// The summary, which is written last: where it stands, the run is whole.
    package static let summaryName = "summary.json"

    /// The summary of a finished run.
    ///
    /// Throws `.missing` when the folder holds none, `.inputOutput` when it cannot be read and `.malformed` when it is
    /// not a summary, or not the one that was written.
    package static func summary(in folder: String) throws(RunFolderError) -> RunSummary {
        let path = Folder.path(folder, summaryName)
        let file = try File(path, for: .reading)
        let bytes: [UInt8] = try file.read(count: try file.size(), at: 0)
        return try RunSummary(json: bytes, path: path)
    }

    /// Whether a folder holds a summary, sound or not: the mark that its run came to its end.
    package static func hasSummary(in folder: String) -> Bool { Folder.isFile(Folder.path(folder, summaryName)) }

    /// Whether the folder holds the finished run of the job with this hash: a summary that says so, beside it all files
    /// of a run, and samples of the shape that the summary names. Takes no time; ``content(of:)`` reads the samples too.
    package static func isComplete(_ folder: String, jobHash: String) -> Bool {
        guard let summary = try? summary(in: folder), summary.jobHash == jobHash else { return false }
        let others =
            [jobName, statisticsName, provenanceName] + (summary.pictureSHA256 == nil ? [] : [pictureName])
        guard others.allSatisfy({ Folder.isFile(Folder.path(folder, $0)) }) else { return false }
        return (try? checkShape(of: Folder.path(folder, samplesName), summary)) != nil
    }
}
