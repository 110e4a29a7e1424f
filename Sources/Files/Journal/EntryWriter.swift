import ContentHash
import Foundation
import GRDB

/// Writes entries into the tables, within transactions of its owner. Its statements are compiled once.
///
/// After an error it is of no more use: what it looked up may be gone, and its statements would repeat the error.
final class EntryWriter {
    private let path: String
    private let insertJob, updateJob, endJob, findEnded, pauseJob, setPriority, detachJob, forgetJob: Statement
    private let findSettled, cutSettled, unsettlePieces, settlePieces, dropSettledPieces: Statement
    private let insertFinished, insertCheckpoint, insertPiece, insertReport, insertWorker, insertWorkerName: Statement
    private let verifyBlock, dropFinishedBlock, dropFinished, dropCheckpoint, dropCheckpoints: Statement
    private let dropPieces, dropBlockPieces, dropOldPieces, dropUnfinished, dropBlockUnfinished: Statement
    private let dropReports, dropBlockReports, dropWorkers: Statement
    private let workerID: Statement
    /// Rows of workers that were looked up before.
    private var workerIDs: [WorkerKey: Int64] = [:]

    private struct WorkerKey: Hashable {
        let job: Int
        let name: String
    }

    init(_ db: Database, path: String) throws {
        self.path = path
        func prepare(_ sql: String) throws -> Statement { try db.makeStatement(sql: sql) }
        insertJob = try prepare(
            """
            INSERT INTO job (number, hash, text, submitted_at, priority, share, time_limit, checkpoint_interval,
                is_detached, is_preliminary)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
            WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job' AND seq >= ?1)
            """)
        updateJob = try prepare(
            """
            UPDATE job SET text = ?3, submitted_at = ?4, priority = ?5, share = ?6, time_limit = ?7,
                checkpoint_interval = ?8, is_detached = ?9, is_preliminary = ?10, is_paused = 0, outcome = NULL,
                failure = '', seconds_elapsed = NULL
            WHERE number = ?1 AND hash = ?2
            """)
        findEnded = try prepare("SELECT 1 FROM job WHERE number = ? AND outcome IS NOT NULL")
        endJob = try prepare("UPDATE job SET outcome = ?2, failure = ?3, seconds_elapsed = ?4 WHERE number = ?1")
        pauseJob = try prepare("UPDATE job SET is_paused = ?2 WHERE number = ?1")
        setPriority = try prepare("UPDATE job SET priority = ?2 WHERE number = ?1")
        detachJob = try prepare("UPDATE job SET is_detached = 1 WHERE number = ?1")
        forgetJob = try prepare("DELETE FROM job WHERE number = ?1")
        insertFinished = try prepare(
            """
            INSERT INTO finished (job, block, attempt, worker, seconds, gradient_evaluations, checksum, verification)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """)
        insertCheckpoint = try prepare(
            """
            INSERT INTO checkpoint (job, block, attempt, steps_done, state, state_offset, settled, party)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
            WHERE NOT EXISTS (SELECT 1 FROM finished WHERE job = ?1 AND block = ?2)
            ON CONFLICT (job, block) DO UPDATE
                SET attempt = excluded.attempt, steps_done = excluded.steps_done, state = excluded.state,
                    state_offset = excluded.state_offset, settled = excluded.settled, party = excluded.party
                WHERE excluded.steps_done > checkpoint.steps_done
            """)
        findSettled = try prepare("SELECT settled FROM checkpoint WHERE job = ? AND block = ?")
        // What is settled comes anew from where the checkpoint's pieces begin, so that damage goes when a worker begins from
        // the start. Another attempt may have cut its states elsewhere.
        cutSettled = try prepare(
            """
            UPDATE settled_piece SET data = SUBSTR(data, 1, ?3 - offset)
            WHERE job = ?1 AND block = ?2 AND offset < ?3 AND offset + LENGTH(data) > ?3
            """)
        unsettlePieces = try prepare("DELETE FROM settled_piece WHERE job = ? AND block = ? AND offset >= ?")
        settlePieces = try prepare(
            """
            INSERT INTO settled_piece (job, block, offset, data) SELECT job, block, offset, data FROM state_piece
            WHERE job = ? AND block = ? AND attempt = ? AND steps_done = ? AND offset < ?
            """)
        dropSettledPieces = try prepare(
            "DELETE FROM state_piece WHERE job = ? AND block = ? AND attempt = ? AND steps_done = ? AND offset < ?")
        insertPiece = try prepare(
            """
            INSERT OR REPLACE INTO state_piece (job, block, attempt, steps_done, offset, data)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6
            WHERE NOT EXISTS (SELECT 1 FROM finished WHERE job = ?1 AND block = ?2)
                AND NOT EXISTS (SELECT 1 FROM checkpoint WHERE job = ?1 AND block = ?2 AND steps_done >= ?4)
            """)
        dropOldPieces = try prepare(
            """
            DELETE FROM state_piece WHERE job = ?1 AND block = ?2 AND EXISTS (
                SELECT 1 FROM checkpoint AS latest WHERE latest.job = ?1 AND latest.block = ?2
                    AND (latest.steps_done, latest.attempt) <> (state_piece.steps_done, state_piece.attempt)
                    AND latest.steps_done >= state_piece.steps_done)
            """)
        let isUnfinished = """
            steps_done > (SELECT COALESCE(MAX(latest.steps_done), -1) FROM checkpoint AS latest
                WHERE latest.job = state_piece.job AND latest.block = state_piece.block)
            """
        dropUnfinished = try prepare("DELETE FROM state_piece WHERE job = ? AND \(isUnfinished)")
        dropBlockUnfinished = try prepare(
            "DELETE FROM state_piece WHERE job = ? AND block = ? AND attempt = ? AND \(isUnfinished)")
        dropPieces = try prepare("DELETE FROM state_piece WHERE job = ?")
        dropBlockPieces = try prepare("DELETE FROM state_piece WHERE job = ? AND block = ?")
        insertReport = try prepare("INSERT INTO report (job, block, attempt, worker, reason) VALUES (?, ?, ?, ?, ?)")
        insertWorker = try prepare(
            """
            INSERT INTO worker (job, name, host, process, slots, version, fingerprint, party)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (job, name) DO UPDATE
                SET host = excluded.host, process = excluded.process, slots = excluded.slots,
                    version = excluded.version, fingerprint = excluded.fingerprint, party = excluded.party
            """)
        insertWorkerName = try prepare("INSERT INTO worker (job, name) VALUES (?, ?) ON CONFLICT DO NOTHING")
        workerID = try prepare("SELECT id FROM worker WHERE job = ? AND name = ?")
        verifyBlock = try prepare("UPDATE finished SET verification = 2 WHERE job = ? AND block = ?")
        dropFinishedBlock = try prepare("DELETE FROM finished WHERE job = ? AND block = ?")
        dropFinished = try prepare("DELETE FROM finished WHERE job = ?")
        dropCheckpoint = try prepare("DELETE FROM checkpoint WHERE job = ? AND block = ?")
        dropCheckpoints = try prepare("DELETE FROM checkpoint WHERE job = ?")
        dropReports = try prepare("DELETE FROM report WHERE job = ?")
        dropBlockReports = try prepare("DELETE FROM report WHERE job = ? AND block = ?")
        dropWorkers = try prepare("DELETE FROM worker WHERE job = ?")
    }

    /// Writes one entry. Throws `JournalError` or `DatabaseError`; the owner rolls back and drops the writer.
    func write(_ entry: JournalEntry, to db: Database) throws {
        switch entry {
        case .accepted(let record):
            try insertJob.execute(arguments: arguments(of: record))
            guard db.changesCount == 1 else {
                throw refusal("the number \(record.number) was given to a job before")
            }
        case .finished(let job, let block, let result):
            let worker = try rowID(ofWorker: result.worker, job: job)
            try insertFinished.execute(
                arguments: StatementArguments([
                    job.databaseValue, block.databaseValue, result.attempt.databaseValue, worker.databaseValue,
                    result.seconds.databaseValue, result.gradientEvaluations.databaseValue,
                    (result.checksum.map { Int64(bitPattern: $0) }).databaseValue,
                    result.isToBeVerified.databaseValue,
                ]))
        case .lost(let job, let blocks):
            for block in blocks { try dropFinishedBlock.execute(arguments: [job, block]) }
        case .verified(let job, let block): try verifyBlock.execute(arguments: [job, block])
        case .checkpoint(let job, let block, let checkpoint):
            try keep(checkpoint, ofBlock: block, job: job, in: db)
        case .statePiece(let job, let block, let attempt, let piece):
            if piece.isFirst { try dropBlockUnfinished.execute(arguments: [job, block, attempt]) }
            try insertPiece.execute(arguments: [job, block, attempt, piece.stepsDone, piece.offset, Data(piece.data)])
        case .stateAbandoned(let job, let block, let attempt):
            try dropBlockUnfinished.execute(arguments: [job, block, attempt])
        case .statesAbandoned(let job):
            try dropUnfinished.execute(arguments: [job])
        case .stateLost(let job, let block):
            try dropCheckpoint.execute(arguments: [job, block])
            try dropBlockPieces.execute(arguments: [job, block])
        case .report(let job, let block, let report):
            try insertReport.execute(arguments: [job, block, report.attempt, report.worker, report.reason])
        case .worker(let job, let worker):
            try insertWorker.execute(
                arguments: [
                    job, worker.name, worker.host, worker.process, worker.slots, worker.version, worker.fingerprint,
                    worker.party,
                ])
        case .ended(let job, let outcome, let failure, let seconds):
            try change(job, in: db, endJob, [job, outcome.rawValue, failure, seconds])
            if outcome == .failed { try dropUnfinished.execute(arguments: [job]) } else { try dropWork(of: job) }
        case .paused(let job, let isPaused): try change(job, in: db, pauseJob, [job, isPaused])
        case .priority(let job, let priority): try change(job, in: db, setPriority, [job, priority])
        case .detached(let job): try change(job, in: db, detachJob, [job])
        case .resubmitted(let record):
            guard try Int.fetchOne(findEnded, arguments: [record.number]) != nil else {
                throw refusal("there is no job \(record.number) that has ended")
            }
            try change(record.number, in: db, updateJob, arguments(of: record))
            try dropReports.execute(arguments: [record.number])
        case .restarted(let record):
            try change(record.number, in: db, updateJob, arguments(of: record))
            try dropWork(of: record.number)
        case .forgotten(let job):
            // Its own rows first: left to the foreign keys they would be searched for one table after the other too,
            // but row by row.
            try dropWork(of: job)
            try change(job, in: db, forgetJob, [job])
        }
    }

    private func keep(_ checkpoint: StoredCheckpoint, ofBlock block: Int, job: Int, in db: Database) throws {
        let (attempt, steps) = (checkpoint.attempt, checkpoint.stepsDone)
        let settled = try Int.fetchOne(findSettled, arguments: [job, block]) ?? 0
        if checkpoint.start <= settled {
            try insertCheckpoint.execute(
                arguments: [
                    job, block, attempt, steps, Data(checkpoint.state), checkpoint.offset, checkpoint.settled,
                    checkpoint.party,
                ])
            if db.changesCount > 0 {
                try cutSettled.execute(arguments: [job, block, checkpoint.start])
                try unsettlePieces.execute(arguments: [job, block, checkpoint.start])
                try settlePieces.execute(arguments: [job, block, attempt, steps, checkpoint.settled])
                try dropSettledPieces.execute(arguments: [job, block, attempt, steps, checkpoint.settled])
                // What gets further does not take workers down by itself.
                try dropBlockReports.execute(arguments: [job, block])
            }
        }
        try dropOldPieces.execute(arguments: [job, block])
    }

    private func change(_ job: Int, in db: Database, _ statement: Statement, _ values: StatementArguments) throws {
        try statement.execute(arguments: values)
        guard db.changesCount == 1 else { throw refusal("there is no such job \(job)") }
    }

    private func dropWork(of job: Int) throws {
        for statement in [dropFinished, dropCheckpoints, dropPieces, dropReports, dropWorkers] {
            try statement.execute(arguments: [job])
        }
        workerIDs = workerIDs.filter { $0.key.job != job }
    }

    private func rowID(ofWorker name: String, job: Int) throws -> Int64 {
        let key = WorkerKey(job: job, name: name)
        if let id = workerIDs[key] { return id }
        try insertWorkerName.execute(arguments: [job, name])
        guard let id = try Int64.fetchOne(workerID, arguments: [job, name]) else {
            throw refusal("the worker \(name) of job \(job) has no row")
        }
        workerIDs[key] = id
        return id
    }

    private func arguments(of record: JobRecord) -> StatementArguments {
        [
            record.number, Data(record.hash.bytes), Data(record.text), record.submittedAt, record.priority,
            record.share, record.timeLimit, record.checkpointInterval, record.isDetached, record.isPreliminary,
        ]
    }

    private func refusal(_ reason: String) -> JournalError {
        JournalError(.invalidValue, path: path, reason: reason)
    }
}
