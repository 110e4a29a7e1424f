import Journal
import Logging
import PoolCore
import RunFolder

/// The archive's own thread's side: one batch after the other.
struct ArchiveDesk {
    /// A batch is brought to the disk when it has this many requests or bytes.
    private static let mostRequests = 4_096
    private static let mostBytes = 32 << 20
    /// Rows of neighbouring blocks are written together up to this many bytes: many small writes cost more than their
    /// bytes.
    private static let mostJoinedBytes = 256 << 10

    private let journal: Journal
    private let isDurable: Bool
    private let logger: Logger
    private var runs: [JobNumber: RunStaging] = [:]

    // The batch at hand: what was done of it, and what is to be told when it is stored.
    private var done = 0
    private var size = 0
    private var entries: [JournalEntry] = []
    private var replies: [Archive.Reply] = []
    /// Rows that are to be written.
    private var records: [JobNumber: [BlockRecord]] = [:]
    /// Rows that are written and may not have reached the disk.
    private var unsynced: [JobNumber: [BlockRecord]] = [:]
    /// Whether the last request is done.
    private(set) var stops = false

    init(journal: Journal, durability: Journal.Durability, logger: Logger) {
        self.journal = journal
        self.logger = logger
        isDurable = durability == .power
    }

    /// Does some of the requests and stores what comes of them.
    ///
    /// - Returns: how many are done, and their bytes; or what a full disk says. Then what was done of the batch is
    ///   remembered: the same requests, and more, are to be given again.
    mutating func work(on requests: ArraySlice<Archive.Request>) -> Result<(count: Int, size: Int), any Error> {
        do {
            for request in requests.dropFirst(done) {
                guard !stops, done < Self.mostRequests, size < Self.mostBytes else { break }
                try perform(request)
                done += 1
                size += request.size
            }
            try store()
        } catch {
            makeRoom(requests)
            return .failure(error)
        }
        defer { (done, size) = (0, 0) }
        return .success((done, size))
    }

    /// Jobs that are to end without their files are done with at once when nothing can be stored: that may be what
    /// makes room.
    private mutating func makeRoom(_ requests: ArraySlice<Archive.Request>) {
        for case .end(let job, keepsFiles: false, _, _) in requests.dropFirst(done) where runs[job] != nil {
            try? runs.removeValue(forKey: job)?.discard()
            forgetResults(of: job)
        }
    }

    /// What was to be noted and told of a job's results of this batch is not so.
    private mutating func forgetResults(of job: JobNumber) {
        (records[job], unsynced[job]) = (nil, nil)
        entries.removeAll { if case .finished(job: job, _, _) = $0 { true } else { false } }
        replies.removeAll { if case .stored(let attempt, _) = $0 { attempt.job == job } else { false } }
    }

    /// Rows first, then the journal that says that they are there.
    private mutating func store() throws {
        while let job = records.keys.first {
            do {
                try write(job)
                records[job] = nil
            } catch let error as RunFolderError {
                guard error.code != .full else { throw error }
                // Whatever else is wrong with a job's files is the job's own trouble.
                giveUp(job, "\(error)")
            }
        }
        if !entries.isEmpty { try append() }
        entries = []
    }

    private mutating func write(_ job: JobNumber) throws {
        guard let run = runs[job] else { return }
        records[job] = BlockRecord.joined(records[job] ?? [], upTo: Self.mostJoinedBytes)
        while let record = records[job]?.first {
            try run.record(record)
            records[job]?.removeFirst()
            unsynced[job, default: []].append(record)
        }
        if isDurable {
            do {
                try run.sync()
            } catch {
                // Nobody knows which of them are on the disk: they have to be written again.
                records[job] = unsynced.removeValue(forKey: job)
                throw error
            }
        }
        unsynced[job] = nil
    }

    private mutating func giveUp(_ job: JobNumber, _ reason: String) {
        forgetResults(of: job)
        replies.append(.failed(job, reason: reason))
    }

    private func append() throws {
        do {
            try journal.append(entries)
        } catch {
            guard error.code == .invalidValue else { throw error }
            // One entry that does not fit must not keep the others out.
            for entry in entries {
                do {
                    try journal.append([entry])
                } catch {
                    guard error.code == .invalidValue else { throw error }
                    logger.error("an entry of the journal does not fit and is left out: \(error)")
                }
            }
        }
    }

    /// What is to be told since the last time.
    mutating func takeReplies() -> [Archive.Reply] {
        defer { replies = [] }
        return replies
    }

    /// Lets everything go; the files of jobs that run stay for the next life.
    mutating func close() {
        for run in runs.values { run.suspend() }
        runs = [:]
        journal.close()
    }

    private mutating func perform(_ request: Archive.Request) throws {
        switch request {
        case .open(let job, let folder, let description, let resumes, let note):
            try open(job, folder, description, resumes: resumes, note)
        case .result(let attempt, let worker, let record, let block):
            guard runs[attempt.job] != nil else { return }
            records[attempt.job, default: []].append(record)
            entries.append(.finished(job: attempt.job, block: attempt.block, block))
            replies.append(.stored(attempt, worker))
        case .checkpoint(let attempt, let checkpoint):
            guard runs[attempt.job] != nil else { return }
            entries.append(.checkpoint(job: attempt.job, block: attempt.block, checkpoint))
        case .load(let attempt, let worker):
            // What was asked to be stored before is to be found.
            try store()
            replies.append(.loaded(attempt, worker, state: try checkpoint(of: attempt)))
        case .note(let entry, let receipt):
            entries.append(entry)
            if let receipt { replies.append(.noted(receipt)) }
        case .finish(let job, let content, let preliminaries, let provenance, let note):
            // All its results were stored before this was asked for.
            guard let run = runs[job] else { return }
            do {
                let observations = try run.observations(of: content)
                _ = try run.finish(
                    provenance: provenance, conclusion: try run.conclusion(of: content, after: preliminaries)
                ) { content.warnings(of: $0, observations) }
            } catch {
                if let error = error as? RunFolderError, error.code == .full { throw error }
                return giveUp(job, "\(error)")
            }
            runs[job] = nil
            entries.append(note)
            replies.append(.finished(job))
        case .end(let job, let keepsFiles, let note, let receipt):
            // Results of the batch that came before count, should the job go on one day.
            if keepsFiles { try store() } else { forgetResults(of: job) }
            if let run = runs.removeValue(forKey: job) {
                if keepsFiles { run.suspend() } else { try? run.discard() }
            }
            entries.append(note)
            if let receipt { replies.append(.noted(receipt)) }
        case .stop:
            stops = true
        }
    }

    /// The state that a block has come to; empty if it can't be read, and then the block begins from its start.
    private func checkpoint(of attempt: Attempt) throws -> [UInt8] {
        do {
            return try journal.checkpoint(job: attempt.job, block: attempt.block)?.state ?? []
        } catch {
            if error.code == .full { throw error }
            logger.error("a checkpoint of block \(attempt.block) can't be read: \(error)")
            return []
        }
    }

    private mutating func open(
        _ job: JobNumber, _ folder: String, _ description: RunDescription, resumes: Bool, _ note: JournalEntry?
    ) throws {
        var stored: RecoveredJob?
        // A job that runs may be begun anew.
        if let run = runs.removeValue(forKey: job) {
            try? run.discard()
            forgetResults(of: job)
        }
        do {
            if resumes, let known = try journal.recover(job: job) {
                runs[job] = try resume(known, folder, description)
                stored = runs[job] == nil ? nil : known
                // Who hands a failed job in again wants its blocks tried again.
                if case .resubmitted = note { stored?.reports = [:] }
                if stored == nil { entries.append(.restarted(known.record)) }
            }
            if runs[job] == nil {
                runs[job] = try RunStaging(folder: folder, description: description)
                // What an earlier run left must not be taken for this one's.
                try RunFolder.removeSummary(in: folder)
            }
        } catch let error as RunFolderError where error.code != .full {
            replies.append(.refused(job, exitStatus: error.exitStatus, reason: "\(error)"))
            return
        } catch let error as JournalError where error.code != .full {
            replies.append(.refused(job, exitStatus: error.exitStatus, reason: "\(error)"))
            return
        }
        if let note { entries.append(note) }
        replies.append(.opened(job, stored))
    }

    /// The files of a run that was interrupted; nil if they cannot be read.
    private func resume(
        _ job: RecoveredJob, _ folder: String, _ description: RunDescription
    ) throws(RunFolderError) -> RunStaging? {
        let recorded = job.finishedBlocks.map {
            $0.lowerBound * description.block..<min($0.upperBound * description.block, description.chains)
        }
        do {
            return try RunStaging(
                resuming: folder, description: description, recordedChains: recorded,
                gradientEvaluations: job.gradientEvaluations)
        } catch {
            guard error.code == .missing || error.code == .malformed else { throw error }
            logger.error("what was stored of job \(description.name) can't be read, it begins anew: \(error)")
            return nil
        }
    }
}
