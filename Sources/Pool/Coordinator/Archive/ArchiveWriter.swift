import CoordinatorCore
import Foundation
import Journal
import Logging
import PoolCore
import RunFolder

/// The archive's own thread's side: one batch after the other.
struct ArchiveWriter {
    /// An entry for the journal, and what is to be told of it.
    private struct Note {
        let entry: JournalEntry
        /// Once it is on the disk.
        var stored: ArchiveReply?
        /// If it does not fit the journal: then it is not on the disk, and nobody may believe so.
        var refused: ((String) -> ArchiveReply)?
    }

    /// A batch is brought to the disk when it has this many requests or bytes.
    private static let mostRequests = 4_096
    private static let mostBytes = 32 << 20
    /// Rows of neighbouring blocks are written together up to this many bytes: many small writes cost more than their
    /// bytes.
    private static let mostJoinedBytes = 256 << 10

    let journal: Journal
    let isDurable: Bool
    let logger: Logger
    var shelf: RunShelf
    /// How often in a row a state could not be read for a reason that may go.
    private var failedReadings = 0
    private static let mostFailedReadings = 5
    /// How often rows of a job were lost.
    var losses: [JobNumber: Int] = [:]
    /// Jobs of which stored results were taken back: they may be asked to finish before that is known.
    private var disowned: Set<JobNumber> = []

    // The batch at hand: what was done of it, and what is to be told when it is stored.
    private var done = 0
    private var size = 0
    private var notes: [Note] = []
    private var replies: [ArchiveReply] = []
    /// Rows that are to be written.
    private(set) var records: [JobNumber: [BlockRecord]] = [:]
    /// Rows that are written and may not have reached the disk.
    private var unsynced: [JobNumber: [BlockRecord]] = [:]
    /// Folders of jobs that are forgotten with the notes that wait: first the journal, so that it never tells of a finished
    /// job whose files are gone.
    private var forgotten: [String] = []
    /// Whether the last request is done.
    private(set) var stops = false

    /// - Parameter fileLimit: files that the process may have open.
    init(journal: Journal, durability: Journal.Durability, fileLimit: Int, logger: Logger) {
        self.journal = journal
        self.logger = logger
        isDurable = durability == .power
        shelf = RunShelf(fileLimit: fileLimit)
    }

    /// Does some of the requests and stores what comes of them.
    ///
    /// - Returns: how many are done, and their bytes; or what a full disk says. Then what was done of the batch is
    ///   remembered: the same requests, and more, are to be given again.
    mutating func work(on requests: ArraySlice<ArchiveRequest>) -> Result<(count: Int, size: Int), any Error> {
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
    private mutating func makeRoom(_ requests: ArraySlice<ArchiveRequest>) {
        for case .end(let job, keepsFiles: false, _, _) in requests.dropFirst(done) where shelf.contains(job) {
            shelf.remove(job, keepsFiles: false)
            forgetResults(of: job)
        }
        // The journal can't be told first. What was deleted and opened again since is in neither list.
        for folder in forgotten { remove(folder) }
        for case .delete(_, let folder, _) in requests.dropFirst(done) { remove(folder) }
    }

    /// Removes the folder of a job that is over, if it is there. One that can't be removed is nothing to the others.
    private func remove(_ folder: String) {
        guard Folder.isFolder(folder) else { return }
        do {
            try FileManager.default.removeItem(atPath: folder)
        } catch {
            logger.error("\(error); the job is forgotten all the same, its folder can be removed by hand")
        }
    }

    /// What was to be noted and told of a job's results of this batch is not so.
    private mutating func forgetResults(of job: JobNumber) {
        (records[job], unsynced[job]) = (nil, nil)
        notes.removeAll { if case .finished(job: job, _, _) = $0.entry { true } else { false } }
    }

    /// Rows first, then the journal that says that they are there.
    mutating func store() throws {
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
        if !notes.isEmpty { try append() }
        notes = []
        for folder in forgotten { remove(folder) }
        forgotten = []
    }

    private mutating func write(_ job: JobNumber) throws {
        guard shelf.contains(job) else { return }
        let run = try openRun(of: job)
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

    mutating func giveUp(_ job: JobNumber, _ reason: String) {
        forgetResults(of: job)
        replies.append(.failed(job, reason: reason))
    }

    /// The run of a job. If somebody has removed or cut its files, they are made anew, and what was in them is lost.
    mutating func openRun(of job: JobNumber) throws -> RunStaging {
        do {
            return try shelf.open(job)
        } catch {
            guard error.code == .missing || error.code == .malformed, let place = shelf.place(of: job) else {
                throw error
            }
            // What this batch has written is at hand still.
            records[job] = (unsynced.removeValue(forKey: job) ?? []) + (records[job] ?? [])
            let atHand = Set((records[job] ?? []).flatMap { place.description.blocks(of: $0.chainRange) })
            let blocks = shelf.recorded(in: job).flatMap { place.description.blocks(of: $0) }
            try shelf.create(job, folder: place.folder, place.description, isDurable: isDurable)
            logger.error("\(error); the files are made anew")
            lose(blocks.filter { !atHand.contains($0) }, of: job)
            return try shelf.open(job)
        }
    }

    /// Takes back stored blocks that are not to count: those of a job that runs run again, and those of one that has failed
    /// do when it is handed in again.
    private mutating func disown(_ blocks: [StoredBlock], of job: JobNumber) throws {
        if shelf.contains(job) {
            try forget(blocks, of: job, try openRun(of: job))
            disowned.insert(job)
        }
        let numbers = blocks.map(\.block)
        notes.append(Note(entry: .lost(job: job, blocks: numbers), stored: .lost(job, blocks: numbers)))
    }

    /// Notes and tells that blocks which were stored have to run again.
    mutating func lose(_ blocks: [Int], of job: JobNumber) {
        guard !blocks.isEmpty else { return }
        logger.error("job \(job): \(blocks.count) stored blocks are lost and run again, the first is \(blocks[0])")
        losses[job, default: 0] += 1
        guard losses[job] ?? 0 <= Self.mostLosses else {
            return giveUp(job, "what is stored of it is damaged again and again: the disk can't be relied on")
        }
        notes.append(Note(entry: .lost(job: job, blocks: blocks), stored: .lost(job, blocks: blocks)))
    }

    /// A job whose rows are lost more often than this fails.
    private static let mostLosses = 5

    private mutating func append() throws {
        do {
            try journal.append(notes.map(\.entry))
            replies += notes.compactMap(\.stored)
        } catch {
            guard error.code == .invalidValue else { throw error }
            // One entry that does not fit must not keep the others out.
            for note in notes {
                do {
                    try journal.append([note.entry])
                    if let reply = note.stored { replies.append(reply) }
                } catch {
                    guard error.code == .invalidValue else { throw error }
                    logger.error("an entry of the journal does not fit and is left out: \(error)")
                    if let refused = note.refused { replies.append(refused("\(error)")) }
                }
            }
        }
    }

    /// What is to be told since the last time.
    mutating func takeReplies() -> [ArchiveReply] {
        defer { replies = [] }
        return replies
    }

    /// Lets everything go; the files of jobs that run stay for the next life.
    mutating func close() {
        shelf.close()
        journal.close()
    }

    private mutating func perform(_ request: ArchiveRequest) throws {
        switch request {
        case .open(let job, let folder, let description, let resumes, let note):
            try open(job, folder, description, resumes: resumes, note)
        case .result(let attempt, let worker, let record, var block):
            guard shelf.contains(attempt.job) else { return }
            block.checksum = record.checksum
            records[attempt.job, default: []].append(record)
            notes.append(
                Note(
                    entry: .finished(job: attempt.job, block: attempt.block, block),
                    stored: .stored(attempt, worker, record.acceptance),
                    refused: { .failed(attempt.job, reason: $0) }))
        case .compare(let attempt, let earlier, let origin, let record):
            guard shelf.contains(attempt.job), let outcome = try compare(record, of: attempt.job) else { return }
            replies.append(.compared(attempt, against: earlier, origin, outcome))
        case .disown(let party):
            try store()
            for (job, blocks) in try journal.unverifiedBlocks(ofParty: party).sorted(by: { $0.key < $1.key }) {
                try disown(blocks, of: job)
            }
            // After the notes, and what they tell.
            try store()
            replies.append(.disowned(party: party))
        case .checkpoint(let attempt, let checkpoint):
            guard shelf.contains(attempt.job) else { return }
            notes.append(Note(entry: .checkpoint(job: attempt.job, block: attempt.block, checkpoint)))
        case .piece(let attempt, let piece):
            guard shelf.contains(attempt.job) else { return }
            notes.append(
                Note(entry: .statePiece(job: attempt.job, block: attempt.block, attempt: attempt.number, piece)))
        case .load(let attempt, let worker, let before):
            // What was asked to be stored before is to be found.
            try store()
            replies.append(.loaded(attempt, worker, try piece(of: attempt, after: before)))
        case .note(let entry, let receipt):
            notes.append(note(entry, receipt))
        case .locate(let block, let job, let peer):
            try store()
            replies.append(
                .located(block: block, of: job, try? journal.finishedBlock(job: job, block: block), for: peer))
        case .finish(let job, let content, let preliminaries, let provenance, let entry):
            // All its results were stored before this was asked for.
            guard shelf.contains(job) else { return }
            do {
                let before = losses[job]
                let run = try openRun(of: job)
                if losses[job] == before { try loseDamagedBlocks(of: job, run) }
                // What is lost runs again, and then the job comes to its end once more.
                let isWhole = before == nil && !disowned.contains(job) || run.isReadyToFinish
                guard losses[job] == before, isWhole else { return }
                let observations = try run.observations(of: content)
                let conclusion = try run.conclusion(of: content, after: preliminaries)
                _ = try run.finish(
                    provenance: provenance, conclusion: conclusion,
                    warnings: { content.warnings(of: $0, observations) },
                    diagnostics: { (summary) throws(RunFolderError) in
                        try run.diagnostics(of: content, summary, conclusion)
                    })
            } catch {
                if let error = error as? RunFolderError, error.code == .full {
                    // Some of its files may have their final names already: they are taken up anew the next time.
                    shelf.closeFiles(of: job)
                    throw error
                }
                if let error = error as? JournalError, error.code == .full { throw error }
                return giveUp(job, "\(error)")
            }
            shelf.remove(job, keepsFiles: true)
            (losses[job], _) = (nil, disowned.remove(job))
            // The folder is complete, whatever the journal says of it.
            notes.append(Note(entry: entry, stored: .finished(job), refused: { _ in .finished(job) }))
        case .end(let job, let keepsFiles, let entry, let receipt):
            // Results of the batch that came before count, should the job go on one day.
            if keepsFiles { try store() } else { forgetResults(of: job) }
            shelf.remove(job, keepsFiles: keepsFiles)
            (losses[job], _) = (nil, disowned.remove(job))
            notes.append(note(entry, receipt))
        case .delete(let job, let folder, let receipt):
            forgotten.append(folder)
            notes.append(note(.forgotten(job: job), receipt))
        case .stop:
            stops = true
        }
    }

    private func note(_ entry: JournalEntry, _ receipt: Receipt?) -> Note {
        Note(
            entry: entry, stored: receipt.map { .noted($0) },
            refused: receipt.map { receipt in { .notNoted(receipt, reason: $0) } })
    }

    /// A piece of the state that a block has come to; nil if it is damaged, or if again and again it can't be read, and then
    /// it goes: the block begins from its start.
    private mutating func piece(of attempt: Attempt, after before: StatePiece?) throws -> StatePiece? {
        do {
            let piece = try journal.statePiece(
                job: attempt.job, block: attempt.block, stepsDone: before?.stepsDone, offset: before?.end ?? 0)
            failedReadings = 0
            return piece
        } catch {
            failedReadings += 1
            guard error.code == .malformed || failedReadings > Self.mostFailedReadings else { throw error }
            failedReadings = 0
            logger.error("what block \(attempt.block) of job \(attempt.job) has come to can't be read: \(error)")
            notes.append(Note(entry: .stateLost(job: attempt.job, block: attempt.block)))
            return nil
        }
    }

    private mutating func open(
        _ job: JobNumber, _ folder: String, _ description: RunDescription, resumes: Bool, _ note: JournalEntry?
    ) throws {
        var stored: RecoveredJob?
        // What is deleted and handed in again at once has the same folder.
        if forgotten.contains(folder) { try store() }
        // A job that runs may be begun anew.
        if shelf.contains(job) {
            shelf.remove(job, keepsFiles: false)
            forgetResults(of: job)
        }
        do {
            // Results of its last run that came before are to be found.
            if resumes { try store() }
            if resumes, let known = try journal.recover(job: job) {
                stored = try resume(known, folder, description)
                // Nobody goes on with a state of which the last piece has not come.
                if stored != nil { notes.append(Note(entry: .statesAbandoned(job: job))) }
                // Who hands a failed job in again wants its blocks tried again.
                if case .resubmitted = note { stored?.reports = [:] }
                if stored == nil { notes.append(Note(entry: .restarted(known.record))) }
            }
            if stored == nil {
                try shelf.create(job, folder: folder, description, isDurable: isDurable)
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
        guard let note else { return replies.append(.opened(job, stored)) }
        notes.append(
            Note(
                entry: note, stored: .opened(job, stored),
                refused: { .refused(job, exitStatus: 70, reason: $0) }))
    }
}

extension StatePiece {
    fileprivate var end: Int { offset + data.count }
}

extension BlockRecord {
    var chainRange: Range<Int> { firstChain..<firstChain + chains }

    /// The sum of the acceptance of its chains, and how many numbers that is of.
    fileprivate var acceptance: Acceptance {
        var acceptance = Acceptance()
        for rate in statistics.values(of: RunStatistic.acceptance, as: Float.self) where rate.isFinite {
            acceptance.sum += Double(rate)
            acceptance.count += 1
        }
        return acceptance
    }
}
