package import ContentHash
package import JobFile
package import Journal
package import Messaging
package import PoolCore
package import RunFolder
package import StrictJSON

/// What to tell a submitter once its wish is on the disk.
package struct Receipt: Sendable {
    /// Who waits for it.
    package let peer: PeerID
    /// What it is told.
    package let answer: Answer

    /// Of a job.
    package enum Answer: Sendable {
        case status(of: Digest)
        case accepted(Digest)
    }
}

/// What the archive is asked for. It does everything in this order.
package enum ArchiveRequest: Sendable {
    /// A job to take in, and to note unless it is noted already; with `resumes` from what is stored of it.
    case open(JobNumber, folder: String, RunDescription, resumes: Bool, note: JournalEntry?)
    case result(Attempt, WorkerID, BlockRecord, FinishedBlock)
    /// A result is to be compared with the one that is stored, which an earlier attempt has brought.
    case compare(Attempt, against: Int, WorkerDescription, BlockRecord)
    /// What a party has brought of all jobs and nobody has verified is not to count.
    case disown(party: String)
    /// A piece of a long state, before the checkpoint that its last one makes.
    case piece(Attempt, StatePiece)
    case checkpoint(Attempt, StoredCheckpoint)
    /// A piece of the latest checkpoint of a block is wanted for a worker: the first one, or what follows another.
    case load(Attempt, WorkerID, after: StatePiece?)
    case note(JournalEntry, Receipt? = nil)
    /// Who has brought a block's result is to be told to a peer.
    case locate(block: Int, of: JobNumber, for: PeerID)
    /// All results are there: complete the folder.
    case finish(JobNumber, Job, [RunSummary.PreliminaryRun], provenance: [(String, JSONText)], note: JournalEntry)
    /// The job is over without that; its files stay if it may go on one day.
    case end(JobNumber, keepsFiles: Bool, note: JournalEntry, Receipt? = nil)
    /// The job goes, with its folder.
    case delete(JobNumber, folder: String, Receipt? = nil)
    /// Do what was asked before, and end.
    case stop

    /// Bytes that it holds in memory, roughly.
    package var size: Int {
        switch self {
        case .result(_, _, let record, _), .compare(_, _, _, let record):
            record.samples.count + record.statistics.byteCount
        case .piece(_, let piece): piece.data.count
        case .checkpoint(_, let checkpoint): checkpoint.state.count
        default: 0
        }
    }
}

/// What the archive tells, once that is so.
package enum ArchiveReply: Sendable {
    /// The job is taken in, with what is stored of it if it goes on.
    case opened(JobNumber, RecoveredJob?)
    case refused(JobNumber, exitStatus: Int32, reason: String)
    /// A result is stored; the acceptance of its chains.
    case stored(Attempt, WorkerID, Acceptance)
    /// A result was compared with the one of an earlier attempt.
    case compared(Attempt, against: Int, WorkerDescription, Comparison)
    /// The rows of these blocks, which were stored, are not what they were, or not to count: the blocks have to run again.
    case lost(JobNumber, blocks: [Int])
    /// What a party has brought does not count any more; which blocks these are was told before.
    case disowned(party: String)
    /// A piece of what a block has come to; nil if there is none that can be read.
    case loaded(Attempt, WorkerID, StatePiece?)
    case finished(JobNumber)
    /// Who has brought a block's result; nil if that is not known.
    case located(block: Int, of: JobNumber, FinishedBlock?, for: PeerID)
    /// What somebody waits to hear is on the disk.
    case noted(Receipt)
    /// It does not fit what is there and is not noted.
    case notNoted(Receipt, reason: String)
    /// The job's files cannot be written.
    case failed(JobNumber, reason: String)
    /// Nothing can be stored for now.
    case full(reason: String)
    case hasRoom
}

/// Acceptance rates of some chains and levels: their sum, and how many they are.
package struct Acceptance: Sendable {
    package var sum = 0.0
    package var count = 0

    /// Of none.
    package init() {}
}
