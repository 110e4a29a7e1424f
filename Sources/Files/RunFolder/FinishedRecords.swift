/// A finished run's folder, open for reading.
package final class FinishedRecords: RunRecords {
    /// The content of `summary.json`.
    package let summary: RunSummary
    /// The text of `job.json`.
    package let canonicalJob: [UInt8]
    package let selection: [Int]?
    private let samples: NpyReader
    private let statistics: NpzReader

    /// Reads all files of the folder to see that they are as they were written, and opens them.
    ///
    /// Throws `.missing` when there is no finished run in it, `.malformed` when one is damaged, `.inputOutput`.
    package init(_ folder: String) throws(RunFolderError) {
        let content: RunFolderContent
        do throws(RunFolderError) {
            content = try RunFolder.content(of: folder)
        } catch  where error.code == .cannotCreate {
            throw RunFolderError(
                .missing, path: folder, reason: "is no folder; name a folder that \"submit\" has written")
        }
        switch content {
        case .finished: break
        case .damaged(_, let reason):
            throw RunFolderError(
                .malformed, path: folder, reason: "the run is damaged: \(reason); run its job again with --force")
        case .absent: throw RunFolderError(.missing, path: folder, reason: "no such folder")
        case .empty, .foreign:
            throw RunFolderError(
                .missing, path: folder, reason: "holds no finished run; name a folder that \"submit\" has written")
        }
        summary = try RunFolder.summary(in: folder)
        let job = try File(Folder.path(folder, RunFolder.jobName), for: .reading)
        canonicalJob = try job.read(count: try job.size(), at: 0)
        samples = try NpyReader(path: Folder.path(folder, RunFolder.samplesName))
        statistics = try NpzReader(path: Folder.path(folder, RunFolder.statisticsName))
        var selected: [Int]?
        if statistics.names.contains(RunStatistic.selected) {
            let rows: [Int32] = try statistics.array(RunStatistic.selected).all()
            selected = rows.map { Int($0) }
        }
        selection = selected
    }

    /// Some of all the numbers of `samples.npy`, one after the other.
    func samples(numbered numbers: Range<Int>) throws(RunFolderError) -> [Float] { try samples.numbers(numbers) }

    package func samples(ofRows rows: Range<Int>) throws(RunFolderError) -> [Float] { try samples.rows(rows) }

    /// The array of a statistic, open for reading. Throws `.missing` if there is none of that name.
    func array(of statistic: String) throws(RunFolderError) -> NpyReader { try statistics.array(statistic) }

    /// The numbers of each row of a statistic; 0 if there is none of that name.
    package func columns(of statistic: String) throws(RunFolderError) -> Int {
        statistics.names.contains(statistic) ? try statistics.array(statistic).header.rowSize : 0
    }

    package func forEachRows<Element: NpyElement>(
        of statistic: String, as type: Element.Type, _ body: ([Element]) throws(RunFolderError) -> Void
    ) throws(RunFolderError) {
        guard statistics.names.contains(statistic) else { return }
        let array = try statistics.array(statistic)
        let step = max(1, File.pieceSize / max(1, array.header.rowSize * array.header.elementType.size))
        for first in stride(from: 0, to: array.header.rows, by: step) {
            try body(try array.rows(first..<min(first + step, array.header.rows)))
        }
    }
}
