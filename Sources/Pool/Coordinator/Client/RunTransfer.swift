package import ContentHash
import Messaging
package import RunFolder

/// Brings the files of a finished job from its coordinator, a piece at a time: meanwhile it does other things.
package struct RunTransfer {
    private var client: PoolClient
    private let job: Digest
    private let folder: String
    private let check: () throws -> Void

    private static let pieceBytes = 4 << 20

    /// - Parameter check: called before the first file gets its name: somebody else may have written there meanwhile.
    package init(_ client: PoolClient, of job: Digest, to folder: String, checking check: @escaping () throws -> Void) {
        (self.client, self.job, self.folder, self.check) = (client, job, folder, check)
    }

    /// Brings all files, under hidden names until the last of them is there.
    ///
    /// - Throws: ``PoolClientError``: 69 if the coordinator does not answer, 74 if a file is not the one that the summary
    ///   tells of; `RunFolderError`; what the check throws.
    package mutating func run() throws -> RunSummary {
        var files: [(name: String, file: IncomingFile)] = []
        for name in RunFolder.fileNames {
            // The last moment to tell: beside the hidden summary other files count as this run's own.
            if name == RunFolder.summaryName { try check() }
            files.append((name, try bring(name)))
        }
        let told = try files.last?.file.content() ?? []
        // A summary that can't be read is told of below, where it has its name.
        if (try? RunSummary(json: told))?.pictureSHA256 != nil {
            files.insert((RunFolder.pictureName, try bring(RunFolder.pictureName)), at: 0)
        }
        try RunFolder.removeSummary(in: folder)
        for (_, file) in files { try file.publish() }
        do {
            let summary = try RunFolder.summary(in: folder)
            var expected = [RunFolder.samplesName: summary.samplesSHA256, RunFolder.jobName: job.hex]
            expected[RunFolder.statisticsName] = summary.statisticsSHA256
            expected[RunFolder.pictureName] = summary.pictureSHA256
            for (name, file) in files {
                guard let hash = expected[name], hash != file.hash else { continue }
                throw PoolClientError(
                    exitStatus: 74, "\(folder): the \(name) that arrived is not the one that the summary tells of")
            }
            return summary
        } catch {
            try RunFolder.removeSummary(in: folder)
            throw error
        }
    }

    /// Brings one file, under its hidden name.
    private mutating func bring(_ name: String) throws -> IncomingFile {
        let file = try IncomingFile(folder: folder, name: name)
        var offset = 0
        var total = Int.max
        while offset < total {
            let chunk = try client.ask(
                .fetch(job: job, file: name, offset: offset, length: Self.pieceBytes), within: .seconds(30)
            ) { answer -> FileChunk? in
                if case .fileChunk(let chunk) = answer, chunk.file == name, chunk.offset == offset {
                    chunk
                } else {
                    nil
                }
            }
            guard !chunk.data.isEmpty || chunk.total <= offset else {
                throw PoolClientError(
                    exitStatus: 74, "the coordinator sends nothing of \(name) at \(offset) of \(chunk.total) bytes")
            }
            try file.write(chunk.data, at: offset)
            offset += chunk.data.count
            total = chunk.total
        }
        return file
    }
}
