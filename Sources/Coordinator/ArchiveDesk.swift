import Journal
import Logging
import PoolCore
import RunFolder

/// The archive's own thread's side: one batch after the other.
struct ArchiveDesk {
    /// A batch is brought to the disk when it has this many requests or bytes.
    private static let mostRequests = 4_096
    private static let mostBytes = 32 << 20

    private let journal: Journal
    private let isDurable: Bool
    private let logger: Logger
    private var runs: [JobNumber: RunStaging] = [:]

    // The batch at hand: what was done of it, and what is to be told when it is stored.
    private var done = 0
    private var size = 0
    private var entries: [JournalEntry] = []
    private var replies: [Archive.Reply] = []
    private var touched: Set<JobNumber> = []
    /// Jobs whose rows of this batch did not reach the disk and have to be written again.
    private var unsynced: Set<JobNumber> = []
    private var stops = false

    init(journal: Journal, durability: Journal.Durability, logger: Logger) {
        self.journal = journal
        self.logger = logger
        isDurable = durability == .power
    }

    /// Does some of the requests and stores what comes of them.
    ///
    /// - Returns: how many are done, their bytes, and whether the last was to stop.
    /// - Throws: what a full disk says. What was done of the batch by then is remembered: the same requests, and more,
    ///   are to be given again.
    mutating func work(on requests: ArraySlice<Archive.Request>) throws -> (done: Int, size: Int, stops: Bool) {
        try writeAgain(requests.prefix(done))
        for request in requests.dropFirst(done) {
            guard !stops, done < Self.mostRequests, size < Self.mostBytes else { break }
            try perform(request)
            done += 1
            size += request.size
        }
        try store()
        defer { (done, size) = (0, 0) }
        return (done, size, stops)
    }

    private mutating func store() throws {
        while isDurable, let job = touched.first {
            do {
                try runs[job]?.sync()
            } catch {
                unsynced.insert(job)
                throw error
            }
            touched.remove(job)
        }
        if !entries.isEmpty { try journal.append(entries) }
        (entries, touched) = ([], [])
    }

    private mutating func writeAgain(_ requests: ArraySlice<Archive.Request>) throws {
        guard !unsynced.isEmpty else { return }
        for case .result(let attempt, _, let record, _) in requests where unsynced.contains(attempt.job) {
            do {
                try runs[attempt.job]?.record(record)
            } catch where error.code == .invalidValue {
                // It was written again the last time that this was tried.
            }
        }
        unsynced = []
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
        case .open(let job, let folder, let description, let blockSize, let resumes, let note):
            try open(job, folder, description, blockSize, resumes: resumes, note)
        case .result(let attempt, let worker, let record, let block):
            guard let run = runs[attempt.job] else { return }
            try notingFailure(of: attempt.job) { () throws(RunFolderError) in
                try run.record(record)
                touched.insert(attempt.job)
                entries.append(.finished(job: attempt.job, block: attempt.block, block))
                replies.append(.stored(attempt, worker))
            }
        case .checkpoint(let attempt, let checkpoint):
            guard runs[attempt.job] != nil else { return }
            entries.append(.checkpoint(job: attempt.job, block: attempt.block, checkpoint))
        case .load(let attempt, let worker, let grant):
            // What was asked to be stored before is to be found.
            try store()
            let state = try journal.checkpoint(job: attempt.job, block: attempt.block)?.state ?? []
            replies.append(.loaded(attempt, worker, grant: grant, state: state))
        case .note(let entry):
            entries.append(entry)
        case .finish(let job, let provenance, let note):
            guard let run = runs[job] else { return }
            try notingFailure(of: job) { () throws(RunFolderError) in
                _ = try run.finish(provenance: provenance)
                runs[job] = nil
                touched.remove(job)
                entries.append(note)
                replies.append(.finished(job))
            }
        case .end(let job, let keepsFiles, let note):
            if let run = runs.removeValue(forKey: job) {
                if keepsFiles { run.suspend() } else { try? run.discard() }
            }
            touched.remove(job)
            entries.append(note)
        case .stop:
            stops = true
        }
    }

    /// A full disk is waited for; whatever else is wrong with a job's files is the job's own trouble.
    private mutating func notingFailure(of job: JobNumber, _ work: () throws(RunFolderError) -> Void) throws {
        do {
            try work()
        } catch where error.code == .full {
            throw error
        } catch {
            replies.append(.failed(job, reason: "\(error)"))
        }
    }

    private mutating func open(
        _ job: JobNumber, _ folder: String, _ description: RunDescription, _ blockSize: Int, resumes: Bool,
        _ note: JournalEntry?
    ) throws {
        var stored = StoredProgress()
        do {
            if resumes {
                stored = try journal.progress(of: job)
                let blocks = stored.finished
                let recorded = stride(from: 0, to: description.chains, by: blockSize).lazy
                    .filter { blocks.contains($0 / blockSize) }.map { $0..<min($0 + blockSize, description.chains) }
                do {
                    runs[job] = try RunStaging(
                        resuming: folder, description: description, recordedChains: recorded,
                        gradientEvaluations: stored.gradientEvaluations)
                } catch let error as RunFolderError where [.missing, .malformed].contains(error.code) {
                    logger.error("what was stored of job \(description.name) can't be read, it begins anew: \(error)")
                    stored = StoredProgress()
                    entries.append(.restarted(job: job))
                }
            }
            if runs[job] == nil { runs[job] = try RunStaging(folder: folder, description: description) }
        } catch let error as RunFolderError where error.code != .full {
            replies.append(.refused(job, exitStatus: error.exitStatus, reason: "\(error)"))
            return
        }
        if let note { entries.append(note) }
        replies.append(.opened(job, stored))
    }
}
