import ContentHash
import CoordinatorCore
import Foundation
import JobFile
import Messaging
import PoolCore
import Testing

@testable import Coordinator

/// Results that are computed twice, and a worker that brings wrong ones.
struct VerificationTests {
    private let sampler = #""kind": "mala", "transitions": 2, "step_size": 0.01"#
    private let liar: PeerID = [1]

    private func all(of fraction: Double = 1, seed: UInt8 = 0) -> VerificationRule {
        VerificationRule(fraction: fraction, secret: [UInt8](repeating: seed, count: 16))
    }

    /// The result of a block with one bit changed.
    private func lie(_ job: Job, _ attempt: AttemptID) throws -> Message {
        var report = try SmallJobs.result(of: job, block: attempt.block, attempt: attempt)
        report.samples[0] ^= 1
        return .result(report)
    }

    private func truth(_ job: Job, _ attempt: AttemptID) throws -> Message {
        .result(try SmallJobs.result(of: job, block: attempt.block, attempt: attempt))
    }

    /// The samples of a finished job.
    private func samples(of job: Job, at coordinator: CoordinatorUnderTest) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(coordinator.folder)/jobs/\(job.identity.hex)/samples.npy"))
    }

    /// The samples as honest workers compute them.
    private func rightSamples(of job: Job) throws -> Data {
        let coordinator = try CoordinatorUnderTest()
        defer { coordinator.remove() }
        coordinator.join([9], arithmetic: "a")
        coordinator.submit(job)
        #expect(try coordinator.finish(job) == .finished)
        return try samples(of: job, at: coordinator)
    }

    private func isDistrusted(at coordinator: CoordinatorUnderTest) -> Bool {
        coordinator.log.contains { $0.contains("worker 1 on host is not trusted any more") }
    }

    @Test func `A worker that brings wrong results is found and named, and the job's bytes are right`() throws {
        let job = try SmallJobs.job(sampler)
        let coordinator = try CoordinatorUnderTest(verification: all())
        defer { coordinator.remove() }
        for peer in [liar, [2], [3]] as [PeerID] { coordinator.join(peer, arithmetic: "a") }
        coordinator.submit(job)
        try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == true }) { peer, job, attempt in
            try peer == liar ? lie(job, attempt) : truth(job, attempt)
        }
        let status = try #require(coordinator.status(of: job))
        #expect(status.state == .finished)
        #expect(status.blocksVerified == 4)
        #expect(isDistrusted(at: coordinator))
        #expect(try samples(of: job, at: coordinator) == rightSamples(of: job))
    }

    @Test func `Honest workers verify each other, and nobody is sent home`() throws {
        let job = try SmallJobs.job(sampler)
        let coordinator = try CoordinatorUnderTest(verification: all())
        defer { coordinator.remove() }
        for peer in [[1], [2]] as [PeerID] { coordinator.join(peer, arithmetic: "a") }
        coordinator.submit(job)
        #expect(try coordinator.finish(job) == .finished)
        #expect(coordinator.status(of: job)?.blocksVerified == 4)
        #expect(!coordinator.log.contains { $0.contains("trusted") || $0.contains("differ") })
        #expect(coordinator.leases.flatMap(\.lease.blocks).count == 8)
        #expect(try samples(of: job, at: coordinator) == rightSamples(of: job))
    }

    @Test func `Alone a worker can verify nothing, and the job says what it waits for`() throws {
        let job = try SmallJobs.job(sampler)
        let coordinator = try CoordinatorUnderTest(verification: all())
        defer { coordinator.remove() }
        coordinator.join(liar, arithmetic: "a")
        coordinator.submit(job)
        try coordinator.work(
            until: { coordinator.status(of: job)?.notice.contains("another key") == true }, { try truth($1, $2) })
        #expect(coordinator.status(of: job)?.state == .running)
        coordinator.join([2], arithmetic: "a")
        #expect(try coordinator.finish(job) == .finished)
    }

    @Test(arguments: [true, false])
    func `What is to be verified is verified after the coordinator has begun anew, whether others are or not`(
        isVerifying: Bool
    ) throws {
        let job = try SmallJobs.job(sampler)
        let first = try CoordinatorUnderTest(verification: all())
        first.join(liar, arithmetic: "a")
        first.submit(job)
        try first.work(until: { first.status(of: job)?.notice.contains("another key") == true }) { _, job, attempt in
            try attempt.block == 2 ? lie(job, attempt) : truth(job, attempt)
        }
        let second = try CoordinatorUnderTest(after: first, verification: isVerifying ? all() : nil)
        defer { second.remove() }
        for peer in [liar, [2], [3]] as [PeerID] { second.join(peer, arithmetic: "a") }
        #expect(try second.finish(job) == .finished)
        #expect(second.log.contains { $0.contains("is not trusted any more: it returned a wrong result of block 2") })
        #expect(second.leases.allSatisfy { $0.peer != liar || $0.lease.blocks.isEmpty })
        #expect(try samples(of: job, at: second) == rightSamples(of: job))
    }

    @Test func `A job that uses what a liar has found fails, and says how it is mended`() throws {
        let job = try SmallJobs.job(
            #""kind": "mala", "transitions": 2, "step_size": {"target_acceptance": 0.57, "pilots": 8}"#, chains: 80)
        let pilot = try #require(job.preliminary?.job)
        // Nothing of the pilot is looked at, some of the job is.
        let rules = (0..<UInt8.max).map { all(of: 0.1, seed: $0) }
        let rule = try #require(
            rules.first { rule in
                !(0..<pilot.blocks).contains { rule.chooses($0, of: pilot.identity) }
                    && (0..<job.blocks).count { rule.chooses($0, of: job.identity) } > 2
            })
        let coordinator = try CoordinatorUnderTest(verification: rule)
        defer { coordinator.remove() }
        coordinator.join(liar, arithmetic: "a")
        coordinator.submit(job)
        // Alone it does all there is, and then others come.
        try coordinator.work(until: { coordinator.status(of: job)?.notice.contains("another key") == true }) {
            try lie($1, $2)
        }
        for peer in [[2], [3]] as [PeerID] { coordinator.join(peer, arithmetic: "a") }
        #expect(try coordinator.finish(job) == .failed)
        let failure = coordinator.status(of: job)?.failure ?? ""
        #expect(failure.contains("what was found for it") && failure.contains("--force"), "\(failure)")
    }

    /// One in five of its results is wrong and one in five is verified: sometimes it is found, and then nothing of it is
    /// left.
    @Test func `Whoever is found loses all that nobody has verified, whoever is not found was not looked at`() throws {
        let job = try SmallJobs.job(sampler, chains: 160)
        let right = try rightSamples(of: job)
        var found = 0
        for seed: UInt8 in 0..<12 {
            let coordinator = try CoordinatorUnderTest(verification: all(of: 0.2, seed: seed))
            defer { coordinator.remove() }
            for peer in [liar, [2], [3]] as [PeerID] { coordinator.join(peer, arithmetic: "a") }
            coordinator.submit(job)
            try coordinator.work(until: { coordinator.status(of: job)?.state.isOver == true }) { peer, job, attempt in
                let isLie = peer == liar && attempt.block % 5 == Int(seed) % 5
                return try isLie ? lie(job, attempt) : truth(job, attempt)
            }
            #expect(coordinator.status(of: job)?.state == .finished)
            if isDistrusted(at: coordinator) {
                found += 1
                #expect(try samples(of: job, at: coordinator) == right)
            }
        }
        #expect(found > 0)
    }

    /// False alarm: one in a million, by chance of the 400 trials.
    @Test func `A worker is found as often as the documents say`() {
        let job = SHA256.hash(of: [1, 2, 3])
        let (blocks, trials, wrong, fraction) = (250, 400, 0.02, 0.2)
        var random = SeededRandom(seed: 5)
        let found = (0..<trials).count { trial in
            let rule = all(of: fraction, seed: UInt8(truncatingIfNeeded: trial))
            let lies = (0..<blocks).filter { _ in Double.random(in: 0..<1, using: &random) < wrong }
            return lies.contains { rule.chooses($0 + 1_000 * trial, of: job) }
        }
        let chance = 1 - pow(1 - wrong * fraction, Double(blocks))
        let deviation = (chance * (1 - chance) * Double(trials)).squareRoot()
        #expect(abs(Double(found) - chance * Double(trials)) < 4.9 * deviation)
    }

    @Test func `What another party has come to is not gone on with where results are verified`() throws {
        let job = try SmallJobs.job(sampler, chains: 4)
        for (verification, isHandedOn) in [(nil, true), (all(), false)] {
            let coordinator = try CoordinatorUnderTest(verification: verification)
            defer { coordinator.remove() }
            coordinator.join([1], arithmetic: "a")
            coordinator.submit(job)
            try coordinator.work(until: { !coordinator.leases.isEmpty })
            let attempt = try #require(coordinator.leases.first?.lease.blocks.first)
            coordinator.take(.checkpoint(BlockState(attempt: attempt, stepsDone: 3, state: [1, 2, 3])), from: [1])
            coordinator.take(.goodbye(reason: "stopped"), from: [1])
            coordinator.join([2], arithmetic: "a")
            try coordinator.work(until: { coordinator.leases.contains { $0.peer == [2] } })
            #expect(coordinator.leases.last?.lease.checkpoints.isEmpty == !isHandedOn)
        }
    }
}

/// Numbers that are the same each time (Steele, Lea and Flood's SplitMix).
private struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
