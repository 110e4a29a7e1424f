import ContentHash
import Journal
import Messaging
import PoolCore
import ProgramVersion
import RunFolder

/// What is answered to those who ask how things stand, and how much is said at a time.
extension CoordinatorCore {
    /// The most workers in one answer.
    static let mostListedWorkers = 50_000
    /// Of the reason why a job failed, in a list of many.
    static let listedFailureBytes = 1_024
    /// Inquiries that wait until their peers have read what they were sent.
    static let mostPostponed = 256
    /// Those of one peer: as many pieces as are asked for at a time.
    static let mostPostponedOfPeer = 4
    /// The most bytes of a file in one answer.
    private static let longestPart = 4 << 20

    /// Answers what may have a long answer, at once or when its peer has read the ones before.
    mutating func inquire(_ message: Message, _ peer: PeerID, over line: Line?) {
        if admits(line) { return answer(inquiry: message, peer, over: line) }
        // Whoever gets no answer asks again, or has not read for a long time.
        guard postponed.count < Self.mostPostponed,
            postponed.count(where: { $0.peer == peer }) < Self.mostPostponedOfPeer
        else { return }
        postponed.append(Inquiry(message: message, peer: peer, line: line))
    }

    /// Answers inquiries that have waited.
    mutating func answerPostponed() {
        guard !postponed.isEmpty else { return }
        let waiting = postponed
        postponed = []
        for inquiry in waiting { inquire(inquiry.message, inquiry.peer, over: inquiry.line) }
    }

    private mutating func answer(inquiry message: Message, _ peer: PeerID, over line: Line?) {
        switch message {
        case .statusRequest(let job): status(of: job, to: peer, over: line)
        case .workersRequest: send(.workers(workerList()), to: peer, over: line)
        case .explain(let job, let chain): explain(job, chain: chain, to: peer)
        case .fetch(let job, let file, let offset, let length):
            guard RunFolder.ownNames.contains(file) else {
                send(.refusal(exitStatus: 65, text: "a run has no file \"\(file)\""), to: peer)
                return
            }
            if configuration.keptFor != nil, jobs[job] != nil || past[job] != nil { fetched[job] = now }
            let part = min(length, Self.longestPart)
            perform(.sendFile(job, name: file, offset: offset, length: part, to: peer))
            owe(part, over: line)
        case .modelRequest:
            if let worker = workerByPeer[peer] { hear(message, from: worker, peer) }
        default: break
        }
    }

    // MARK: Jobs

    private func notice(of job: RunningJob) -> String {
        if !storageNotice.isEmpty { return storageNotice }
        if let notice = strandedNotice(of: job) { return notice }
        if let servers = scheduler.view(of: job.number)?.missingServers, !servers.isEmpty {
            return "waits for a worker with the model server\(servers.count > 1 ? "s" : "") "
                + servers.map { "\"\($0)\"" }.joined(separator: ", ")
                + ": start rrr-worker --server \(servers[0])=COMMAND"
        }
        return scheduler.view(of: job.number)?.obstacle ?? preliminaryNotice(of: job)
    }

    func status(_ job: RunningJob) -> JobStatus {
        job.status(workers: scheduler.capacity.workers, notice: notice(of: job), at: now)
    }

    /// Of a job that has not been taken up again.
    private func status(_ past: PastJob) -> JobStatus {
        let (job, isFinished) = (past.job, past.job.outcome == .finished)
        return JobStatus(
            job: job.record.hash, name: past.name, state: past.trouble == nil ? job.state : .failed,
            chainsTotal: past.chains,
            chainsDone: isFinished ? past.chains : 0, fraction: isFinished ? 1 : 0, acceptance: .nan,
            secondsElapsed: job.secondsElapsed ?? 0, workers: scheduler.capacity.workers,
            failure: past.trouble ?? job.failure,
            notice: past.trouble != nil || job.state.isOver
                ? "" : "waits for its model files; hand it in again with them",
            priority: job.record.priority, submittedAt: job.record.submittedAt,
            isPreliminary: job.record.isPreliminary)
    }

    /// How a job is; nil for one that is not known.
    func status(of id: Digest) -> JobStatus? { jobs[id].map { status($0) } ?? past[id].map { status($0) } }

    /// As many jobs as are listed, in the order of their numbers.
    private func latestJobs() -> [JobStatus] {
        let numbers = jobs.values.map { ($0.number, $0.identity) } + past.map { ($1.job.record.number, $0) }
        return numbers.sorted { $0.0 < $1.0 }.suffix(PoolStatus.mostJobs).compactMap {
            var status = status(of: $0.1)
            status?.cutFailure(to: Self.listedFailureBytes)
            return status
        }
    }

    /// - Parameter line: what the answer goes by, if it may be long.
    mutating func status(of id: Digest?, to peer: PeerID, over line: Line? = nil) {
        let capacity = scheduler.capacity
        let listed = id.map { status(of: $0).map { [$0] } ?? [] } ?? latestJobs()
        send(
            .poolStatus(
                PoolStatus(
                    jobs: listed, workers: capacity.workers,
                    slots: capacity.slots, version: programVersion, uptimeSeconds: now / .seconds(1),
                    protection: configuration.protection, refused: refusalCounts)),
            to: peer, over: line)
    }

    /// Tells those who watch a job how it stands.
    mutating func announce(_ id: Digest) {
        guard let job = jobs[id], !job.watchers.isEmpty else { return }
        let status = status(job)
        for watcher in job.watchers.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            send(.event(status), to: watcher)
        }
    }

    // MARK: Workers

    private func workerList() -> [WorkerStatus] {
        workers.sorted { $0.key < $1.key }.prefix(Self.mostListedWorkers).compactMap { id, entry in
            scheduler.view(of: id, at: now).map {
                WorkerStatus(
                    worker: id, host: entry.registration.host, process: entry.registration.process, slots: $0.slots,
                    version: entry.registration.version, fingerprint: entry.registration.fingerprint,
                    blocksDone: $0.finished, blocksRunning: $0.running, secondsSinceHeard: $0.silence / .seconds(1),
                    servers: entry.registration.servers)
            }
        }
    }
}

/// A question that waits until its peer has read what it was sent.
struct Inquiry {
    let message: Message
    let peer: PeerID
    let line: Line?
}
