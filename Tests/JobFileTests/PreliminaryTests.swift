import Composition
import Foundation
import JobFile
import Sampling
import Testing

@Suite("Jobs that need others to be run first")
struct PreliminaryTests {
    private func job(
        target: String = #""bar""#, sampler: String = #"{"kind": "mala", "step_size": "tuned"}"#, chains: Int = 1_000
    ) throws -> Job {
        try ExampleJobs.decode(
            """
            {"rrr": 1, "name": "bars", "seed": 3,
             "models": {"bar": {"kind": "uniform_box", "low": [-0.3, -1], "high": [-0.1, 1]},
                        "blob": {"kind": "gaussian", "mean": [0, 1], "covariance": [[1, 0], [0, 0.5]]},
                        "other": {"kind": "gaussian", "mean": [2, 1], "covariance": [[1, 0], [0, 0.5]]}},
             "target": \(target), "schedule": {"kind": "cosine", "levels": 4}, "sampler": \(sampler),
             "chains": \(chains), "draws": 3, "block": 32}
            """)
    }

    @Test("A job with step sizes and normalisers needs nothing")
    func none() throws {
        #expect(try job(sampler: #"{"kind": "hmc", "step_size": 0.1}"#).preliminary == nil)
    }

    @Test("A tuned job needs a pilot, which does not depend on how many chains the job has")
    func pilot() throws {
        let job = try job()
        let pilot = try #require(job.preliminary)
        #expect(pilot.purpose == .stepSizes)
        #expect(pilot.job.isPilot && pilot.job.preliminary == nil)
        #expect(pilot.job.chains == 16 * 32 && pilot.job.draws == 1)
        #expect(pilot.job.seed != job.seed && pilot.job.name == "bars-pilot")
        #expect(pilot.job.stepSizes.allSatisfy { $0.isNaN })
        #expect(try self.job(chains: 7).preliminary == pilot)
        // A pilot travels like any job.
        #expect(try ExampleJobs.decode(pilot.job.canonicalText) == pilot.job)

        let resolved = try job.resolved(pilot, stepSizes: [0.1, 0.2, 0.3, 0.4], logNormalizers: [])
        #expect(resolved.preliminary == nil && resolved.stepSizes == [0.1, 0.2, 0.3, 0.4])
        #expect(resolved.chains == 1_000 && resolved.draws == 3 && resolved.seed == 3)
        let pasted = try self.job(sampler: #"{"kind": "mala", "step_size": [0.1, 0.2, 0.3, 0.4]}"#)
        #expect(pasted == resolved && pasted.identity == resolved.identity)
        #expect(throws: MissingNumbers.self) {
            try job.resolved(pilot, stepSizes: [0.1, nil, 0.3, 0.4], logNormalizers: [])
        }
    }

    @Test("Levels without transitions need no step size and get the nearest one")
    func partOfTheLevels() throws {
        let job = try job(sampler: #"{"kind": "hmc", "step_size": {"target_acceptance": 0.8}, "levels": [1, 2]}"#)
        let pilot = try #require(job.preliminary)
        let resolved = try job.resolved(pilot, stepSizes: [nil, 0.2, 0.3, nil], logNormalizers: [])
        #expect(resolved.stepSizes == [0.2, 0.2, 0.3, 0.3])
    }

    @Test("Normalisers are estimated by a population of the component, the innermost first, equal ones once")
    func normalizers() throws {
        let inner = #"{"mixture": ["bar", "blob"], "log_normalizers": [0.5, "estimate"]}"#
        let target =
            #"{"product": ["other", {"mixture": [\#(inner), "blob"], "sharpness": 3.5, "log_normalizers": "estimate"}]}"#
        var job = try job(target: target, sampler: #"{"kind": "uhmc", "step_size": 0.1, "reverse_steps": true}"#)
        #expect(try ExampleJobs.decode(job.canonicalText) == job)
        var components: [TargetExpression] = []
        while let preliminary = job.preliminary {
            guard case .logNormalizer(let component) = preliminary.purpose else {
                Issue.record("nothing is to be tuned")
                return
            }
            components.append(component)
            let run = preliminary.job
            #expect(run.target == component && Set(run.models.keys) == component.leaves)
            #expect(run.sampler.kind == .hmc && run.sampler.population != nil && !run.sampler.reverseSteps)
            #expect(!run.isPilot && run.chains == 32 * 32 && run.draws == 1)
            let decoded = try ExampleJobs.decode(run.canonicalText)
            #expect(decoded == run)
            job = try job.resolved(preliminary, stepSizes: [], logNormalizers: [1, 2, 3, 4])
        }
        let mixture = TargetExpression.mixture(
            [.leaf("bar"), .leaf("blob")], weights: [1, 1], logNormalizers: [0.5, .perLevel([1, 2, 3, 4])])
        #expect(components == [.leaf("blob"), mixture])
        #expect(
            job.target
                == .product(
                    [
                        .leaf("other"),
                        .sharpenedMixture(
                            [mixture, .leaf("blob")], sharpness: 3.5,
                            logNormalizers: [.perLevel([1, 2, 3, 4]), .perLevel([1, 2, 3, 4])]),
                    ], weights: [1, 1]))
        #expect(try ExampleJobs.decode(job.canonicalText) == job)
    }

    @Test("Where steps are tuned, normalisers are estimated by blocks that tune, and then comes the pilot")
    func both() throws {
        var job = try job(target: #"{"mixture": ["bar", "blob"], "log_normalizers": "estimate"}"#)
        var purposes: [Bool] = []
        while let preliminary = job.preliminary {
            purposes.append(preliminary.purpose == .stepSizes)
            #expect(
                preliminary.job.isPilot && (preliminary.job.sampler.population != nil) == !purposes[purposes.count - 1])
            job = try job.resolved(preliminary, stepSizes: [1, 1, 1, 1], logNormalizers: [1, 2, 3, 4])
        }
        #expect(purposes == [false, false, true])
    }

    @Test("A normaliser that nobody found is told")
    func missing() throws {
        let job = try job(
            target: #"{"mixture": ["bar", "blob"], "log_normalizers": "estimate"}"#,
            sampler: #"{"kind": "mala", "step_size": 0.1}"#)
        let preliminary = try #require(job.preliminary)
        #expect(throws: MissingNumbers.self) {
            try job.resolved(preliminary, stepSizes: [], logNormalizers: [nil, 2, 3, 4])
        }
    }

    @Test(
        "Steps to be found are written out with their defaults",
        arguments: [
            (#""tuned""#, #"{"pilots":16,"target_acceptance":0.57}"#),
            (#"{"target_acceptance": 0.5}"#, #"{"pilots":16,"target_acceptance":0.5}"#),
            (#"{"pilots": 3}"#, #"{"pilots":3,"target_acceptance":0.57}"#),
        ])
    func canonical(step: String, written: String) throws {
        let text = try job(sampler: #"{"kind": "mala", "step_size": \#(step)}"#).canonicalText
        #expect(text.contains(#""step_size":\#(written)"#))
    }
}
