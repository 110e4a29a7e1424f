import ContentHash
import JobFile
import Journal
import Logging
import Messaging
import ModelTransfer
import RunFolder

/// How much is taken on, and how much is said at a time.
extension FrontDesk {
    /// The most chains of all jobs that are not over.
    static let mostChains = 1 << 33
    /// The most bytes of the texts of all jobs that are not over, and of the arrays in files that they name.
    static let mostTextBytes = 256 << 20
    /// The most workers in one answer.
    static let mostListedWorkers = 50_000
    /// Of the reason why a job failed, in a list of many.
    static let listedFailureBytes = 1_024
    /// Inquiries that wait until their peers have read what they were sent.
    static let mostPostponed = 256
    /// Those of one peer: as many pieces as are asked for at a time.
    static let mostPostponedOfPeer = 4
    /// The model store is kept below this size, in bytes, as far as unfinished jobs do not need it.
    static let mostModelBytes = 64 << 30

    /// Why a job cannot be taken on now, and what to do; nil if it can.
    func problem(of job: Job, textBytes: Int) -> String? {
        if let problem = job.problemOfBlocks { return problem }
        let unfinished = jobs.values.filter { !$0.state.isOver && $0.identity != job.identity }
        let chains = unfinished.reduce(0) { $0 + $1.chains }
        if chains + job.chains > Self.mostChains {
            return "the unfinished jobs here have \(chains) chains, and with these \(job.chains) they would be more "
                + "than \(Self.mostChains); wait until some are done, cancel some, or make \"chains\" fewer"
        }
        let bytes = unfinished.reduce(0) {
            $0 + ($1.work.map { $0.form.description.canonicalJob.count + $0.job.storedBytes } ?? 0)
        }
        let ownBytes = textBytes + job.storedBytes
        if bytes + ownBytes > Self.mostTextBytes {
            return
                "the texts and arrays of the unfinished jobs here have \(bytes) bytes, and with the \(ownBytes) of this "
                + "job they would be more than \(Self.mostTextBytes); wait until some are done, or cancel some"
        }
        return nil
    }

    // MARK: Inquiries

    /// Answers what may have a long answer, at once or when its peer has read the ones before.
    mutating func inquire(_ message: Message, _ peer: PeerID, over connection: Connection?) {
        if budget.admits(connection) { return answer(inquiry: message, peer, over: connection) }
        // Whoever gets no answer asks again, or has not read for a long time.
        guard postponed.count < Self.mostPostponed,
            postponed.count(where: { $0.peer == peer }) < Self.mostPostponedOfPeer
        else { return }
        postponed.append(Inquiry(message: message, peer: peer, connection: connection))
    }

    /// Answers inquiries that have waited.
    mutating func answerPostponed() {
        guard !postponed.isEmpty else { return }
        let waiting = postponed
        postponed = []
        for inquiry in waiting { inquire(inquiry.message, inquiry.peer, over: inquiry.connection) }
    }

    private mutating func answer(inquiry message: Message, _ peer: PeerID, over connection: Connection?) {
        connectionAtHand = connection
        defer { connectionAtHand = nil }
        switch message {
        case .statusRequest(let job): status(of: job, to: peer)
        case .workersRequest: send(.workers(workerList()), to: peer)
        case .fetch(let job, let file, let offset, let length): fetch(job, file, offset, length, peer)
        case .modelRequest:
            if let worker = workerByPeer[peer] { hear(message, from: worker, peer) }
        default: break
        }
    }

    /// Ends connections that take too much; those of workers are trusted.
    mutating func watch(_ watch: ConnectionWatch) {
        var known: Set<Connection.Identity>?
        let done = watch.look(at: now) { identity in
            let identities = known ?? Set(workers.values.compactMap(\.identity))
            known = identities
            return identities.contains(identity)
        }
        if let done, complaints.admits(.connection) { logger.warning("\(done)") }
    }

    // MARK: Models

    /// Whether a job that is not over needs the model.
    private func isNeeded(_ model: Digest) -> Bool {
        if intake.isNeeded(model) { return true }
        if jobs.values.contains(where: { $0.work?.job.modelDigests.contains(model) == true }) { return true }
        // Jobs that wait for others of their models are texts.
        return past.values.contains {
            !$0.job.state.isOver && String(decoding: $0.job.record.text, as: UTF8.self).contains(model.hex)
        }
    }

    /// Removes models that came with a job which was not accepted, and the least recently used if there are too many.
    mutating func tidyModels() {
        let abandoned = intake.takeAbandoned()
        for model in abandoned where !isNeeded(model) { models.remove(model) }
        guard intake.hasReceived else { return }
        intake.hasReceived = false
        models.makeRoom(within: Self.mostModelBytes) { isNeeded($0) }
    }
}

/// A question that waits until its peer has read what it was sent.
struct Inquiry {
    let message: Message
    let peer: PeerID
    let connection: Connection?
}
