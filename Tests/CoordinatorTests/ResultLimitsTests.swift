import JobFile
import RunFolder
import Sampling
import Testing

@testable import Coordinator
@testable import CoordinatorCore

/// Which numbers of a result can be those of a block.
struct ResultLimitsTests {
    private static let samplers = [
        #""kind": "reverse""#,
        #""kind": "reverse", "denoise": true"#,
        #""kind": "ula", "transitions": 2, "step_size": 0.01, "reverse_steps": true"#,
        #""kind": "hmc", "transitions": 2, "leapfrog": 3, "step_size": 0.1, "levels": [1, 5]"#,
        #""kind": "hmc", "transitions": 2, "leapfrog": 3, "step_size": 0.1, "acceptance": "path", "denoise": true"#,
        #""kind": "mala", "transitions": 2, "step_size": 0.01, "acceptance": {"line": {"points": 7}}"#,
        #""kind": "mala", "transitions": 2, "step_size": 0.01, "population": {"threshold": 0.9}, "levels": [0, 5]"#,
        #""kind": "mala", "transitions": 1, "step_size": 0.01, "refine": {"levels": 2, "transitions": 3}"#,
        #""kind": "mala", "transitions": 1, "step_size": 0.01, "population": {"threshold": 0.5}, "refine": {"levels": 2}"#,
    ]

    private func problem(_ job: Job, _ change: (inout BlockRecord) -> Void = { _ in }) throws -> String? {
        var record = try SmallJobs.record(of: job, block: 1)
        change(&record)
        #expect(record.problem(in: job.description) == nil)
        return ResultLimits(job).problem(in: record, of: job.description)
    }

    @Test(arguments: samplers)
    func `What an honest block comes to is possible`(sampler: String) throws {
        // Ancestral sampling keeps one draw.
        for draws in sampler.contains("reverse\"") ? [1] : [1, 5] {
            #expect(try problem(try SmallJobs.job(sampler, draws: draws)) == nil)
        }
    }

    @Test(arguments: samplers)
    func `Every state of an honest block is possible, and not much more is`(sampler: String) throws {
        struct NoModels: Error {}
        let tuned = #""kind": "mala", "transitions": 2, "step_size": "tuned""#
        let exchange = #""kind": "mala", "transitions": 2, "step_size": 0.01, "exchange": {"replicas": 3}"#
        let jobs =
            [try SmallJobs.job(sampler, draws: sampler.contains("reverse\"") ? 1 : 500)]
            + (sampler == Self.samplers[0]
                ? [try SmallJobs.job(tuned, more: #", "pilot": true"#), try SmallJobs.job(exchange, draws: 500)] : [])
        for job in jobs {
            var block = try job.plan { _ in throw NoModels() }.block(index: 0, chains: job.chains(inBlock: 0))
            var most = block.checkpoint().count
            while try block.advance() { most = max(most, block.checkpoint().count) }
            #expect(most <= job.mostStateBytes && job.mostStateBytes < 2 * most + 8_192)
        }
    }

    @Test func `So is what pilot blocks and blocks with replicas come to`() throws {
        let tuned = #""kind": "mala", "transitions": 2, "step_size": "tuned""#
        #expect(try problem(try SmallJobs.job(tuned, more: #", "pilot": true"#)) == nil)
        let population = tuned + #", "population": {"threshold": 0.9}, "levels": [0, 4]"#
        #expect(try problem(try SmallJobs.job(population, more: #", "pilot": true"#)) == nil)
        let exchange = #""kind": "mala", "transitions": 2, "step_size": 0.01, "exchange": {"replicas": 3}"#
        #expect(try problem(try SmallJobs.job(exchange, draws: 6)) == nil)
    }

    @Test func `A sample that is no number is impossible, an infinite one is not`() throws {
        let job = try SmallJobs.job(Self.samplers[3])
        for place in 0..<8 {
            #expect(try problem(job) { $0.samples.put(Float.nan, at: place) }?.contains("sample") == true)
            #expect(try problem(job) { $0.samples.put(Float.infinity, at: place) } == nil)
        }
    }

    @Test func `More work than a block has is impossible`() throws {
        for sampler in Self.samplers {
            #expect(try problem(try SmallJobs.job(sampler)) { $0.gradientEvaluations = 1 << 48 } != nil)
            let job = try SmallJobs.job(sampler)
            #expect(try problem(job) { $0.statistics["divergences"]?.put(Int32(10_000), at: 3) } != nil)
        }
    }

    @Test func `Acceptance is from 0 to 1, and a number at all levels that get transitions and no others need have`()
        throws
    {
        let job = try SmallJobs.job(Self.samplers[3])
        for wrong: Float in [3e38, 1.01, -0.01, .infinity, -.infinity] {
            let found = try problem(job) { $0.statistics["acceptance"]?.put(wrong, at: 8 + 3) }
            #expect(found?.contains("acceptance") == true)
        }
        #expect(try problem(job) { $0.statistics["acceptance"]?.put(Float.nan, at: 8 + 3) } != nil)
        #expect(try problem(job) { $0.statistics["acceptance"]?.put(Float.nan, at: 8 + 7) } == nil)
    }

    @Test func `The sizes, ancestors and weights of a population are what its chains can have`() throws {
        let job = try SmallJobs.job(Self.samplers[6])
        func problem<Number: BitwiseCopyable>(_ name: String, _ wrong: Number, at place: Int = 2) throws -> String? {
            try self.problem(job) { $0.statistics[name]?.put(wrong, at: place) }
        }
        #expect(try problem("log_weight", Double.nan) != nil && problem("log_weight", Double.infinity) != nil)
        #expect(try problem("log_weight", -Double.infinity) == nil)
        #expect(try problem("effective_size", Float(4.1)) != nil && problem("effective_size", Float.nan) != nil)
        #expect(try problem("effective_size", Float.nan, at: 7) == nil)
        #expect(try problem("ancestors", Int32(5)) != nil && problem("ancestors", Int32(0)) != nil)
        #expect(try problem("parents", Int32.max) != nil && problem("parents", Int32(4)) == nil)
        #expect(try problem("level_log_normalizer", Double.nan) != nil)
        #expect(try problem("log_normalizer", Double.nan, at: 0) != nil)
    }

    @Test func `A pilot finds step sizes that its search could have found`() throws {
        let job = try SmallJobs.job(
            #""kind": "mala", "transitions": 2, "step_size": "tuned", "levels": [0, 5]"#, more: #", "pilot": true"#)
        for wrong in [-1, 0, 1e308, 1e-300, .infinity, .nan] {
            #expect(try problem(job) { $0.statistics["step_size"]?.put(wrong, at: 5) }?.contains("step_size") == true)
        }
        #expect(try problem(job) { $0.statistics["step_size"]?.put(Double.nan, at: 7) } == nil)
    }
}

extension [UInt8] {
    /// Replaces a number, counted from 0.
    fileprivate mutating func put<Number: BitwiseCopyable>(_ number: Number, at place: Int) {
        let bytes = Swift.withUnsafeBytes(of: number) { Array($0) }
        replaceSubrange(place * bytes.count..<(place + 1) * bytes.count, with: bytes)
    }
}
