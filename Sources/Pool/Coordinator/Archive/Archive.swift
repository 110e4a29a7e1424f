import ContentHash
import Foundation
import JobFile
import Journal
import Logging
import Messaging
import OpenFiles
import PoolCore
import RunFolder
import StrictJSON
import Synchronization

/// What must outlast the coordinator, on a thread of its own: the journal, and the files of the jobs that run.
///
/// Requests are done in their order and in batches: the rows of a batch are written and brought to the disk before the
/// journal says so, and the journal is on the disk before anybody is told. A full disk holds everything up until there
/// is room; nothing is dropped.
final class Archive: Sendable {
    /// What to tell a submitter once its wish is on the disk.
    struct Receipt: Sendable {
        let peer: PeerID
        let answer: Answer

        enum Answer: Sendable {
            case status(of: Digest)
            case accepted(Digest)
        }
    }

    /// What is asked of it.
    enum Request: Sendable {
        /// A job to take in, and to note unless it is noted already; with `resumes` from what is stored of it.
        case open(JobNumber, folder: String, RunDescription, resumes: Bool, note: JournalEntry?)
        case result(Attempt, WorkerID, BlockRecord, FinishedBlock)
        /// A piece of a long state, before the checkpoint that its last one makes.
        case piece(Attempt, StatePiece)
        case checkpoint(Attempt, BlockCheckpoint)
        /// A piece of the latest checkpoint of a block is wanted for a worker: the first one, or what follows another.
        case load(Attempt, WorkerID, after: StatePiece?)
        case note(JournalEntry, Receipt? = nil)
        /// All results are there: complete the folder.
        case finish(JobNumber, Job, [RunSummary.Preliminary], provenance: [(String, JSONText)], note: JournalEntry)
        /// The job is over without that; its files stay if it may go on one day.
        case end(JobNumber, keepsFiles: Bool, note: JournalEntry, Receipt? = nil)
        /// Do what was asked before, and end.
        case stop

        /// Bytes that it holds in memory, roughly.
        var size: Int {
            switch self {
            case .result(_, _, let record, _): record.samples.count + record.statistics.byteCount
            case .piece(_, let piece): piece.data.count
            case .checkpoint(_, let checkpoint): checkpoint.state.count
            default: 0
            }
        }
    }

    /// What it tells, once that is so.
    enum Reply: Sendable {
        /// The job is taken in, with what is stored of it if it goes on.
        case opened(JobNumber, RecoveredJob?)
        case refused(JobNumber, exitStatus: Int32, reason: String)
        /// A result is stored; the acceptance of its chains.
        case stored(Attempt, WorkerID, Acceptance)
        /// The rows of these blocks, which were stored, are not what they were: the blocks have to run again.
        case lost(JobNumber, blocks: [Int])
        /// A piece of what a block has come to; nil if there is none that can be read.
        case loaded(Attempt, WorkerID, StatePiece?)
        case finished(JobNumber)
        /// What somebody waits to hear is on the disk.
        case noted(Receipt)
        /// It does not fit what is there and is not noted.
        case notNoted(Receipt, reason: String)
        /// What the files of a finished job are like.
        case inspected(Digest, FolderInspector.Condition)
        /// The job's files cannot be written.
        case failed(JobNumber, reason: String)
        /// Nothing can be stored for now.
        case full(reason: String)
        case hasRoom
    }

    /// Acceptance rates of some chains and levels: their sum, and how many they are.
    struct Acceptance: Sendable {
        var sum = 0.0
        var count = 0
    }

    /// How long a full disk is left alone.
    private static let pause = Duration.seconds(1)

    private let requests = BatchQueue<Request>()
    private let ended = DispatchSemaphore(value: 0)
    private let bytes = Atomic<Int>(0)
    private let lastNumber = Atomic<Int>(0)

    private let inspector: FolderInspector
    private let deliver: @Sendable ([Reply]) -> Void

    private init(inspector: FolderInspector, deliver: @escaping @Sendable ([Reply]) -> Void) {
        (self.inspector, self.deliver) = (inspector, deliver)
    }

    /// Opens the journal in a folder and starts the thread.
    ///
    /// - Parameters:
    ///   - inspector: looks at the files of finished jobs.
    ///   - deliver: called from the thread, and from those of the inspector.
    /// - Returns: the archive, and the jobs that the journal knows.
    /// - Throws: ``JournalError``.
    static func open(
        folder: String, durability: Journal.Durability, logger: Logger, inspector: FolderInspector = FolderInspector(),
        deliver: @escaping @Sendable ([Reply]) -> Void
    ) throws -> (archive: Archive, jobs: [PastJob]) {
        let archive = Archive(inspector: inspector, deliver: deliver)
        // The journal lives on the thread that uses it.
        let opening = Mailbox<Result<[PastJob], any Error>>()
        let ready = DispatchSemaphore(value: 0)
        Thread {
            do {
                let journal = try Journal(folder: folder, durability: durability)
                archive.lastNumber.store(try journal.lastJobNumber(), ordering: .relaxed)
                // One after the other: the texts of jobs that are over are not in memory together.
                let jobs = try journal.jobNumbers().compactMap { number in
                    do throws(JournalError) {
                        return try journal.recover(job: number).map(PastJob.init)
                    } catch {
                        guard error.code == .malformed else { throw error }
                        logger.error("a job is passed over: \(error); hand it in again")
                        return nil
                    }
                }
                opening.post(.success(jobs))
                ready.signal()
                archive.serve(
                    ArchiveDesk(
                        journal: journal, durability: durability, fileLimit: OpenFileLimit.current, logger: logger))
            } catch {
                opening.post(.failure(error))
                ready.signal()
            }
            archive.ended.signal()
        }.start()
        ready.wait()
        return (archive, try opening.drain().first?.get() ?? [])
    }

    /// The largest number that a job had when the journal was opened.
    var lastJobNumber: JobNumber { lastNumber.load(ordering: .relaxed) }

    /// Bytes of results and checkpoints that wait to be stored.
    var waitingBytes: Int { bytes.load(ordering: .relaxed) }

    /// Asks for something; from any thread.
    func ask(_ request: Request) {
        bytes.add(request.size, ordering: .relaxed)
        requests.add(request)
    }

    /// Compares the files of a finished job with what they were, beside everything else.
    func inspect(_ job: Digest, folder: String) {
        inspector.inspect(job, folder: folder) { [self] in deliver([.inspected(job, $0)]) }
    }

    /// Does what was asked before, and ends the thread. What a full disk holds up is given up after `limit`.
    func close(within limit: Duration) {
        ask(.stop)
        _ = ended.wait(timeout: .now() + limit / .seconds(1))
    }

    private func serve(_ desk: ArchiveDesk) {
        var desk = desk
        var backlog: ArraySlice<Request> = []
        var isFull = false
        while !desk.stops {
            backlog += requests.take(within: backlog.isEmpty ? nil : .zero)
            if backlog.isEmpty { continue }
            switch desk.work(on: backlog) {
            case .success(let done):
                // Without those that are done, which may be large.
                backlog = done.count == backlog.count ? [] : backlog.dropFirst(done.count)
                bytes.subtract(done.size, ordering: .relaxed)
                deliver((isFull ? [.hasRoom] : []) + desk.takeReplies())
                isFull = false
            case .failure(let error):
                if !isFull { deliver([.full(reason: "\(error)")]) }
                isFull = true
                Thread.sleep(forTimeInterval: Self.pause / .seconds(1))
            }
        }
        desk.close()
    }
}
