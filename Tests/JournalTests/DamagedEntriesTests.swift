import Foundation
import GRDB
import Testing

@testable import Journal

@Suite("What a journal says that can't be")
struct DamagedEntriesTests {
    /// Changes what a closed journal holds.
    private func change(_ folder: ScratchFolder, _ sql: String) throws {
        let queue = try DatabaseQueue(path: folder(Journal.fileName))
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    private func journal(_ entries: [JournalEntry]) throws -> ScratchFolder {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append(entries)
        journal.close()
        return folder
    }

    @Test(
        "A number that can't be is the trouble of its job alone",
        arguments: [
            "UPDATE finished SET gradient_evaluations = -1 WHERE job = 1 AND block = 1",
            "UPDATE finished SET seconds = 9e999 WHERE job = 1 AND block = 1",
            "UPDATE finished SET worker = 77 WHERE job = 1 AND block = 1",
            "UPDATE finished SET block = 9223372036854775807 WHERE job = 1 AND block = 1",
        ])
    func damagedJob(sql: String) throws {
        let folder = try journal(
            [.accepted(job(1)), .accepted(job(2))] + finished(1, 0..<3) + finished(2, 0..<2))
        try change(folder, sql)
        let jobs = try openJournal(folder).recover()
        #expect(jobs.count == 2)
        #expect(jobs[0].damage != nil && jobs[0].finishedBlocks == [] && jobs[0].record == job(1))
        #expect(jobs[1].damage == nil && jobs[1].finishedBlocks == [0..<2])
    }

    @Test(
        "Blocks beyond the last one of the job are a problem, wherever they are noted",
        arguments: [
            "UPDATE finished SET block = block + 100000 WHERE job = 1 AND block = 2",
            "INSERT INTO checkpoint (job, block, attempt, steps_done, state) VALUES (1, 40, 1, 1, x'00')",
            "INSERT INTO report (job, block, attempt, worker, reason) VALUES (1, 9223372036854775807, 1, 'w', 'r')",
        ])
    func outOfRange(sql: String) throws {
        let folder = try journal([.accepted(job(1))] + finished(1, 0..<3))
        #expect(try openJournal(folder).recover()[0].problem(blocks: 3) == nil)
        try change(folder, sql)
        #expect(try openJournal(folder).recover()[0].problem(blocks: 3) != nil)
    }

    @Test("A job of which not even the record can be read is passed over and told")
    func damagedRecord() throws {
        let folder = try journal([.accepted(job(1)), .accepted(job(2))])
        try change(folder, "UPDATE job SET share = -1 WHERE number = 1")
        var told: [String] = []
        let journal = try openJournal(folder)
        #expect(try journal.recover { told.append($0.reason) }.map(\.record) == [job(2)])
        #expect(told.count == 1 && told[0].contains("job 1"))
        #expect(try journal.lastJobNumber() == 2)
    }

    @Test("Checksums come back bit by bit, and blocks that are lost can be finished again")
    func lost() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        func result(_ checksum: UInt64?) -> FinishedBlock {
            FinishedBlock(attempt: 1, worker: "w", seconds: 1, gradientEvaluations: 10, checksum: checksum)
        }
        try journal.append([
            .accepted(job(1)), .finished(job: 1, block: 0, result(.max)), .finished(job: 1, block: 1, result(nil)),
            .finished(job: 1, block: 2, result(5)),
        ])
        #expect(
            try journal.storedBlocks(job: 1, from: 0, atMost: 10) == [
                StoredBlock(block: 0, gradientEvaluations: 10, checksum: .max),
                StoredBlock(block: 1, gradientEvaluations: 10, checksum: nil),
                StoredBlock(block: 2, gradientEvaluations: 10, checksum: 5),
            ])
        #expect(try journal.storedBlocks(job: 1, from: 1, atMost: 1).map(\.block) == [1])
        try journal.append([.lost(job: 1, blocks: [0, 2])])
        #expect(try journal.recover()[0].finishedBlocks == [1..<2])
        try journal.append([.finished(job: 1, block: 2, result(6))])
        #expect(try journal.storedBlocks(job: 1, from: 2, atMost: 1).map(\.checksum) == [6])
    }

    @Test("Who brought a block's result is known as long as the job is not over")
    func finishedBlock() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))] + finished(1, 0..<2, worker: "7"))
        #expect(
            try journal.finishedBlock(job: 1, block: 1)
                == FinishedBlock(attempt: 1, worker: "7", seconds: 0.5, gradientEvaluations: 100))
        #expect(try journal.finishedBlock(job: 1, block: 2) == nil)
        try journal.append([.ended(job: 1, .finished, failure: "", secondsElapsed: 1)])
        #expect(try journal.finishedBlock(job: 1, block: 1) == nil)
    }

    @Test("A journal of the first version goes on, its blocks without checksums")
    func firstVersion() throws {
        let folder = try ScratchFolder()
        let old = try Journal(folder: folder.path, durability: .process, steps: [Schema.steps[0]])
        old.close()
        let queue = try DatabaseQueue(path: folder(Journal.fileName))
        try queue.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    INSERT INTO job (number, hash, text, submitted_at, priority, share, is_detached)
                    VALUES (1, zeroblob(32), x'7b7d', 1, 0, 1, 0);
                    INSERT INTO worker (id, job, name) VALUES (1, 1, 'w');
                    INSERT INTO finished (job, block, attempt, worker, seconds, gradient_evaluations)
                    VALUES (1, 0, 1, 1, 1, 5)
                    """)
        }
        try queue.close()
        let journal = try openJournal(folder)
        #expect(try journal.recover()[0].finishedBlocks == [0..<1])
        #expect(try journal.storedBlocks(job: 1, from: 0, atMost: 5).map(\.checksum) == [nil])
    }
}
