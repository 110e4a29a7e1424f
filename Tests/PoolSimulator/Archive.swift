import ContentHash
import CoordinatorCore
import JobFile
import Journal
import PoolCore
import RunFolder

/// A model of the coordinator's archive: what was written outlasts it, what waits to be written does not.
struct Archive {
    private struct Result {
        let worker: String
        let attempt: Int
        let digest: Digest
        let isLie: Bool
        var isToBeVerified: Bool
        var isVerified = false
    }

    private struct Stored {
        var job: RecoveredJob
        var finished: [Int: Result] = [:]
        /// By block: what it has come to.
        var states: [Int: [UInt8]] = [:]
        /// What has come of states that are on their way.
        var arriving: [Attempt: (steps: Int, bytes: [UInt8])] = [:]
        /// Whether its results are taken in.
        var isOpen = false
    }

    private var stored: [JobNumber: Stored] = [:]
    /// Jobs whose folder holds a finished run, with the arithmetic that it was done with.
    private(set) var folders: [Digest: String] = [:]
    var waiting: [ArchiveRequest] = []
    private var writing: [ArchiveRequest] = []
    /// Bytes of a piece of a state that is read; nil for whole states.
    let pieceBytes: Int?

    init(pieceBytes: Int?) { self.pieceBytes = pieceBytes }

    /// What it knows of a job; nil for nothing.
    func job(_ id: Digest) -> RecoveredJob? {
        stored.values.first { $0.job.record.hash == id }.map(recovered)
    }

    /// Steps behind the checkpoint of a block; 0 for none.
    func steps(_ number: JobNumber, _ block: Int) -> Int { stored[number]?.job.checkpoints[block]?.stepsDone ?? 0 }

    /// What a coordinator finds that begins.
    var past: [PastJob] { stored.sorted { $0.key < $1.key }.map { PastJob(recovered($0.value)) } }

    /// The last number that a job had.
    var lastNumber: JobNumber { stored.keys.max() ?? 0 }

    var isIdle: Bool { waiting.isEmpty && writing.isEmpty }

    private func recovered(_ stored: Stored) -> RecoveredJob {
        var job = stored.job
        job.finishedBlocks = stored.finished.keys.sorted().map { $0..<$0 + 1 }
        job.verifiedBlocks = stored.finished.filter { $0.value.isVerified }.keys.sorted()
        let unverified = stored.finished.filter { $0.value.isToBeVerified && !$0.value.isVerified }
        job.unverifiedBlocks = unverified.compactMapValues { result in
            job.workers.first { $0.worker.name == result.worker }.map {
                UnverifiedBlock(worker: $0.worker, attempt: result.attempt)
            }
        }
        return job
    }

    /// Whether results of a job are stored that are not what its blocks come to.
    func hasLies(_ id: Digest) -> Bool {
        stored.values.first { $0.job.record.hash == id }?.finished.values.contains { $0.isLie } ?? false
    }

    /// Takes back what a party has brought and nobody has verified.
    private mutating func disown(_ party: String) -> [ArchiveReply] {
        stored.keys.sorted().compactMap { number in
            guard let known = stored[number], known.job.outcome == nil || known.job.outcome == .failed else {
                return nil
            }
            let names = Set(known.job.workers.map(\.worker).filter { $0.party == party }.map(\.name))
            let lost = known.finished.filter { names.contains($0.value.worker) && !$0.value.isVerified }.keys.sorted()
            for block in lost { stored[number]?.finished[block] = nil }
            return lost.isEmpty ? nil : .lost(number, blocks: lost)
        }
    }

    // MARK: Writing

    /// Begins to write what waits. - Returns: false if nothing does.
    mutating func begin() -> Bool {
        (writing, waiting) = (waiting, [])
        return !writing.isEmpty
    }

    /// What was being written is there. - Returns: it, with what is to be told of each.
    mutating func complete() -> [(request: ArchiveRequest, reply: ArchiveReply?)] {
        defer { writing = [] }
        return writing.flatMap { request -> [(request: ArchiveRequest, reply: ArchiveReply?)] in
            guard case .disown(let party) = request else { return [(request, apply(request))] }
            return disown(party).map { (request, $0) } + [(request, .disowned(party: party))]
        }
    }

    /// The coordinator has died; the last write may have reached the disk, or not. - Returns: what did.
    mutating func crash(reachesDisk: Bool) -> [(request: ArchiveRequest, reply: ArchiveReply?)] {
        waiting = []
        if !reachesDisk {
            // A folder may be complete before the journal says so.
            for case .finish(let number, let job, _, _, _) in writing
            where stored[number]?.finished.count == job.blocks { completeFolder(of: number) }
            writing = []
        }
        defer { for number in stored.keys { stored[number]?.isOpen = false } }
        return complete()
    }

    mutating func removeRun(of job: Digest) { folders[job] = nil }

    private mutating func completeFolder(of number: JobNumber) {
        guard let job = stored[number]?.job else { return }
        folders[job.record.hash] = job.workers.first?.worker.fingerprint ?? ""
    }

    private mutating func apply(_ request: ArchiveRequest) -> ArchiveReply? {
        switch request {
        case .open(let number, _, _, let resumes, let note):
            return open(number, resumes: resumes, note)
        case .result(let attempt, let worker, let record, let block):
            guard stored[attempt.job]?.isOpen == true else { return nil }
            if stored[attempt.job]?.finished[attempt.block] == nil {
                stored[attempt.job]?.finished[attempt.block] = Result(
                    worker: block.worker, attempt: block.attempt, digest: record.digest,
                    isLie: record.samples.contains { $0 != 0 }, isToBeVerified: block.isToBeVerified)
            }
            forgetStates(of: attempt.block, in: attempt.job)
            stored[attempt.job]?.job.reports[attempt.block] = nil
            return .stored(attempt, worker, Acceptance())
        case .compare(let attempt, let earlier, let origin, let record):
            guard let known = stored[attempt.job], known.isOpen else { return nil }
            let isSame = known.finished[attempt.block]?.digest == record.digest
            return .compared(attempt, against: earlier, origin, isSame ? .same : .different(record.digest))
        case .piece(let attempt, let piece):
            guard stored[attempt.job]?.isOpen == true else { return nil }
            let before = piece.isFirst ? [] : stored[attempt.job]?.arriving[attempt]?.bytes ?? []
            stored[attempt.job]?.arriving[attempt] = (piece.stepsDone, before + piece.data)
        case .checkpoint(let attempt, let checkpoint):
            guard let known = stored[attempt.job], known.isOpen, known.finished[attempt.block] == nil,
                checkpoint.stepsDone > known.job.checkpoints[attempt.block]?.stepsDone ?? 0,
                checkpoint.start <= known.job.checkpoints[attempt.block]?.settled ?? 0
            else { return nil }
            let before = checkpoint.offset == checkpoint.start ? [] : known.arriving[attempt]?.bytes ?? []
            let settled = known.states[attempt.block]?.prefix(checkpoint.start) ?? []
            stored[attempt.job]?.arriving[attempt] = nil
            stored[attempt.job]?.states[attempt.block] = settled + before + checkpoint.state
            stored[attempt.job]?.job.checkpoints[attempt.block] = CheckpointMark(
                attempt: attempt.number, stepsDone: checkpoint.stepsDone, settled: checkpoint.settled,
                party: checkpoint.party)
            stored[attempt.job]?.job.reports[attempt.block] = nil
        case .load(let attempt, let worker, let before):
            return .loaded(attempt, worker, piece(of: attempt, after: before))
        case .note(let entry, let receipt):
            note(entry)
            return receipt.map { .noted($0) }
        case .finish(let number, let job, _, _, let entry):
            guard stored[number]?.isOpen == true, stored[number]?.finished.count == job.blocks else { return nil }
            completeFolder(of: number)
            stored[number]?.isOpen = false
            note(entry)
            return .finished(number)
        case .end(let number, _, let entry, let receipt):
            stored[number]?.isOpen = false
            note(entry)
            return receipt.map { .noted($0) }
        case .locate(let block, let number, let peer):
            return .located(block: block, of: number, nil, for: peer)
        case .delete(let number, _, let receipt):
            note(.forgotten(job: number))
            return receipt.map { .noted($0) }
        case .stop, .disown:
            break
        }
        return nil
    }

    private mutating func open(_ number: JobNumber, resumes: Bool, _ note: JournalEntry?) -> ArchiveReply? {
        if resumes, stored[number] != nil {
            if let note { self.note(note) }
            stored[number]?.arriving = [:]
            stored[number]?.isOpen = true
            return .opened(number, stored[number].map(recovered))
        }
        switch note {
        case .accepted(let record), .restarted(let record), .resubmitted(let record):
            stored[number] = Stored(job: RecoveredJob(record: record))
            folders[record.hash] = nil
        default: return nil
        }
        stored[number]?.isOpen = true
        return .opened(number, nil)
    }

    private func piece(of attempt: Attempt, after before: StatePiece?) -> StatePiece? {
        guard let mark = stored[attempt.job]?.job.checkpoints[attempt.block],
            let bytes = stored[attempt.job]?.states[attempt.block],
            before.map({ $0.stepsDone == mark.stepsDone }) ?? true
        else {
            // A later state has taken its place: from the beginning.
            return before == nil ? nil : piece(of: attempt, after: nil)
        }
        let offset = before.map { $0.offset + $0.data.count } ?? 0
        let end = min(bytes.count, offset + (pieceBytes ?? bytes.count))
        return StatePiece(
            stepsDone: mark.stepsDone, offset: offset, data: Array(bytes[offset..<end]), isLast: end == bytes.count)
    }

    private mutating func forgetStates(of block: Int, in job: JobNumber) {
        stored[job]?.job.checkpoints[block] = nil
        stored[job]?.states[block] = nil
        let arriving = stored[job]?.arriving.filter { $0.key.block != block } ?? [:]
        stored[job]?.arriving = arriving
    }

    private mutating func note(_ entry: JournalEntry) {
        switch entry {
        case .stateAbandoned(let job, let block, let attempt):
            stored[job]?.arriving[Attempt(job: job, block: block, number: attempt)] = nil
        case .stateLost(let job, let block): forgetStates(of: block, in: job)
        case .verified(let job, let block): stored[job]?.finished[block]?.isVerified = true
        case .report(let job, let block, let report):
            stored[job]?.job.reports[block, default: []].append(report)
        case .worker(let job, let worker):
            stored[job]?.job.workers.append(WorkerShare(worker: worker, blocks: 0, seconds: 0))
        case .ended(let job, let outcome, let failure, let seconds):
            stored[job]?.job.outcome = outcome
            stored[job]?.job.failure = failure
            stored[job]?.job.secondsElapsed = seconds
            if outcome == .cancelled, let record = stored[job]?.job.record {
                stored[job] = Stored(job: RecoveredJob(record: record))
                stored[job]?.job.outcome = outcome
            }
        case .paused(let job, let isPaused): stored[job]?.job.isPaused = isPaused
        case .priority(let job, let priority): stored[job]?.job.record.priority = priority
        case .detached(let job): stored[job]?.job.record.isDetached = true
        case .resubmitted(let record):
            stored[record.number]?.job.record = record
            stored[record.number]?.job.outcome = nil
            stored[record.number]?.job.reports = [:]
        case .forgotten(let job): stored[job] = nil
        default: break
        }
    }
}
