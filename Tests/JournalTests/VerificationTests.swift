import Testing

@testable import Journal

/// What the journal knows of results that are computed twice.
struct VerificationTests {
    private func finished(_ block: Int, by worker: String, isToBeVerified: Bool = true) -> JournalEntry {
        .finished(
            job: 1, block: block,
            FinishedBlock(
                attempt: block + 1, worker: worker, seconds: 1, gradientEvaluations: 3, isToBeVerified: isToBeVerified))
    }

    @Test func `Results that are to be verified come back with who brought them, until they are`() throws {
        let folder = try ScratchFolder()
        let (a, b) = (
            WorkerDescription(name: "1", party: "the key a"), WorkerDescription(name: "2", party: "the key b")
        )
        let journal = try openJournal(folder)
        try journal.append([
            .accepted(job(1)), .worker(job: 1, a), .worker(job: 1, b), finished(0, by: "1"), finished(1, by: "2"),
            finished(2, by: "1", isToBeVerified: false), .verified(job: 1, block: 1),
        ])
        journal.close()
        let again = try openJournal(folder)
        let known = try #require(try again.recover().first)
        #expect(known.unverifiedBlocks == [0: UnverifiedBlock(worker: a, attempt: 1)])
        #expect(known.verifiedBlocks == [1])
        #expect(try again.unverifiedBlocks(ofParty: a.party).mapValues { $0.map(\.block) } == [1: [0, 2]])
        #expect(try again.unverifiedBlocks(ofParty: b.party).isEmpty)
        #expect(try again.unverifiedBlocks(ofParty: "").isEmpty)
    }

    @Test func `A checkpoint comes back with whose it is, and the next one is the next one's`() throws {
        let journal = try openJournal(try ScratchFolder())
        for (steps, party) in [(1, "the key a"), (2, "the key b")] {
            let checkpoint = StoredCheckpoint(attempt: steps, stepsDone: steps, state: [1], party: party)
            try journal.append((steps == 1 ? [.accepted(job(1))] : []) + [.checkpoint(job: 1, block: 0, checkpoint)])
            #expect(try journal.recover(job: 1)?.checkpoints[0]?.party == party)
            #expect(try journal.checkpoint(job: 1, block: 0)?.party == party)
        }
    }
}
