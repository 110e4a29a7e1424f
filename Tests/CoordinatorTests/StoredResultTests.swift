import Foundation
import JobFile
import Journal
import Messaging
import Testing

@testable import Coordinator

/// What is acknowledged is in the journal.
struct StoredResultTests {
    @Test func `A result that claims to have taken no number of seconds is stored like any other`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(#""kind": "mala", "transitions": 2, "step_size": 0.01"#)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        var results = 0
        try coordinator.work(until: { results >= 1 }) { _, job, attempt in
            results += 1
            guard results == 1 else { return nil }
            var report = try SmallJobs.result(of: job, block: attempt.block, attempt: attempt)
            report.seconds = .nan
            return .result(report)
        }
        #expect(try coordinator.stored().map(\.finishedCount) == [1])
    }

    @Test func `A job whose staged files are removed before its last result comes to its end all the same`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(#""kind": "mala", "transitions": 2, "step_size": 0.01"#)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        var results = 0
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == true }) { _, job, attempt in
            results += 1
            if results == job.blocks {
                // Those before are stored by now.
                Thread.sleep(forTimeInterval: 0.3)
                try coordinator.removeStaging(of: job)
            }
            return .result(try SmallJobs.result(of: job, block: attempt.block, attempt: attempt))
        }
        let status = coordinator.status(of: job)
        #expect(status?.state == .finished, "\(status?.failure ?? "")")
        #expect(results > job.blocks)
    }
}
