import GRDB
import RunFolder

/// What a coordinator has acknowledged, in a file that outlives it.
///
/// An SQLite database, `journal.sqlite`, in the coordinator's folder: `Schema` tells its tables. Entries come in batches,
/// and a batch is there as a whole or not at all, whenever the process or the machine stops. A journal lives on one
/// thread. Dropped, it is closed.
package final class Journal {
    /// What a batch outlives, once `append` has returned.
    package enum Durability: Sendable {
        /// A loss of power: each batch waits for the disk.
        case power
        /// The end of the process, kill -9 too, but no loss of power.
        case process
    }

    /// The name of the journal in its folder.
    package static let fileName = "journal.sqlite"

    /// The journal's file.
    package let path: String
    private let queue: DatabaseQueue
    /// Holds the lock on the folder until the journal is closed.
    private var folderLock: File?
    /// Made when it is needed: one that failed isn't used again, since its statements would repeat their errors.
    private var writer: EntryWriter?
    private var isOpen = true

    /// Opens the journal in `folder`; makes both, if need be, and brings the journal of an earlier version up to date.
    ///
    /// - Throws: `.inUse` while another process has it open, `.newer` for one of a later version, `.malformed` for a
    ///   damaged one or a file that is none, `.cannotCreate`, `.inputOutput` or `.full`.
    package convenience init(folder: String, durability: Durability) throws(JournalError) {
        try self.init(folder: folder, durability: durability, steps: Schema.steps)
    }

    init(folder: String, durability: Durability, steps: [String]) throws(JournalError) {
        let path = folder.hasSuffix("/") ? folder + Journal.fileName : "\(folder)/\(Journal.fileName)"
        self.path = path
        do throws(RunFolderError) {
            let changed = try Folder.create(folder)
            let lock = try File(folder, for: .folder)
            guard lock.tryLock() else {
                throw RunFolderError(
                    .inUse, path: folder, reason: "another coordinator keeps its journal in this folder")
            }
            for folder in changed { try Folder.sync(folder) }
            folderLock = consume lock
        } catch {
            throw JournalError(error)
        }

        var configuration = Configuration()
        configuration.label = "journal"
        configuration.prepareDatabase { db in
            // The lock on the folder keeps others out. With it SQLite needs no memory shared with them, which it would
            // have to make room for on the disk.
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
        }
        do {
            // SQLite takes a path that begins with "file:" for a URI.
            queue = try DatabaseQueue(path: path.hasPrefix("/") ? path : "./" + path, configuration: configuration)
        } catch let error as DatabaseError {
            throw JournalError(error, path: path, number: 0)
        } catch {
            throw JournalError(.inputOutput, path: path, reason: "\(error)")
        }
        try Journal.access(queue, path) { db in
            let version = try Schema.version(of: db, path: path, latest: steps.count)
            try Journal.setUp(db, durability)
            try Schema.migrate(db, from: version, steps: steps)
        }
        do throws(RunFolderError) {
            try Folder.sync(folder)
        } catch {
            throw JournalError(error)
        }
    }

    deinit {
        close()
    }

    /// Every job that is not forgotten, in the order of the numbers. What is damaged of one is nothing to the others.
    ///
    /// - Parameter passedOver: called for each job of which not even the record can be read.
    /// - Throws: `.malformed` for a damaged file, `.inputOutput`.
    package func recover(_ passedOver: (JournalError) -> Void = { _ in }) throws(JournalError) -> [RecoveredJob] {
        try read { try $0.jobs(passedOver) }
    }

    /// The numbers of the jobs that are not forgotten, in their order.
    ///
    /// - Throws: `.malformed` for a damaged journal, `.inputOutput`.
    package func jobNumbers() throws(JournalError) -> [Int] {
        try read { try $0.numbers() }
    }

    /// All that is known of one job; nil if nothing is.
    ///
    /// - Throws: `.malformed` for a damaged journal, `.inputOutput`.
    package func recover(job: Int) throws(JournalError) -> RecoveredJob? {
        try read { try $0.job(number: job) }
    }

    /// The finished blocks of a job from `block` on, in order, `most` at most.
    ///
    /// - Throws: `.malformed` for a damaged journal, `.inputOutput`.
    package func storedBlocks(job: Int, from block: Int, atMost most: Int) throws(JournalError) -> [StoredBlock] {
        try read { try $0.storedBlocks(job: job, from: block, atMost: most) }
    }

    /// Finished blocks of all jobs that a party's workers have brought and nobody has verified, by job, in order.
    ///
    /// - Throws: `.malformed` for a damaged journal, `.inputOutput`.
    package func unverifiedBlocks(ofParty party: String) throws(JournalError) -> [Int: [StoredBlock]] {
        try read { try $0.unverifiedBlocks(ofParty: party) }
    }

    /// What is kept of the result of a block; nil if it is not finished.
    ///
    /// - Throws: `.malformed` for a damaged journal, `.inputOutput`.
    package func finishedBlock(job: Int, block: Int) throws(JournalError) -> FinishedBlock? {
        try read { try $0.finishedBlock(job: job, block: block) }
    }

    /// The latest checkpoint of a block, with its state; nil if there is none.
    ///
    /// - Throws: `.malformed` for a damaged journal, `.inputOutput`.
    package func checkpoint(job: Int, block: Int) throws(JournalError) -> StoredCheckpoint? {
        try read { try $0.checkpoint(job: job, block: block) }
    }

    /// The piece of the state of a block's latest checkpoint that begins at `offset`; nil if there is no checkpoint.
    ///
    /// - Parameter stepsDone: those of the pieces before. If the latest checkpoint has others by now, its first piece is
    ///   given.
    /// - Throws: `.malformed` for a damaged journal, or a state of which pieces are missing, `.inputOutput`.
    package func statePiece(
        job: Int, block: Int, stepsDone: Int? = nil, offset: Int = 0
    ) throws(JournalError) -> StatePiece? {
        try read { try $0.statePiece(job: job, block: block, stepsDone: stepsDone, offset: offset) }
    }

    /// The largest number that a job ever had, forgotten ones too; 0 before the first.
    package func lastJobNumber() throws(JournalError) -> Int {
        try read { try $0.lastNumber() }
    }

    /// Writes the entries, one after the other. When it returns all of them are there to stay.
    ///
    /// - Throws: `.full`, `.inputOutput`, or `.invalidValue` for an entry that does not fit what is there. Then none of
    ///   the entries is there, and the journal goes on.
    package func append(_ entries: [JournalEntry]) throws(JournalError) {
        try expectOpen()
        guard !entries.isEmpty else { return }
        do throws(JournalError) {
            try Journal.access(queue, path) { db in
                let writer = try self.writer ?? EntryWriter(db, path: path)
                self.writer = writer
                try db.inTransaction(.immediate) {
                    for entry in entries { try writer.write(entry, to: db) }
                    return .commit
                }
            }
        } catch {
            writer = nil
            throw error
        }
        if entries.contains(where: { if case .forgotten = $0 { true } else { false } }) { giveRoomBack() }
    }

    /// Pages that jobs which are gone have left, 4 KiB each, up to which nothing is given back: others will need them.
    private static let sparePages = 32

    /// Makes the file shorter once what is gone took more room in it than what is left, so that the work is never more
    /// than that of writing what is gone. Where it can't be done now it is done with a later batch.
    private func giveRoomBack() {
        try? queue.writeWithoutTransaction { db in
            let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            let all = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            guard free > Self.sparePages, free > all / 2 else { return }
            try db.execute(sql: "VACUUM")
            try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    /// Closes the file. Nothing can be read or written afterwards.
    package func close() {
        guard isOpen else { return }
        isOpen = false
        // The statements first: SQLite closes nothing while one of them is there.
        writer = nil
        // Nothing hangs on the result: what must last is there already.
        try? queue.close()
        folderLock = nil
    }

    private func read<Value>(_ body: (JobReading) throws -> Value) throws(JournalError) -> Value {
        try expectOpen()
        return try Journal.access(queue, path) { try body(JobReading(db: $0, path: path)) }
    }

    private func expectOpen() throws(JournalError) {
        guard isOpen else { throw JournalError(.invalidValue, path: path, reason: "the journal is closed") }
    }

    private static func setUp(_ db: Database, _ durability: Durability) throws {
        try db.execute(sql: "PRAGMA journal_mode = WAL")
        try db.execute(sql: durability == .power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF")
        // Every 1000 pages what is in the log goes to its place, and the log starts anew; after a batch that was far
        // longer, the log's room is given back.
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 1000")
        try db.execute(sql: "PRAGMA journal_size_limit = \(16 << 20)")
    }

    /// Calls `body` with the connection, and makes one kind of error of all that it throws.
    private static func access<Value>(
        _ queue: DatabaseQueue, _ path: String, _ body: (Database) throws -> Value
    ) throws(JournalError) -> Value {
        let result: Result<Value, JournalError> = queue.writeWithoutTransaction { db in
            do {
                return .success(try body(db))
            } catch {
                return .failure(JournalError(error, on: db, path: path))
            }
        }
        return try result.get()
    }
}
