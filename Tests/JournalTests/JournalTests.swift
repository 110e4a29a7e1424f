import Testing

@testable import Journal

@Suite("The journal")
struct JournalTests {
    /// What is recovered after these batches, once by the same journal and once after it was closed: both must agree.
    private func recovered(_ batches: [JournalEntry]...) throws -> [RecoveredJob] {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        for batch in batches { try journal.append(batch) }
        let before = try journal.recover()
        journal.close()
        let after = try openJournal(folder).recover()
        #expect(before == after)
        return after
    }

    @Test("A new journal knows no job", arguments: [Journal.Durability.power, .process])
    func empty(durability: Journal.Durability) throws {
        let folder = try ScratchFolder()
        let journal = try Journal(folder: folder("a/b"), durability: durability)
        #expect(try journal.recover() == [])
        #expect(try journal.lastJobNumber() == 0)
        try journal.append([])
        try journal.append([.accepted(job(1))])
        #expect(try journal.recover() == [RecoveredJob(record: job(1))])
    }

    @Test("Jobs come back with every field, in the order of their numbers")
    func jobs() throws {
        var full = job(3)
        full.priority = -7
        full.share = 2.5
        full.timeLimit = 3600.5
        full.checkpointInterval = 0.125
        full.isDetached = true
        let jobs = try recovered([.accepted(job(1))], [.accepted(job(2)), .accepted(full)])
        #expect(jobs == [RecoveredJob(record: job(1)), RecoveredJob(record: job(2)), RecoveredJob(record: full)])
    }

    @Test("Finished blocks come back as runs, with the sums of who did them")
    func finishedBlocks() throws {
        let first = WorkerDescription(
            name: "b", host: "node-1", process: 17, slots: 8, version: "1.0", fingerprint: "0123abcd")
        var again = finished(1, 9..<10)
        again.append(
            .finished(
                job: 1, block: 12, FinishedBlock(attempt: 3, worker: "b", seconds: 2, gradientEvaluations: 1)))
        let jobs = try recovered(
            [.accepted(job(1)), .accepted(job(2)), .worker(job: 1, first)],
            finished(1, 3..<5, worker: "b") + finished(1, 0..<1, worker: "a"),
            finished(1, 5..<8, worker: "a") + again + finished(2, 0..<4))
        #expect(jobs.map(\.finishedBlocks) == [[0..<1, 3..<8, 9..<10, 12..<13], [0..<4]])
        #expect(jobs.map(\.finishedCount) == [8, 4])
        #expect(jobs.map(\.gradientEvaluations) == [701, 400])
        #expect(jobs.map(\.blocksRunAgain) == [1, 0])
        #expect(
            jobs[0].workers == [
                WorkerShare(worker: WorkerDescription(name: "a"), blocks: 4, seconds: 2),
                WorkerShare(worker: first, blocks: 3, seconds: 3),
                WorkerShare(worker: WorkerDescription(name: "w"), blocks: 1, seconds: 0.5),
            ])
    }

    @Test("A block that finishes twice counts once, as it did the first time")
    func finishedTwice() throws {
        let jobs = try recovered([.accepted(job(1))] + finished(1, 0..<2), finished(1, 1..<3, worker: "late"))
        #expect(jobs[0].finishedBlocks == [0..<3])
        #expect(jobs[0].workers.map(\.blocks) == [1, 2])
        #expect(jobs[0].gradientEvaluations == 300)
    }

    @Test("The latest checkpoint of a block is kept, an older one never replaces it, a finished block has none")
    func checkpoints() throws {
        func checkpoint(_ block: Int, _ attempt: Int, _ steps: Int, _ state: [UInt8]) -> JournalEntry {
            .checkpoint(job: 1, block: block, StoredCheckpoint(attempt: attempt, stepsDone: steps, state: state))
        }
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try journal.append([.accepted(job(1)), checkpoint(0, 1, 10, [1]), checkpoint(1, 1, 5, [2])])
        try journal.append([checkpoint(0, 2, 7, [3]), checkpoint(1, 2, 6, large), checkpoint(0, 2, 10, [4])])
        try journal.append([checkpoint(2, 1, 1, []), checkpoint(3, 1, 1, [9])])
        try journal.append(finished(1, 3..<5) + [checkpoint(4, 1, 9, [1])])
        journal.close()

        let again = try openJournal(folder)
        #expect(
            try again.recover()[0].checkpoints == [
                0: CheckpointMark(attempt: 1, stepsDone: 10), 1: CheckpointMark(attempt: 2, stepsDone: 6),
                2: CheckpointMark(attempt: 1, stepsDone: 1),
            ])
        #expect(
            try again.checkpoint(job: 1, block: 0) == StoredCheckpoint(attempt: 1, stepsDone: 10, state: [1]))
        #expect(
            try again.checkpoint(job: 1, block: 1) == StoredCheckpoint(attempt: 2, stepsDone: 6, state: large))
        #expect(try again.checkpoint(job: 1, block: 2) == StoredCheckpoint(attempt: 1, stepsDone: 1, state: []))
        #expect(try again.checkpoint(job: 1, block: 3) == nil)
        #expect(try again.checkpoint(job: 2, block: 0) == nil)
    }

    @Test("Reports come back in their order until the block finishes")
    func reports() throws {
        func report(_ block: Int, _ attempt: Int, _ reason: String) -> JournalEntry {
            .report(job: 1, block: block, FailureReport(attempt: attempt, worker: "w\(attempt)", reason: reason))
        }
        let jobs = try recovered(
            [.accepted(job(1)), report(4, 2, "no memory"), report(5, 1, "lost")],
            [report(4, 1, "naïve"), report(4, 2, "again")], finished(1, 5..<6))
        #expect(
            jobs[0].reports == [
                4: [
                    FailureReport(attempt: 2, worker: "w2", reason: "no memory"),
                    FailureReport(attempt: 1, worker: "w1", reason: "naïve"),
                    FailureReport(attempt: 2, worker: "w2", reason: "again"),
                ]
            ])
    }

    @Test("What is changed of a job stays changed")
    func changes() throws {
        let jobs = try recovered(
            [.accepted(job(1)), .accepted(job(2))],
            [.paused(job: 1, true), .paused(job: 2, true), .priority(job: 1, 12), .detached(job: 2)],
            [.paused(job: 2, false)])
        #expect(jobs.map(\.isPaused) == [true, false])
        #expect(jobs.map(\.record.priority) == [12, 0])
        #expect(jobs.map(\.record.isDetached) == [false, true])
    }

    /// A job with something of every kind.
    private let busy: [JournalEntry] =
        [.accepted(job(1)), .worker(job: 1, WorkerDescription(name: "w", slots: 2))] + finished(1, 0..<3) + [
            .checkpoint(job: 1, block: 7, StoredCheckpoint(attempt: 1, stepsDone: 2, state: [1])),
            .report(job: 1, block: 8, FailureReport(attempt: 1, worker: "w", reason: "lost")), .paused(job: 1, true),
        ]

    @Test("A job that ends without failing keeps nothing of its blocks", arguments: [JobOutcome.finished, .cancelled])
    func ended(outcome: JobOutcome) throws {
        let jobs = try recovered(busy, [.ended(job: 1, outcome, failure: "", secondsElapsed: 2.5)])
        var expected = RecoveredJob(record: job(1))
        expected.isPaused = true
        expected.outcome = outcome
        expected.secondsElapsed = 2.5
        #expect(jobs == [expected])
    }

    @Test("A job that failed keeps what it has, and goes on from there when it is handed in again")
    func failedAndAgain() throws {
        let failed: [JournalEntry] = [.ended(job: 1, .failed, failure: "block 8 was lost", secondsElapsed: 9)]
        let jobs = try recovered(busy, failed)
        #expect(jobs[0].outcome == .failed)
        #expect(jobs[0].failure == "block 8 was lost")
        #expect(jobs[0].finishedBlocks == [0..<3])
        #expect(jobs[0].reports.keys.sorted() == [8])

        var next = job(1)
        next.submittedAt += 100
        next.priority = 3
        next.timeLimit = 60
        let again = try recovered(busy, failed, [.resubmitted(next)])
        var expected = RecoveredJob(record: next)
        expected.finishedBlocks = [0..<3]
        expected.gradientEvaluations = 300
        expected.workers = [WorkerShare(worker: WorkerDescription(name: "w", slots: 2), blocks: 3, seconds: 1.5)]
        expected.checkpoints = [7: CheckpointMark(attempt: 1, stepsDone: 2)]
        #expect(again == [expected])
    }

    @Test("A job that is started anew has nothing, whether it had ended or not", arguments: [true, false])
    func restarted(hasEnded: Bool) throws {
        var next = job(1)
        next.submittedAt += 100
        let end: [JournalEntry] = hasEnded ? [.ended(job: 1, .failed, failure: "lost", secondsElapsed: 9)] : []
        #expect(try recovered(busy, end, [.restarted(next)]) == [RecoveredJob(record: next)])
        // And the worker, whose row is gone, can come again.
        let jobs = try recovered(busy, [.restarted(next)] + finished(1, 5..<6))
        #expect(jobs[0].workers == [WorkerShare(worker: WorkerDescription(name: "w"), blocks: 1, seconds: 0.5)])
    }

    @Test("A forgotten job is gone, and its number is not used again")
    func forgotten() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append(busy + [.accepted(job(2)), .accepted(job(5))] + finished(5, 0..<2))
        try journal.append([.forgotten(job: 1), .forgotten(job: 5)])
        journal.close()
        let again = try openJournal(folder)
        #expect(try again.recover() == [RecoveredJob(record: job(2))])
        #expect(try again.checkpoint(job: 1, block: 7) == nil)
        #expect(try again.lastJobNumber() == 5)
        for number in [1, 4, 5] {
            let error = failure { () throws(JournalError) in try again.append([.accepted(job(number))]) }
            #expect(error?.code == .invalidValue)
            #expect(error?.reason == "the number \(number) was given to a job before")
        }
        try again.append([.accepted(job(6))])
    }

    @Test(
        "An entry that does not fit is refused, and nothing of its batch is there",
        arguments: [
            .accepted(job(1)),
            .finished(job: 9, block: 0, FinishedBlock(attempt: 1, worker: "w", seconds: 1, gradientEvaluations: 1)),
            .finished(job: 1, block: -1, FinishedBlock(attempt: 1, worker: "w", seconds: 1, gradientEvaluations: 1)),
            .checkpoint(job: 9, block: 0, StoredCheckpoint(attempt: 1, stepsDone: 1, state: [])),
            .report(job: 9, block: 0, FailureReport(attempt: 1, worker: "w", reason: "")),
            .worker(job: 9, WorkerDescription(name: "w")),
            .ended(job: 9, .finished, failure: "", secondsElapsed: 1), .paused(job: 9, true), .priority(job: 9, 1),
            .detached(job: 9), .resubmitted(job(9)), .resubmitted(job(1)), .restarted(job(9)), .forgotten(job: 9),
            .accepted(JobRecord(number: 0, hash: job(1).hash, text: [], submittedAt: 0)),
        ] as [JournalEntry])
    func refused(entry: JournalEntry) throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        try journal.append([.accepted(job(1))] + finished(1, 0..<2))
        let before = try journal.recover()
        let batch = [.accepted(job(2))] + finished(1, 2..<4, worker: "new") + [entry]
        let error = failure { () throws(JournalError) in try journal.append(batch) }
        #expect(error?.code == .invalidValue)
        #expect(error?.exitStatus == 70)
        #expect(try journal.recover() == before)
        // The same again without it.
        try journal.append(batch.dropLast())
        let after = try journal.recover()
        #expect(after.map(\.finishedBlocks) == [[0..<4], []])
        #expect(after[0].workers.map(\.worker.name) == ["new", "w"])
    }

    @Test("A closed journal takes nothing")
    func closed() throws {
        let folder = try ScratchFolder()
        let journal = try openJournal(folder)
        journal.close()
        journal.close()
        #expect(failure { () throws(JournalError) in try journal.append([]) }?.code == .invalidValue)
        #expect(failure { () throws(JournalError) in _ = try journal.recover() }?.code == .invalidValue)
    }
}
