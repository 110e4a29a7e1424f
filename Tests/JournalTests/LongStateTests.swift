import GRDB
import Testing

@testable import Journal

@Suite("Long states in the journal")
struct LongStateTests {
    private func piece(
        _ steps: Int, _ offset: Int, _ data: [UInt8], block: Int = 0, attempt: Int = 1, from start: Int = 0
    ) -> JournalEntry {
        .statePiece(
            job: 1, block: block, attempt: attempt,
            StatePiece(stepsDone: steps, offset: offset, data: data, isFirst: offset == start))
    }

    private func last(
        _ steps: Int, _ data: [UInt8], at offset: Int = 0, block: Int = 0, attempt: Int = 1, from start: Int = 0,
        settled: Int = 0
    ) -> JournalEntry {
        .checkpoint(
            job: 1, block: block,
            StoredCheckpoint(
                attempt: attempt, stepsDone: steps, state: data, offset: offset, start: start, settled: settled))
    }

    /// The bytes of all pieces that the journal has, of states that are whole and of others.
    private func pieceBytes(in folder: ScratchFolder) throws -> Int {
        let queue = try DatabaseQueue(path: folder.path + "/" + Journal.fileName)
        return try queue.read {
            try Int.fetchOne($0, sql: "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM state_piece") ?? 0
        }
    }

    @Test("States that are begun and not ended take the room of one for each attempt, and go with the attempts")
    func unfinishedStates() throws {
        let folder = try ScratchFolder()
        func bytes(after entries: [JournalEntry]) throws -> Int {
            let journal = try openJournal(folder)
            try journal.append(entries)
            journal.close()
            return try pieceBytes(in: folder)
        }
        let begun = (1...50).flatMap { [piece($0, 0, [1, 2]), piece($0, 2, [3])] }
        #expect(try bytes(after: [.accepted(job(1))] + begun) == 3)
        #expect(try bytes(after: [piece(9, 0, [4, 5], attempt: 2)]) == 5)
        // One that ends with fewer steps leaves the other's alone; one that ends with more takes its place.
        #expect(try bytes(after: [last(9, [6], at: 2, attempt: 2)]) == 5)
        #expect(try bytes(after: [.stateAbandoned(job: 1, block: 0, attempt: 1)]) == 2)
        #expect(try bytes(after: [piece(50, 0, [7], attempt: 1), last(50, [8], at: 1, attempt: 1)]) == 1)
        #expect(try bytes(after: [piece(60, 0, [1]), piece(60, 0, [1], block: 1)]) == 3)
        #expect(try bytes(after: [.statesAbandoned(job: 1)]) == 1)
        #expect(try bytes(after: [piece(60, 0, [1])]) == 2)
        #expect(try bytes(after: [.ended(job: 1, .failed, failure: "", secondsElapsed: 1)]) == 1)
        let journal = try openJournal(folder)
        #expect(try #require(try state(in: journal)) == (50, [7, 8]))
        try journal.append([.stateLost(job: 1, block: 0), last(3, [9])])
        #expect(try #require(try state(in: journal)) == (3, [9]))
    }

    @Test("Two attempts at a block that send states of as many steps don't mix them")
    func twoAttempts() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([
            .accepted(job(1)), piece(5, 0, [1, 1], attempt: 1), piece(5, 0, [2, 2], attempt: 2), last(5, [1], at: 2),
            last(5, [2], at: 2, attempt: 2),
        ])
        #expect(try #require(try state(in: journal)) == (5, [1, 1, 1]))
    }

    @Test("A long state that a journal of the third version has is there in this one, what was begun is not")
    func olderPieces() throws {
        let folder = try ScratchFolder()
        let old = try Journal(folder: folder.path, durability: .process, steps: Array(Schema.steps.prefix(3)))
        old.close()
        let queue = try DatabaseQueue(path: folder.path + "/" + Journal.fileName)
        try queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO job (number, hash, text, submitted_at, priority, share, is_detached)
                        VALUES (1, zeroblob(32), x'7b7d', 0, 0, 1, 0);
                    INSERT INTO checkpoint (job, block, attempt, steps_done, state) VALUES (1, 0, 7, 10, x'03');
                    INSERT INTO checkpoint_piece VALUES (1, 0, 10, 0, x'0102'), (1, 0, 20, 0, x'04');
                    """)
        }
        try queue.close()
        #expect(try #require(try state(in: openJournal(folder))) == (10, [1, 2, 3]))
        #expect(try pieceBytes(in: folder) == 2)
    }

    /// All pieces of the latest checkpoint, one after the other.
    private func state(in journal: Journal, block: Int = 0) throws -> (steps: Int, bytes: [UInt8])? {
        var bytes: [UInt8] = []
        var steps: Int?
        while let next = try journal.statePiece(job: 1, block: block, stepsDone: steps, offset: bytes.count) {
            #expect(next.offset == bytes.count)
            bytes += next.data
            steps = next.stepsDone
            if next.isLast { return (next.stepsDone, bytes) }
        }
        return nil
    }

    @Test("A long state comes back piece by piece, and one that is not whole yet replaces nothing")
    func pieces() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1)), piece(10, 0, [1, 2]), piece(10, 2, [3, 4])])
        #expect(try journal.statePiece(job: 1, block: 0) == nil)
        try journal.append([last(10, [5], at: 4)])
        #expect(try #require(try state(in: journal)) == (10, [1, 2, 3, 4, 5]))
        // The next one, of which the coordinator dies before the last piece is there.
        try journal.append([piece(20, 0, [6, 7])])
        journal.close()
        let again = try openJournal(folder)
        #expect(try #require(try state(in: again)) == (10, [1, 2, 3, 4, 5]))
        let first = try #require(try again.statePiece(job: 1, block: 0))
        try again.append([piece(20, 0, [6, 8]), last(20, [9], at: 2)])
        // Who has read a piece of the older one begins with the newer one's first.
        #expect(
            try again.statePiece(job: 1, block: 0, stepsDone: first.stepsDone, offset: 2)
                == StatePiece(stepsDone: 20, offset: 0, data: [6, 8]))
        #expect(try #require(try state(in: again)) == (20, [6, 8, 9]))
        // A short one has no pieces.
        try again.append([last(30, [10])])
        #expect(
            try again.statePiece(job: 1, block: 0) == StatePiece(stepsDone: 30, offset: 0, data: [10], isLast: true))
    }

    /// The bytes of what checkpoints share.
    private func settledBytes(in folder: ScratchFolder) throws -> Int {
        let queue = try DatabaseQueue(path: folder.path + "/" + Journal.fileName)
        return try queue.read {
            try Int.fetchOne($0, sql: "SELECT COALESCE(SUM(LENGTH(data)), 0) FROM settled_piece") ?? 0
        }
    }

    @Test("What is settled of a state is written once, and is there for every later one")
    func settled() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([
            .accepted(job(1)), piece(10, 0, [1, 2]), piece(10, 2, [3]), last(10, [90], at: 3, settled: 3),
        ])
        #expect(try #require(try state(in: journal)) == (10, [1, 2, 3, 90]))
        // Nothing new is settled.
        try journal.append([last(11, [91], at: 3, from: 3, settled: 3)])
        #expect(try #require(try state(in: journal)) == (11, [1, 2, 3, 91]))
        try journal.append([piece(12, 3, [4, 5], from: 3), last(12, [92], at: 5, from: 3, settled: 5)])
        #expect(try #require(try state(in: journal)) == (12, [1, 2, 3, 4, 5, 92]))
        // Another attempt, which has sent less before, cuts elsewhere.
        try journal.append([
            piece(20, 2, [3, 4, 5, 6], attempt: 2, from: 2), piece(20, 6, [7], attempt: 2, from: 2),
            piece(20, 7, [80], attempt: 2, from: 2), last(20, [93], at: 8, attempt: 2, from: 2, settled: 7),
        ])
        #expect(try #require(try state(in: journal)) == (20, [1, 2, 3, 4, 5, 6, 7, 80, 93]))
        // What isn't kept settles nothing, and neither does what begins behind what is there.
        try journal.append([
            piece(15, 5, [66, 77, 88], from: 5), last(15, [94], at: 8, from: 5, settled: 8),
            piece(30, 8, [9], from: 8), last(30, [95], at: 9, from: 8, settled: 9),
        ])
        #expect(try #require(try state(in: journal)) == (20, [1, 2, 3, 4, 5, 6, 7, 80, 93]))
        // The first attempt goes on from where it was, within a piece of the other.
        try journal.append([piece(40, 5, [6, 7, 8], from: 5), last(40, [96], at: 8, from: 5, settled: 8)])
        #expect(try #require(try state(in: journal)) == (40, [1, 2, 3, 4, 5, 6, 7, 8, 96]))
        // A worker for which that was damaged begins from the start, and what it sends is there from then on.
        try journal.append([
            piece(50, 0, [11, 12, 13, 14], attempt: 3), last(50, [97], at: 4, attempt: 3, settled: 4),
        ])
        #expect(try #require(try state(in: journal)) == (50, [11, 12, 13, 14, 97]))
        journal.close()
        #expect(try settledBytes(in: folder) == 4)
        let again = try openJournal(folder)
        #expect(try again.recover(job: 1)?.checkpoints == [0: CheckpointMark(attempt: 3, stepsDone: 50, settled: 4)])
        try again.append(finished(1, 0..<1))
        again.close()
        #expect(try settledBytes(in: folder) == 0 && pieceBytes(in: folder) == 0)
    }

    @Test("Where a state is lost, or its job begins anew, nothing of it stays settled")
    func unsettled() throws {
        let folder = try ScratchFolder()
        let begun = [piece(10, 0, [1, 2]), last(10, [90], at: 2, settled: 2)]
        for end in [JournalEntry.stateLost(job: 1, block: 0), .restarted(job(1)), .forgotten(job: 1)] {
            let journal = try openJournal(folder)
            try journal.append((try journal.recover(job: 1) == nil ? [.accepted(job(1))] : []) + begun + [end])
            journal.close()
            #expect(try settledBytes(in: folder) == 0 && pieceBytes(in: folder) == 0)
        }
    }

    @Test("Of a finished block no piece is kept, and a state of which pieces are missing is damaged")
    func lostPieces() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append(
            [
                .accepted(job(1)), piece(10, 0, [1]), last(10, [2], at: 1), piece(10, 0, [1], block: 1),
                last(10, [2], at: 1, block: 1),
            ])
        try journal.append([piece(20, 1, [1], block: 1), last(20, [2], at: 2, block: 1)])
        #expect(
            failure { () throws(JournalError) in _ = try journal.statePiece(job: 1, block: 1) }?.code == .malformed)
        try journal.append(finished(1, 0..<1) + [piece(20, 0, [1])])
        #expect(try journal.statePiece(job: 1, block: 0) == nil)
        try journal.append([.restarted(job(1)), last(5, [3])])
        #expect(try #require(try state(in: journal)) == (5, [3]))
    }
}
