import ContentHash
import Foundation
import JobFile
import Messaging
import PoolCore
import RunFolder
import Testing

@testable import Coordinator

/// Whose numbers are kept, and what becomes of jobs whose arithmetic is gone.
struct BeliefTests {
    private let tuned = #""kind": "mala", "transitions": 2, "step_size": {"target_acceptance": 0.57, "pilots": 2}"#
    private let plain = #""kind": "mala", "transitions": 2, "step_size": 0.01"#

    private func honest(_ job: Job, _ attempt: AttemptID) throws -> Message {
        .result(try SmallJobs.result(of: job, block: attempt.block, attempt: attempt))
    }

    @Test func `A result that no block can come to is not kept, and its block runs elsewhere`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(plain)
        coordinator.join([1], arithmetic: "a")
        coordinator.join([2], arithmetic: "a")
        coordinator.submit(job)
        var lies = 0
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == true }) { peer, job, attempt in
            var report = try SmallJobs.result(of: job, block: attempt.block, attempt: attempt)
            if peer == [1] {
                lies += 1
                report.samples.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
            }
            return .result(report)
        }
        #expect(coordinator.status(of: job)?.state == .finished)
        #expect(lies > 0)
    }

    @Test func `Step sizes that no pilot can find poison no job`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(tuned)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        var lies = 2
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == true }) { _, job, attempt in
            var report = try SmallJobs.result(of: job, block: attempt.block, attempt: attempt)
            if job.isPilot, lies > 0 {
                lies -= 1
                let wrong = [Double](repeating: lies == 0 ? -1 : 1e308, count: job.levels)
                report.statistics["step_size"] = wrong.withUnsafeBytes { Array($0) }
            }
            return .result(report)
        }
        #expect(lies == 0)
        #expect(coordinator.status(of: job)?.state == .finished)
    }

    @Test func `A lease names the text that its blocks are run by, which is not the job's where numbers were found`()
        throws
    {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(tuned)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        #expect(try coordinator.finish(job) == .finished)
        for (_, lease) in coordinator.leases {
            let text = try #require(coordinator.texts[lease.job])
            #expect(lease.textDigest == SHA256.hash(of: text))
            #expect((lease.textDigest == lease.job) == (lease.job != job.identity))
        }
    }

    @Test func `Numbers that were found with another arithmetic are found again, those of the workers' own are not`()
        throws
    {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([1], arithmetic: "a")
        let first = try SmallJobs.job(tuned)
        coordinator.submit(first)
        #expect(try coordinator.finish(first) == .finished)
        var count = coordinator.leases.count
        let second = try SmallJobs.job(tuned, chains: 20)
        coordinator.submit(second)
        #expect(try coordinator.finish(second) == .finished)
        #expect(coordinator.workers(of: "small-pilot", since: count).isEmpty)

        coordinator.take(.goodbye(reason: ""), from: [1])
        coordinator.join([2], arithmetic: "b")
        count = coordinator.leases.count
        let third = try SmallJobs.job(tuned, chains: 24)
        coordinator.submit(third)
        #expect(try coordinator.finish(third) == .finished)
        #expect(coordinator.workers(of: "small-pilot", since: count) == [[2]])
    }

    @Test(arguments: ["summary.json", "provenance.json", "statistics.npz", "job.json"])
    func `What a pilot left is found again when a digit of it has changed on the disk, and that is told`(
        file: String
    ) throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([1], arithmetic: "a")
        let first = try SmallJobs.job(tuned)
        coordinator.submit(first)
        #expect(try coordinator.finish(first) == .finished)
        let pilot = try #require(first.preliminary?.job.identity)
        let path = coordinator.folder + "/jobs/\(pilot.hex)/\(file)"
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        // In the summary a digit of a step size, elsewhere whatever stands there.
        let numbers = bytes.firstRange(of: Array(#""step_size": ["#.utf8))?.upperBound ?? bytes.count / 2
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let place = bytes[numbers...].firstIndex { digits.contains($0) } ?? numbers
        bytes[place] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        let count = coordinator.leases.count
        let second = try SmallJobs.job(tuned, chains: 20)
        coordinator.submit(second)
        #expect(try coordinator.finish(second) == .finished)
        #expect(coordinator.workers(of: "small-pilot", since: count) == [[1]])
        #expect(coordinator.log.contains { $0.contains("job \(pilot.hex.prefix(8)) was finished, but \(path)") })
        // The second run of the pilot has found the same, and nothing else was used.
        #expect(coordinator.texts[second.identity] != nil)
        #expect(try stepSizes(coordinator.texts[second.identity]) == stepSizes(coordinator.texts[first.identity]))
    }

    private func stepSizes(_ text: [UInt8]?) throws -> [Double] {
        try Job.decode(try #require(text), file: "lease").stepSizes.filter { $0 == $0 }
    }

    @Test func `A job whose numbers are there waits for a worker before it takes them`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([1], arithmetic: "a")
        let first = try SmallJobs.job(tuned)
        coordinator.submit(first)
        #expect(try coordinator.finish(first) == .finished)
        coordinator.take(.goodbye(reason: ""), from: [1])
        let count = coordinator.leases.count
        let second = try SmallJobs.job(tuned, chains: 20)
        coordinator.submit(second)
        try coordinator.work(until: { coordinator.status(of: second)?.notice.contains("waits for a worker") == true })
        coordinator.join([3], arithmetic: "a")
        #expect(try coordinator.finish(second) == .finished)
        #expect(coordinator.workers(of: "small-pilot", since: count).isEmpty)
    }

    @Test func `Force runs what a job needs first again as well`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([1], arithmetic: "a")
        let job = try SmallJobs.job(tuned)
        coordinator.submit(job)
        #expect(try coordinator.finish(job) == .finished)
        let count = coordinator.leases.count
        coordinator.submit(job, force: true)
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == false })
        #expect(try coordinator.finish(job) == .finished)
        #expect(coordinator.workers(of: "small-pilot", since: count) == [[1]])
        #expect(coordinator.workers(of: "small", since: count) == [[1]])
    }

    @Test
    func
        `A job that a stranger began and left says what to do, and force begins it anew with the workers that are there`()
        throws
    {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(plain)
        coordinator.join([1], arithmetic: "b")
        coordinator.submit(job)
        var results = 0
        try coordinator.work(until: { (coordinator.status(of: job)?.chainsDone ?? 0) > 0 }) { _, job, attempt in
            results += 1
            return results == 1 ? try honest(job, attempt) : nil
        }
        coordinator.take(.goodbye(reason: ""), from: [1])
        coordinator.join([2], arithmetic: "a")
        let notice = coordinator.status(of: job)?.notice ?? ""
        #expect(notice.contains("arithmetic b") && notice.contains("--force"))
        // Whoever hands it in as usual joins it.
        coordinator.submit(job)
        #expect(coordinator.status(of: job)?.chainsDone == 4)
        coordinator.submit(job, force: true)
        #expect(coordinator.status(of: job)?.chainsDone == 0)
        let count = coordinator.leases.count
        #expect(try coordinator.finish(job) == .finished)
        #expect(coordinator.workers(of: "small", since: count) == [[2]])
        #expect(Set(coordinator.leases.dropFirst(count).flatMap(\.lease.blocks).map(\.block)) == [0, 1, 2, 3])
    }

    @Test
    func `One force is enough for a job whose pilot is tied to the job's own arithmetic, of which there is no worker`()
        throws
    {
        let first = try CoordinatorUnderTest()
        defer { first.remove() }
        let job = try SmallJobs.job(tuned)
        first.join([1], arithmetic: "b")
        first.submit(job)
        var results = 0
        try first.work(until: { (first.status(of: job)?.chainsDone ?? 0) > 0 }) { _, job, attempt in
            if !job.isPilot { results += 1 }
            return results < 2 ? try honest(job, attempt) : nil
        }
        // What the pilot has found is gone, and has to be found by the same arithmetic.
        let coordinator = try CoordinatorUnderTest(after: first)
        defer { coordinator.remove() }
        let folders = try FileManager.default.contentsOfDirectory(atPath: coordinator.folder + "/jobs")
        let pilot = try #require(folders.first { $0 != job.identity.hex })
        try FileManager.default.removeItem(atPath: coordinator.folder + "/jobs/\(pilot)/summary.json")
        coordinator.join([1], arithmetic: "b")
        try coordinator.work(until: { coordinator.workers(of: "small-pilot") == [[1]] })
        coordinator.take(.goodbye(reason: ""), from: [1])
        coordinator.join([2], arithmetic: "a")
        let count = coordinator.leases.count
        coordinator.submit(job, force: true)
        #expect(try coordinator.finish(job) == .finished)
        #expect(coordinator.workers(of: "small-pilot", since: count) == [[2]])
        #expect(coordinator.workers(of: "small", since: count) == [[2]])
    }

    @Test func `The scheduler begins it anew by itself after a while`() throws {
        var pool = PoolConfiguration()
        pool.orphanhood = .milliseconds(300)
        let coordinator = try CoordinatorUnderTest(pool)
        defer { coordinator.remove() }
        let job = try SmallJobs.job(tuned)
        coordinator.join([1], arithmetic: "b")
        coordinator.submit(job)
        var results = 0
        try coordinator.work(until: { results >= 1 }) { _, job, attempt in
            if !job.isPilot { results += 1 }
            return results < 2 ? try honest(job, attempt) : nil
        }
        coordinator.take(.goodbye(reason: ""), from: [1])
        let count = coordinator.leases.count
        coordinator.join([2], arithmetic: "a")
        #expect(try coordinator.finish(job) == .finished)
        // With numbers of its own arithmetic.
        #expect(coordinator.workers(of: "small-pilot", since: count) == [[2]])
        #expect(
            Set(
                coordinator.leases.dropFirst(count).filter { $0.lease.job == job.identity }.flatMap(\.lease.blocks).map(
                    \.block)) == [0, 1, 2, 3])
    }

    @Test func `A worker's own troubles fail no job, and status tells them`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(plain)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        var refusals = 0
        try coordinator.work(until: { coordinator.status(of: job)?.notice.contains("no room left") == true }) {
            _, _, attempt in
            refusals += 1
            return .failure(attempt, text: "no room left", isInability: true)
        }
        #expect(refusals == 2)
        coordinator.join([2], arithmetic: "a")
        #expect(try coordinator.finish(job) == .finished)
    }

    @Test func `A job that is over has no time left`() throws {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        let job = try SmallJobs.job(plain)
        coordinator.join([1], arithmetic: "a")
        coordinator.submit(job)
        var results = 0
        try coordinator.work(until: { (coordinator.status(of: job)?.chainsDone ?? 0) > 0 }) { _, job, attempt in
            results += 1
            return results == 1 ? try honest(job, attempt) : nil
        }
        #expect(coordinator.status(of: job)?.progressText.contains(" left") == true)
        coordinator.take(.cancel(job: job.identity), from: [202])
        #expect(coordinator.status(of: job)?.state == .cancelled)
        #expect(coordinator.status(of: job)?.progressText.contains(" left") == false)
    }
}
