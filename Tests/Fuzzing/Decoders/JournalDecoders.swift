import ContentHash
import Foundation
import GRDB

@testable import Journal

/// Decoders of what a coordinator left on the disk.
extension FuzzedDecoder {
    static let journalRows = FuzzedDecoder("journal-rows") {
        Seeds.rows
    } takes: { bytes in
        try JournalRows.shared.read(bytes)
    }

    static let journal = FuzzedDecoder("journal") {
        [try Seeds.journal()]
    } takes: { bytes in
        let folder = ScratchFile.folder + "state"
        try? FileManager.default.removeItem(atPath: folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        ScratchFile("state/" + Journal.fileName).fill(bytes)
        guard let journal = try? Journal(folder: folder, durability: .process) else { return false }
        defer { journal.close() }
        _ = try? journal.lastJobNumber()
        guard let jobs = try? journal.recover() else { return false }
        for job in jobs {
            _ = job.problem(blocks: 3)
            _ = try? journal.storedBlocks(job: job.record.number, from: 0, atMost: 9)
            for block in 0..<3 {
                _ = try? journal.finishedBlock(job: job.record.number, block: block)
                _ = try? journal.checkpoint(job: job.record.number, block: block)
                _ = try? journal.statePiece(job: job.record.number, block: block)
            }
        }
        return true
    }
}

/// A journal in memory whose rows may hold anything, as those of a damaged file may.
final class JournalRows: Sendable {
    static let shared = JournalRows()

    /// Columns of each table, by its name.
    private static let tables: [(name: String, columns: [String])] = [
        (
            "job",
            [
                "number", "hash", "text", "submitted_at", "priority", "share", "time_limit", "checkpoint_interval",
                "is_detached", "is_paused", "outcome", "failure", "seconds_elapsed", "is_preliminary",
            ]
        ),
        ("worker", ["id", "job", "name", "host", "process", "slots", "version", "fingerprint", "party"]),
        (
            "finished",
            ["job", "block", "attempt", "worker", "seconds", "gradient_evaluations", "checksum", "verification"]
        ),
        ("checkpoint", ["job", "block", "attempt", "steps_done", "state", "state_offset", "settled", "party"]),
        ("state_piece", ["job", "block", "attempt", "steps_done", "offset", "data"]),
        ("settled_piece", ["job", "block", "offset", "data"]),
        ("report", ["id", "job", "block", "attempt", "worker", "reason"]),
        ("sqlite_sequence", ["name", "seq"]),
    ]

    /// Of one input.
    private static let mostRows = 12

    private let queue: DatabaseQueue

    private init() {
        do {
            queue = try DatabaseQueue()
            try queue.write { db in
                // Types and checks are what damage gets past.
                for step in Schema.steps {
                    try db.execute(
                        sql: step.replacing(") STRICT", with: ")").replacing("), WITHOUT", with: ") WITHOUT"))
                }
                try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
            }
            try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA foreign_keys = OFF") }
        } catch {
            fatalError("a journal in memory: \(error)")
        }
    }

    /// Reads back all rows that the bytes make: a table, and a value for each of its columns.
    ///
    /// - Returns: whether there is a job without damage.
    func read(_ bytes: [UInt8]) throws -> Bool {
        try queue.writeWithoutTransaction { db in
            var isTaken = false
            try db.inTransaction(.deferred) {
                var rest = RowBytes(rest: bytes[...])
                for _ in 0..<Self.mostRows {
                    guard let choice = rest.byte() else { break }
                    let table = Self.tables[Int(choice) % Self.tables.count]
                    let values = table.columns.map { _ in rest.value() }
                    let places = values.map { _ in "?" }.joined(separator: ", ")
                    let columns = table.columns.joined(separator: ", ")
                    // A number or a key that SQLite itself refuses is not in any file.
                    try? db.cachedStatement(
                        sql: "INSERT OR REPLACE INTO \(table.name) (\(columns)) VALUES (\(places))"
                    ).execute(arguments: StatementArguments(values))
                }
                let reading = JobReading(db: db, path: "journal")
                isTaken = try self.taken(reading)
                return .rollback
            }
            return isTaken
        }
    }

    private func taken(_ reading: JobReading) throws -> Bool {
        _ = (try? reading.lastNumber(), try? reading.numbers())
        guard let jobs = try? reading.jobs({ _ in }) else { return false }
        for job in jobs {
            _ = job.problem(blocks: 3)
            _ = job.finishedCount
            for worker in job.workers { _ = try? reading.unverifiedBlocks(ofParty: worker.worker.party) }
            let number = job.record.number
            _ = (try? reading.job(number: number), try? reading.storedBlocks(job: number, from: 0, atMost: 9))
            for block in Set(job.checkpoints.keys.prefix(4)).union(0..<2) {
                _ = (try? reading.finishedBlock(job: number, block: block))
                _ = try? reading.checkpoint(job: number, block: block)
                var offset = 0
                for _ in 0..<4 {
                    guard let piece = try? reading.statePiece(job: number, block: block, stepsDone: nil, offset: offset)
                    else { break }
                    (offset, _) = offset.addingReportingOverflow(piece.data.count)
                }
            }
        }
        return jobs.contains { $0.damage == nil }
    }
}

/// Values of rows, taken from bytes.
private struct RowBytes {
    var rest: ArraySlice<UInt8>

    mutating func byte() -> UInt8? { rest.popFirst() }

    /// By its first byte a null, a whole number, another, a text or bytes.
    mutating func value() -> DatabaseValue {
        guard let kind = byte() else { return .null }
        switch kind % 8 {
        case 0: return .null
        case 1, 2: return Int(byte() ?? 0).databaseValue
        case 3: return Int(truncatingIfNeeded: word()).databaseValue
        case 4: return Double(bitPattern: word()).databaseValue
        case 5: return String(decoding: bytes(Int(byte() ?? 0)), as: UTF8.self).databaseValue
        // A job's hash, more often than chance has it.
        case 6: return Data(bytes(32)).databaseValue
        default: return Data(bytes(Int(byte() ?? 0))).databaseValue
        }
    }

    private mutating func word() -> UInt64 { bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }

    private mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken
    }
}
