import ContentHash
import Foundation
import GRDB

/// Reads what the tables hold; every value is checked, since a damaged file may hold anything.
struct JobReading {
    let db: Database
    let path: String

    /// All jobs, in the order of their numbers, but those of which not even the record can be read.
    func jobs(_ passedOver: (JournalError) -> Void) throws -> [RecoveredJob] {
        let rows = try Row.fetchCursor(db, sql: "\(Self.selection) ORDER BY number")
        var jobs: [RecoveredJob] = []
        while let row = try rows.next() {
            do {
                jobs.append(try job(of: row))
            } catch let error as JournalError {
                passedOver(error)
            }
        }
        return try jobs.map { try withWork($0) }
    }

    /// The job of a number; nil if there is none.
    func job(number: Int) throws -> RecoveredJob? {
        try Row.fetchOne(db, sql: "\(Self.selection) WHERE number = ?", arguments: [number])
            .map { try withWork(try job(of: $0)) }
    }

    private static let selection = """
        SELECT number, hash, text, submitted_at, priority, share, time_limit, checkpoint_interval, is_detached,
            is_paused, outcome, failure, seconds_elapsed, is_preliminary
        FROM job
        """

    /// The same job with what is known of its blocks.
    private func withWork(_ job: RecoveredJob) throws -> RecoveredJob {
        do {
            var whole = job
            try readBlocks(into: &whole)
            try readCheckpoints(into: &whole)
            try readReports(into: &whole)
            return whole
        } catch let error as JournalError {
            var damaged = job
            damaged.damage = error.reason
            return damaged
        }
    }

    /// What is kept of a block's result.
    func finishedBlock(job: Int, block: Int) throws -> FinishedBlock? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT attempt, name, seconds, gradient_evaluations, checksum
                FROM finished JOIN worker ON worker.id = finished.worker WHERE finished.job = ? AND block = ?
                """, arguments: [job, block])
        return try row.map {
            FinishedBlock(
                attempt: try integer($0, 0), worker: try text($0, 1), seconds: try real($0, 2),
                gradientEvaluations: try integer($0, 3),
                checksum: Int64.fromDatabaseValue($0[4]).map { UInt64(bitPattern: $0) })
        }
    }

    /// Finished blocks from `block` on, in order.
    func storedBlocks(job: Int, from block: Int, atMost most: Int) throws -> [StoredBlock] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT block, gradient_evaluations, checksum FROM finished WHERE job = ? AND block >= ?
                ORDER BY block LIMIT ?
                """, arguments: [job, block, most])
        var blocks: [StoredBlock] = []
        while let row = try rows.next() { blocks.append(try storedBlock(row)) }
        return blocks
    }

    /// Finished blocks of a party's workers that nobody has verified, by job, in order.
    func unverifiedBlocks(ofParty party: String) throws -> [Int: [StoredBlock]] {
        var blocks: [Int: [StoredBlock]] = [:]
        let workers = try Row.fetchAll(db, sql: "SELECT job, id FROM worker WHERE party = ?", arguments: [party])
        for worker in workers {
            let (job, id) = (try integer(worker, 0), try integer(worker, 1))
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT block, gradient_evaluations, checksum FROM finished
                    WHERE job = ? AND worker = ? AND verification <> 2 ORDER BY block
                    """, arguments: [job, id])
            while let row = try rows.next() { blocks[job, default: []].append(try storedBlock(row)) }
        }
        return blocks
    }

    private func storedBlock(_ row: Row) throws -> StoredBlock {
        StoredBlock(
            block: try integer(row, 0), gradientEvaluations: try integer(row, 1),
            checksum: Int64.fromDatabaseValue(row[2]).map { UInt64(bitPattern: $0) })
    }

    /// The numbers of all jobs, in their order.
    func numbers() throws -> [Int] { try Int.fetchAll(db, sql: "SELECT number FROM job ORDER BY number") }

    /// The latest checkpoint of a block, with its state.
    func checkpoint(job: Int, block: Int) throws -> StoredCheckpoint? {
        try Row.fetchOne(
            db,
            sql: """
                SELECT attempt, steps_done, state, state_offset, settled, party FROM checkpoint
                WHERE job = ? AND block = ?
                """, arguments: [job, block]
        ).map { row in
            StoredCheckpoint(
                attempt: try integer(row, 0), stepsDone: try integer(row, 1), state: try bytes(row, 2),
                offset: try integer(row, 3), settled: try integer(row, 4), party: try text(row, 5))
        }
    }

    /// A piece of the state of a block's latest checkpoint.
    func statePiece(job: Int, block: Int, stepsDone: Int?, offset: Int) throws -> StatePiece? {
        guard
            let row = try Row.fetchOne(
                db,
                sql: "SELECT attempt, steps_done, state_offset, settled FROM checkpoint WHERE job = ? AND block = ?",
                arguments: [job, block])
        else { return nil }
        let (attempt, latest, end) = (try integer(row, 0), try integer(row, 1), try integer(row, 2))
        // Another one may have come meanwhile.
        let offset = stepsDone ?? latest == latest ? offset : 0
        if offset == end {
            return try checkpoint(job: job, block: block).map {
                StatePiece(stepsDone: latest, offset: offset, data: $0.state, isLast: true)
            }
        }
        let isSettled = offset < (try integer(row, 3))
        let piece =
            isSettled
            ? try Row.fetchOne(
                db, sql: "SELECT data FROM settled_piece WHERE job = ? AND block = ? AND offset = ?",
                arguments: [job, block, offset])
            : try Row.fetchOne(
                db,
                sql: """
                    SELECT data FROM state_piece
                    WHERE job = ? AND block = ? AND attempt = ? AND steps_done = ? AND offset = ?
                    """, arguments: [job, block, attempt, latest, offset])
        guard let piece else { throw damaged("the state of block \(block) of job \(job)") }
        return StatePiece(stepsDone: latest, offset: offset, data: try bytes(piece, 0))
    }

    /// The largest number that a job ever had; 0 before the first.
    func lastNumber() throws -> Int {
        let number = try Int.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'job'") ?? 0
        guard 0...1 << 53 ~= number else { throw damaged("the number \(number) of the last job") }
        return number
    }

    private func job(of row: Row) throws -> RecoveredJob {
        let number = try integer(row, 0)
        guard let hash = Digest(bytes: try bytes(row, 1)) else { throw damaged("the hash of job \(number)") }
        let record = JobRecord(
            number: number, hash: hash, text: try bytes(row, 2), submittedAt: try real(row, 3),
            priority: try integer(row, 4), share: try real(row, 5), timeLimit: Double.fromDatabaseValue(row[6]),
            checkpointInterval: Double.fromDatabaseValue(row[7]), isDetached: try integer(row, 8) == 1,
            isPreliminary: try integer(row, 13) == 1)
        let times = [record.submittedAt, record.timeLimit ?? 0, record.checkpointInterval ?? 0]
        guard times.allSatisfy({ 0...1e12 ~= $0 }), record.share > 0, record.share.isFinite, 1...1 << 53 ~= number
        else {
            throw damaged("the numbers of job \(number)")
        }
        var job = RecoveredJob(record: record)
        job.isPaused = try integer(row, 9) == 1
        if let name = String.fromDatabaseValue(row[10]) {
            guard let outcome = JobOutcome(rawValue: name) else { throw damaged("the outcome of job \(number)") }
            job.outcome = outcome
        }
        job.failure = try text(row, 11)
        job.secondsElapsed = Double.fromDatabaseValue(row[12])
        return job
    }

    private func readBlocks(into job: inout RecoveredJob) throws {
        var shares: [Int: (blocks: Int, seconds: Double)] = [:]
        var unverified: [(block: Int, attempt: Int, worker: Int)] = []
        var run = 0..<0
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT block, attempt, worker, seconds, gradient_evaluations, verification FROM finished
                WHERE job = ? ORDER BY block
                """, arguments: [job.record.number])
        while let row = try rows.next() {
            let (block, attempt, worker) = (try integer(row, 0), try integer(row, 1), try integer(row, 2))
            let (seconds, gradients) = (try real(row, 3), try integer(row, 4))
            guard block >= run.upperBound, block < Int.max else {
                throw damaged("the order of the finished blocks of job \(job.record.number)")
            }
            guard gradients >= 0, seconds.isFinite else {
                throw damaged("the numbers of block \(block) of job \(job.record.number)")
            }
            if block > run.upperBound {
                if !run.isEmpty { job.finishedBlocks.append(run) }
                run = block..<block
            }
            run = run.lowerBound..<(block + 1)
            if attempt > 1 { job.blocksRunAgain += 1 }
            switch try integer(row, 5) {
            case 1: unverified.append((block, attempt, worker))
            case 2: job.verifiedBlocks.append(block)
            default: break
            }
            let (sum, overflows) = job.gradientEvaluations.addingReportingOverflow(gradients)
            guard !overflows else { throw damaged("the gradient evaluations of job \(job.record.number)") }
            job.gradientEvaluations = sum
            shares[worker, default: (0, 0)].blocks += 1
            shares[worker, default: (0, 0)].seconds += seconds
        }
        if !run.isEmpty { job.finishedBlocks.append(run) }
        let workers = try readWorkers(into: &job, shares)
        for (block, attempt, id) in unverified {
            job.unverifiedBlocks[block] = workers[id].map { UnverifiedBlock(worker: $0, attempt: attempt) }
        }
    }

    /// - Returns: the workers by their rows.
    private func readWorkers(
        into job: inout RecoveredJob, _ shares: [Int: (blocks: Int, seconds: Double)]
    ) throws -> [Int: WorkerDescription] {
        var unnamed = Set(shares.keys)
        var workers: [Int: WorkerDescription] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, name, host, process, slots, version, fingerprint, party FROM worker WHERE job = ?
                ORDER BY name
                """, arguments: [job.record.number])
        while let row = try rows.next() {
            let id = try integer(row, 0)
            let worker = WorkerDescription(
                name: try text(row, 1), host: try text(row, 2), process: try integer(row, 3),
                slots: try integer(row, 4), version: try text(row, 5), fingerprint: try text(row, 6),
                party: try text(row, 7))
            workers[id] = worker
            let share = shares[id] ?? (0, 0)
            job.workers.append(WorkerShare(worker: worker, blocks: share.blocks, seconds: share.seconds))
            unnamed.remove(id)
        }
        guard unnamed.isEmpty else { throw damaged("the workers of job \(job.record.number)") }
        return workers
    }

    private func readCheckpoints(into job: inout RecoveredJob) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT block, attempt, steps_done, settled, party FROM checkpoint WHERE job = ?",
            arguments: [job.record.number])
        while let row = try rows.next() {
            job.checkpoints[try block(row, of: job)] = CheckpointMark(
                attempt: try integer(row, 1), stepsDone: try integer(row, 2), settled: try integer(row, 3),
                party: try text(row, 4))
        }
    }

    private func readReports(into job: inout RecoveredJob) throws {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT block, attempt, worker, reason FROM report WHERE job = ? ORDER BY id",
            arguments: [job.record.number])
        while let row = try rows.next() {
            job.reports[try block(row, of: job), default: []].append(
                FailureReport(attempt: try integer(row, 1), worker: try text(row, 2), reason: try text(row, 3)))
        }
    }

    /// The number of a block, in the first column.
    private func block(_ row: Row, of job: RecoveredJob) throws -> Int {
        let block = try integer(row, 0)
        guard block >= 0 else { throw damaged("block \(block) of job \(job.record.number)") }
        return block
    }

    private func integer(_ row: Row, _ column: Int) throws -> Int {
        guard let value = Int.fromDatabaseValue(row[column]) else { throw damaged("no whole number") }
        return value
    }

    private func real(_ row: Row, _ column: Int) throws -> Double {
        guard let value = Double.fromDatabaseValue(row[column]) else { throw damaged("no number") }
        return value
    }

    private func text(_ row: Row, _ column: Int) throws -> String {
        guard let value = String.fromDatabaseValue(row[column]) else { throw damaged("no text") }
        return value
    }

    private func bytes(_ row: Row, _ column: Int) throws -> [UInt8] {
        guard let value = Data.fromDatabaseValue(row[column]) else { throw damaged("no bytes") }
        return Array(value)
    }

    private func damaged(_ what: String) -> JournalError {
        JournalError(.malformed, path: path, reason: "a damaged journal: \(what)")
    }
}
