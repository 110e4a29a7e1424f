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
        var transfer = RunTransfer(client, of: identity, to: folder) { [force, folder] in
            if !force { _ = try OutputFolder(folder, for: identity).holdsResult() }
        }
        return try transfer.run()
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
                if try status.isDone() { return }
            default:
                break
            }
        }
    }
}
