import Foundation
import JobFile
import Messaging
import RunFolder
import Synchronization
import Testing

@testable import Coordinator

/// A submitter whose coordinator is played by the test.
struct SubmissionTests {
    /// What a submission of a finished job ends with when each piece of a file is answered by `answer`.
    private func ending(_ answer: (_ file: String, _ offset: Int) -> FileChunk?) throws -> (any Error)? {
        let folder = FileManager.default.temporaryDirectory.path + "/rrr-submission-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let router = try RouterSocket(MessagingContext())
        let address = try router.bind(to: "ipc://\(folder)/socket")
        let job = try SmallJobs.job(#""kind": "mala", "transitions": 2, "step_size": 0.01"#)
        let result = Mailbox<(any Error)?>()
        Thread {
            do {
                var submission = Submission(
                    client: try PoolClient(endpoint: address, interruption: Mailbox()), job: job,
                    folder: folder + "/out", force: false)
                _ = try submission.run { _ in }
                result.post(nil)
            } catch {
                result.post(error)
            }
        }.start()
        let end = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < end {
            try router.wait(for: result.wakeup, atMost: .milliseconds(100))
            while let received = try router.receiveLetter() {
                switch try received.message() {
                case .submit:
                    _ = try router.send(
                        Message.accepted(job: job.identity, alreadyFinished: true).encoded(), to: received.peer)
                case .fetch(_, let file, let offset, _):
                    guard let chunk = answer(file, offset) else { continue }
                    _ = try router.send(Message.fileChunk(chunk).encoded(), to: received.peer)
                default: break
                }
            }
            if let error = result.drain().first {
                // Nothing passes for a result, and no half of a file is left.
                #expect((try? FileManager.default.contentsOfDirectory(atPath: folder + "/out"))?.isEmpty ?? true)
                return error
            }
        }
        Issue.record("the submitter goes on and on")
        return nil
    }

    @Test func `A coordinator that sends nothing of a file that it says there is does not hold its submitter for ever`()
        throws
    {
        let job = try SmallJobs.job(#""kind": "mala", "transitions": 2, "step_size": 0.01"#).identity
        var asked = 0
        let error = try ending { file, offset in
            asked += 1
            let data: [UInt8] = offset == 0 ? [1, 2, 3] : []
            return FileChunk(job: job, file: file, offset: offset, total: 100, data: data)
        }
        #expect(asked == 2)
        #expect((error as? PoolClientError)?.exitStatus == 74)
        #expect("\(error as Any)".contains("nothing of samples.npy at 3 of 100 bytes"))
    }
}
