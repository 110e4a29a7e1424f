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
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(plain)
        desk.join([1], arithmetic: "a")
        desk.join([2], arithmetic: "a")
        desk.submit(job)
        var lies = 0
        try desk.work(until: { desk.status(of: job)?.state.isOver == true }) { peer, job, attempt in
            var report = try SmallJobs.result(of: job, block: attempt.block, attempt: attempt)
            if peer == [1] {
                lies += 1
                report.samples.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
            }
            return .result(report)
        }
        #expect(desk.status(of: job)?.state == .finished)
        #expect(lies > 0)
    }

    @Test func `Step sizes that no pilot can find poison no job`() throws {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(tuned)
        desk.join([1], arithmetic: "a")
        desk.submit(job)
        var lies = 2
        try desk.work(until: { desk.status(of: job)?.state.isOver == true }) { _, job, attempt in
            var report = try SmallJobs.result(of: job, block: attempt.block, attempt: attempt)
            if job.isPilot, lies > 0 {
                lies -= 1
                let wrong = [Double](repeating: lies == 0 ? -1 : 1e308, count: job.levels)
                report.statistics["step_size"] = wrong.withUnsafeBytes { Array($0) }
            }
            return .result(report)
        }
        #expect(lies == 0)
        #expect(desk.status(of: job)?.state == .finished)
    }

    @Test func `A lease names the text that its blocks are run by, which is not the job's where numbers were found`()
        throws
    {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(tuned)
        desk.join([1], arithmetic: "a")
        desk.submit(job)
        #expect(try desk.finish(job) == .finished)
        for (_, lease) in desk.leases {
            let text = try #require(desk.texts[lease.job])
            #expect(lease.textDigest == SHA256.hash(of: text))
            #expect((lease.textDigest == lease.job) == (lease.job != job.identity))
        }
    }

    @Test func `Numbers that were found with another arithmetic are found again, those of the workers' own are not`()
        throws
    {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        desk.join([1], arithmetic: "a")
        let first = try SmallJobs.job(tuned)
        desk.submit(first)
        #expect(try desk.finish(first) == .finished)
        var count = desk.leases.count
        let second = try SmallJobs.job(tuned, chains: 20)
        desk.submit(second)
        #expect(try desk.finish(second) == .finished)
        #expect(desk.workers(of: "small-pilot", since: count).isEmpty)

        desk.take(.goodbye(reason: ""), from: [1])
        desk.join([2], arithmetic: "b")
        count = desk.leases.count
        let third = try SmallJobs.job(tuned, chains: 24)
        desk.submit(third)
        #expect(try desk.finish(third) == .finished)
        #expect(desk.workers(of: "small-pilot", since: count) == [[2]])
    }

    @Test(arguments: ["summary.json", "provenance.json", "statistics.npz", "job.json"])
    func `What a pilot left is found again when a digit of it has changed on the disk, and that is told`(
        file: String
    ) throws {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        desk.join([1], arithmetic: "a")
        let first = try SmallJobs.job(tuned)
        desk.submit(first)
        #expect(try desk.finish(first) == .finished)
        let pilot = try #require(first.preliminary?.job.identity)
        let path = desk.folder + "/jobs/\(pilot.hex)/\(file)"
        var bytes = Array(try Data(contentsOf: URL(filePath: path)))
        // In the summary a digit of a step size, elsewhere whatever stands there.
        let numbers = bytes.firstRange(of: Array(#""step_size": ["#.utf8))?.upperBound ?? bytes.count / 2
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let place = bytes[numbers...].firstIndex { digits.contains($0) } ?? numbers
        bytes[place] ^= 1
        try Data(bytes).write(to: URL(filePath: path))
        let count = desk.leases.count
        let second = try SmallJobs.job(tuned, chains: 20)
        desk.submit(second)
        #expect(try desk.finish(second) == .finished)
        #expect(desk.workers(of: "small-pilot", since: count) == [[1]])
        #expect(desk.log.contains { $0.contains("job \(pilot.hex.prefix(8)) was finished, but \(path)") })
        // The second run of the pilot has found the same, and nothing else was used.
        #expect(desk.texts[second.identity] != nil)
        #expect(try stepSizes(desk.texts[second.identity]) == stepSizes(desk.texts[first.identity]))
    }

    private func stepSizes(_ text: [UInt8]?) throws -> [Double] {
        try Job.decode(try #require(text), file: "lease").stepSizes.filter { $0 == $0 }
    }

    @Test func `A job whose numbers are there waits for a worker before it takes them`() throws {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        desk.join([1], arithmetic: "a")
        let first = try SmallJobs.job(tuned)
        desk.submit(first)
        #expect(try desk.finish(first) == .finished)
        desk.take(.goodbye(reason: ""), from: [1])
        let count = desk.leases.count
        let second = try SmallJobs.job(tuned, chains: 20)
        desk.submit(second)
        try desk.work(until: { desk.status(of: second)?.notice.contains("waits for a worker") == true })
        desk.join([3], arithmetic: "a")
        #expect(try desk.finish(second) == .finished)
        #expect(desk.workers(of: "small-pilot", since: count).isEmpty)
    }

    @Test func `Force runs what a job needs first again as well`() throws {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        desk.join([1], arithmetic: "a")
        let job = try SmallJobs.job(tuned)
        desk.submit(job)
        #expect(try desk.finish(job) == .finished)
        let count = desk.leases.count
        desk.submit(job, force: true)
        try desk.work(until: { desk.status(of: job)?.state.isOver == false })
        #expect(try desk.finish(job) == .finished)
        #expect(desk.workers(of: "small-pilot", since: count) == [[1]])
        #expect(desk.workers(of: "small", since: count) == [[1]])
    }

    @Test
    func
        `A job that a stranger began and left says what to do, and force begins it anew with the workers that are there`()
        throws
    {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(plain)
        desk.join([1], arithmetic: "b")
        desk.submit(job)
        var results = 0
        try desk.work(until: { (desk.status(of: job)?.chainsDone ?? 0) > 0 }) { _, job, attempt in
            results += 1
            return results == 1 ? try honest(job, attempt) : nil
        }
        desk.take(.goodbye(reason: ""), from: [1])
        desk.join([2], arithmetic: "a")
        let notice = desk.status(of: job)?.notice ?? ""
        #expect(notice.contains("arithmetic b") && notice.contains("--force"))
        // Whoever hands it in as usual joins it.
        desk.submit(job)
        #expect(desk.status(of: job)?.chainsDone == 4)
        desk.submit(job, force: true)
        #expect(desk.status(of: job)?.chainsDone == 0)
        let count = desk.leases.count
        #expect(try desk.finish(job) == .finished)
        #expect(desk.workers(of: "small", since: count) == [[2]])
        #expect(Set(desk.leases.dropFirst(count).flatMap(\.lease.blocks).map(\.block)) == [0, 1, 2, 3])
    }

    @Test
    func `One force is enough for a job whose pilot is tied to the job's own arithmetic, of which there is no worker`()
        throws
    {
        let first = try DeskUnderTest()
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
        let desk = try DeskUnderTest(after: first)
        defer { desk.remove() }
        let folders = try FileManager.default.contentsOfDirectory(atPath: desk.folder + "/jobs")
        let pilot = try #require(folders.first { $0 != job.identity.hex })
        try FileManager.default.removeItem(atPath: desk.folder + "/jobs/\(pilot)/summary.json")
        desk.join([1], arithmetic: "b")
        try desk.work(until: { desk.workers(of: "small-pilot") == [[1]] })
        desk.take(.goodbye(reason: ""), from: [1])
        desk.join([2], arithmetic: "a")
        let count = desk.leases.count
        desk.submit(job, force: true)
        #expect(try desk.finish(job) == .finished)
        #expect(desk.workers(of: "small-pilot", since: count) == [[2]])
        #expect(desk.workers(of: "small", since: count) == [[2]])
    }

    @Test func `The scheduler begins it anew by itself after a while`() throws {
        var pool = PoolConfiguration()
        pool.orphanhood = .milliseconds(300)
        let desk = try DeskUnderTest(pool)
        defer { desk.remove() }
        let job = try SmallJobs.job(tuned)
        desk.join([1], arithmetic: "b")
        desk.submit(job)
        var results = 0
        try desk.work(until: { results >= 1 }) { _, job, attempt in
            if !job.isPilot { results += 1 }
            return results < 2 ? try honest(job, attempt) : nil
        }
        desk.take(.goodbye(reason: ""), from: [1])
        let count = desk.leases.count
        desk.join([2], arithmetic: "a")
        #expect(try desk.finish(job) == .finished)
        // With numbers of its own arithmetic.
        #expect(desk.workers(of: "small-pilot", since: count) == [[2]])
        #expect(
            Set(
                desk.leases.dropFirst(count).filter { $0.lease.job == job.identity }.flatMap(\.lease.blocks).map(
                    \.block)) == [0, 1, 2, 3])
    }

    @Test func `A worker's own troubles fail no job, and status tells them`() throws {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(plain)
        desk.join([1], arithmetic: "a")
        desk.submit(job)
        var refusals = 0
        try desk.work(until: { desk.status(of: job)?.notice.contains("no room left") == true }) { _, _, attempt in
            refusals += 1
            return .failure(attempt, text: "no room left", isInability: true)
        }
        #expect(refusals == 2)
        desk.join([2], arithmetic: "a")
        #expect(try desk.finish(job) == .finished)
    }

    @Test func `A job that is over has no time left`() throws {
        let desk = try DeskUnderTest()
        defer { desk.remove() }
        let job = try SmallJobs.job(plain)
        desk.join([1], arithmetic: "a")
        desk.submit(job)
        var results = 0
        try desk.work(until: { (desk.status(of: job)?.chainsDone ?? 0) > 0 }) { _, job, attempt in
            results += 1
            return results == 1 ? try honest(job, attempt) : nil
        }
        #expect(desk.status(of: job)?.progressText.contains(" left") == true)
        desk.take(.cancel(job: job.identity), from: [202])
        #expect(desk.status(of: job)?.state == .cancelled)
        #expect(desk.status(of: job)?.progressText.contains(" left") == false)
    }
}
