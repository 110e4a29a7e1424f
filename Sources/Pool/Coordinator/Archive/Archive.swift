import CoordinatorCore
import Foundation
import Journal
import Logging
import Messaging
import OpenFiles
import PoolCore
import Synchronization

/// What must outlast the coordinator, on a thread of its own: the journal, and the files of the jobs that run.
///
/// Requests are done in their order and in batches: the rows of a batch are written and brought to the disk before the
/// journal says so, and the journal is on the disk before anybody is told. A full disk holds everything up until there
/// is room; nothing is dropped.
final class Archive: Sendable {
    /// How long a full disk is left alone.
    private static let pause = Duration.seconds(1)

    private let requests = BatchQueue<ArchiveRequest>()
    private let ended = DispatchSemaphore(value: 0)
    private let bytes = Atomic<Int>(0)
    private let lastNumber = Atomic<Int>(0)

    private let deliver: @Sendable ([ArchiveReply]) -> Void

    private init(deliver: @escaping @Sendable ([ArchiveReply]) -> Void) { self.deliver = deliver }

    /// Opens the journal in a folder and starts the thread.
    ///
    /// - Parameter deliver: called from the thread.
    /// - Returns: the archive, and the jobs that the journal knows.
    /// - Throws: ``JournalError``.
    static func open(
        folder: String, durability: Journal.Durability, logger: Logger,
        deliver: @escaping @Sendable ([ArchiveReply]) -> Void
    ) throws -> (archive: Archive, jobs: [PastJob]) {
        let archive = Archive(deliver: deliver)
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
                    ArchiveWriter(
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
    func ask(_ request: ArchiveRequest) {
        bytes.add(request.size, ordering: .relaxed)
        requests.add(request)
    }

    /// Does what was asked before, and ends the thread. What a full disk holds up is given up after `limit`.
    func close(within limit: Duration) {
        ask(.stop)
        _ = ended.wait(timeout: .now() + limit / .seconds(1))
    }

    private func serve(_ writer: ArchiveWriter) {
        var writer = writer
        var backlog: ArraySlice<ArchiveRequest> = []
        var isFull = false
        while !writer.stops {
            backlog += requests.take(within: backlog.isEmpty ? nil : .zero)
            if backlog.isEmpty { continue }
            switch writer.work(on: backlog) {
            case .success(let done):
                // Without those that are done, which may be large.
                backlog = done.count == backlog.count ? [] : backlog.dropFirst(done.count)
                bytes.subtract(done.size, ordering: .relaxed)
                deliver((isFull ? [.hasRoom] : []) + writer.takeReplies())
                isFull = false
            case .failure(let error):
                if !isFull { deliver([.full(reason: "\(error)")]) }
                isFull = true
                Thread.sleep(forTimeInterval: Self.pause / .seconds(1))
            }
        }
        writer.close()
    }
}
