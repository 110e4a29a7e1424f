import ContentHash
package import JobFile
package import Messaging
import ModelTransfer
package import RunFolder

/// A job's way from the submitter's side: hand it in, watch it, bring its files home.
package struct Submission {
    private var client: PoolClient
    private let job: Job
    private let folder: String
    private let force: Bool
    private let terms: SubmissionTerms
    /// Whether the job goes when its submitter is interrupted.
    private let cancelsWhenInterrupted: Bool

    /// - Parameters:
    ///   - folder: where the files go.
    ///   - force: whether to begin anew what is done, or begun.
    ///   - terms: how the job is to be treated.
    ///   - cancelsWhenInterrupted: whether the job is cancelled on a signal; else the coordinator keeps what is done.
    package init(
        client: PoolClient, job: Job, folder: String, force: Bool, terms: SubmissionTerms = SubmissionTerms(),
        cancelsWhenInterrupted: Bool = true
    ) {
        self.client = client
        self.job = job
        self.folder = folder
        self.force = force
        self.terms = terms
        self.cancelsWhenInterrupted = cancelsWhenInterrupted
    }

    /// Hands the job in, with the models that the coordinator lacks, and does not wait for it.
    ///
    /// - Returns: whether it is finished already.
    /// - Throws: ``PoolClientError``.
    @discardableResult
    package mutating func submit(watch: Bool) throws -> Bool {
        let question = Message.submit(
            jobText: Array(job.canonicalText.utf8), force: force, watch: watch, terms: terms)
        let clock = ContinuousClock()
        guard try client.send(question, within: .seconds(4)) else { throw client.unreachable() }
        var heard = clock.now
        // A coordinator that has answered once may take its time over models.
        var patience = Duration.seconds(4)
        while clock.now - heard < patience {
            guard let message = try client.receive(within: .seconds(3)) else {
                if client.interruptedBy != nil { throw client.unreachable() }
                // One that started anew has forgotten the question.
                _ = try client.send(question, within: .milliseconds(100))
                continue
            }
            (heard, patience) = (clock.now, .seconds(30))
            switch message {
            case .accepted(_, let finished): return finished
            case .refusal(let status, let text): throw PoolClientError(exitStatus: status, text)
            case .modelRequest(let request): try answer(request)
            default: break
            }
        }
        throw client.unreachable()
    }

    private mutating func answer(_ request: ModelRequest) throws {
        // What does not get through is asked for again.
        _ = try client.send(ModelUpload.answer(request, from: job.modelPaths[request.model]), within: .seconds(4))
    }

    /// Hands the job in, follows it to its end and writes its folder.
    ///
    /// - Parameter report: called with every change, a few times a second.
    /// - Throws: ``PoolClientError``: 2 if the job failed, 69 if the coordinator stays silent for 30 s,
    ///   130 or 143 after a signal, 73 if the folder has come to hold what the job would replace; `RunFolderError`.
    package mutating func run(_ report: (JobStatus) -> Void) throws -> RunSummary {
        let text = Array(job.canonicalText.utf8)
        let identity = job.identity
        let finished: Bool
        do {
            finished = try submit(watch: true)
        } catch  where client.interruptedBy != nil {
            // The job may have arrived all the same.
            try giveUp(identity)
            throw error
        }
        if !finished { try watch(identity, text, report) }
        return try fetch(identity)
    }

    private mutating func giveUp(_ identity: Digest) throws {
        if cancelsWhenInterrupted { _ = try client.send(.cancel(job: identity), within: .milliseconds(200)) }
    }

    private mutating func watch(_ identity: Digest, _ text: [UInt8], _ report: (JobStatus) -> Void) throws {
        let clock = ContinuousClock()
        var heard = clock.now
        while true {
            let message = try client.receive(within: .seconds(3))
            if let signal = client.interruptedBy {
                try giveUp(identity)
                throw PoolClientError(
                    exitStatus: 128 + signal,
                    "interrupted" + (cancelsWhenInterrupted ? "; the job is cancelled unless others want it" : ""))
            }
            guard let message else {
                guard clock.now - heard < .seconds(30) else {
                    throw PoolClientError(
                        exitStatus: 69, "the coordinator has been silent for 30 s; submit again to join the job")
                }
                // A coordinator that started anew has forgotten who watches; handing in again joins the job.
                _ = try client.send(
                    .submit(jobText: text, force: false, watch: true, terms: terms), within: .milliseconds(100))
                continue
            }
            heard = clock.now
            switch message {
            case .refusal(let status, let text):
                throw PoolClientError(exitStatus: status, text)
            case .accepted(_, alreadyFinished: true):
                return
            case .modelRequest(let request):
                try answer(request)
            case .event(let status) where status.job == identity:
                report(status)
                switch status.state {
                case .finished: return
                case .failed: throw PoolClientError(exitStatus: 2, "the job failed: \(status.failure)")
                case .cancelled: throw PoolClientError(exitStatus: 2, "the job was cancelled")
                default: break
                }
            default:
                break
            }
        }
    }

    /// Brings all files, under hidden names until the last of them is there.
    private mutating func fetch(_ identity: Digest) throws -> RunSummary {
        var files: [(name: String, file: IncomingFile)] = []
        for name in RunFolder.fileNames {
            // Somebody else may have written there while the job ran. This is the last moment to tell: beside the hidden
            // summary other files count as this run's own.
            if !force, name == RunFolder.summaryName { _ = try OutputFolder(folder, for: identity).holdsResult() }
            files.append((name, try bring(name, of: identity)))
        }
        let told = try files.last?.file.content() ?? []
        // A summary that can't be read is told of below, where it has its name.
        if (try? RunSummary(json: told))?.pictureSHA256 != nil {
            files.insert((RunFolder.pictureName, try bring(RunFolder.pictureName, of: identity)), at: 0)
        }
        try RunFolder.removeSummary(in: folder)
        for (_, file) in files { try file.publish() }
        do {
            let summary = try RunFolder.summary(in: folder)
            var expected = [RunFolder.samplesName: summary.samplesSHA256, RunFolder.jobName: identity.hex]
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
    private mutating func bring(_ name: String, of identity: Digest) throws -> IncomingFile {
        let file = try IncomingFile(folder: folder, name: name)
        var offset = 0
        var total = Int.max
        while offset < total {
            let chunk = try client.ask(
                .fetch(job: identity, file: name, offset: offset, length: 4 << 20), within: .seconds(30)
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
