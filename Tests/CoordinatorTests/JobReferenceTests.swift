import ContentHash
import Foundation
import Messaging
import StrictJSON
import Testing

@testable import Coordinator

@Suite("How people name jobs, and see them listed")
struct JobReferenceTests {
    private func job(
        _ digits: String, _ state: JobStatus.State = .finished, at submittedAt: Double = 0, isPreliminary: Bool = false
    ) throws -> JobStatus {
        let hex = digits + String(repeating: "0", count: 64 - digits.count)
        return JobStatus(
            job: try #require(Digest(hex: hex)), name: "ring", state: state, chainsTotal: 2_000, chainsDone: 640,
            fraction: 0.32, acceptance: 0.9876, secondsElapsed: 12, workers: 1, failure: "", submittedAt: submittedAt,
            isPreliminary: isPreliminary)
    }

    @Test("The first digits do if only one job's hash begins so")
    func prefix() throws {
        let jobs = [try job("ab12"), try job("ab34"), try job("c")]
        #expect(try jobs.job(named: "ab3") == jobs[1])
        #expect(try jobs.job(named: "C0") == jobs[2])
        #expect(try jobs.job(named: jobs[0].job.hex) == jobs[0])
    }

    @Test("Digits that several hashes begin with are refused with 64, and the jobs are named")
    func ambiguous() throws {
        let jobs = [try job("ab12"), try job("ab34", .running), try job("c")]
        let error = try #require(throws: PoolClientError.self) { try jobs.job(named: "ab") }
        #expect(error.exitStatus == 64)
        #expect(error.description.contains("ab12000000000000 ring, finished"))
        #expect(error.description.contains("ab34000000000000 ring, running"))
        #expect(!error.description.contains("c0"))
        let many = try (0..<40).map { try job("e\($0 / 10)\($0 % 10)") }
        let long = try #require(throws: PoolClientError.self) { try many.job(named: "e") }
        #expect(long.description.split(separator: "\n").count == 12)
        #expect(long.description.hasSuffix("and 30 earlier ones"))
    }

    @Test("What no hash begins with is refused with 66, nothing at all with 64")
    func unknown() throws {
        let jobs = [try job("ab12")]
        for (reference, status) in [("d", 66), ("latest", 66), ("", 64)] {
            #expect(try #require(throws: PoolClientError.self) { try jobs.job(named: reference) }.exitStatus == status)
        }
        #expect(try #require(throws: PoolClientError.self) { try [JobStatus]().job(named: "last") }.exitStatus == 66)
    }

    @Test("The last is the one that was handed in last, not one that others need")
    func last() throws {
        let jobs = [
            try job("a", at: 5), try job("b", at: 7), try job("c", at: 6), try job("d", at: 9, isPreliminary: true),
        ]
        #expect(try jobs.job(named: "last") == jobs[1])
        #expect(try [try job("a", at: 5), try job("b", at: 5)].job(named: "last").job.hex.hasPrefix("b"))
    }

    @Test("In a list words begin and numbers end below each other")
    func table() throws {
        var long = try job("b", .running)
        (long.name, long.acceptance, long.chainsDone) = ("a-long-name", .nan, 7)
        #expect(
            JobListing([try job("a"), long]).table == """
                JOB       NAME         STATE       CHAINS  DONE  ACCEPTANCE  TIME
                a0000000  ring         finished  640/2000  32 %       0.988  12 s
                b0000000  a-long-name  running     7/2000  32 %           -  12 s
                """)
    }

    @Test("An explanation tells of workers, the expected end and a chain's block, a line for each")
    func explanation() throws {
        let block = BlockStanding(
            block: 7, stage: .held, attempts: 2,
            told: [
                BlockAttempt(worker: "1", number: 0, fraction: 0, failure: "worker 1 died"),
                BlockAttempt(worker: "2", number: 2, fraction: 0.41, failure: ""),
            ])
        let told = Explanation(
            status: try job("ab", .running),
            workers: [JobWorker(name: "2", host: "node", process: 9, blocksDone: 3, blocksHeld: 1, seconds: 2)],
            block: block)
        let text = JobExplanation(told, chain: 450, now: Date(timeIntervalSince1970: 0)).text
        #expect(
            text == """
                ab000000 running: ring 640/2000 chains, 32 %, 53 chains/s, acceptance 0.988, 26 s left, 1 worker
                expected end: 1970-01-01T00:00:25Z
                worker 2 on node, process 9: 3 blocks done in 2 s of computing, 1 held
                chain 450 is of block 7, which is with a worker; attempts: 2
                  an attempt at worker 1: worker 1 died
                  attempt 2 at worker 2: 41 % done
                """)
        let json = JobExplanation(told, chain: 450).json.canonical
        #expect(json.contains(#""stage":"held""#) && json.contains(#""compute_seconds":2"#))
    }
}
