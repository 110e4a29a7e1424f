import Composition
import EnergyModels
import Foundation
import JobFile
import Sampling
import Testing

@testable import two_dimensional_study

@Suite struct StudyJobTests {
    private static let all = StudyJob.chosen(by: [])

    @Test func `Every combination is a job of its own`() {
        #expect(Self.all.count == 3 * 2 * 10)
        #expect(Set(Self.all.map(\.name)).count == Self.all.count)
    }

    @Test(arguments: all)
    func `Every job is read without complaint`(job: StudyJob) throws {
        try StudyFolder.withJob(job, chains: 123) { path in
            let read = try Job.load(path: path)
            #expect(read.name == job.name)
            #expect(read.chains == 123)
            #expect(read.modelDigests.isEmpty == (job.models == .exact))
            #expect(read.target.leaves == Set(job.task.parts.map(\.name)))
            #expect((read.sampler.population != nil) == job.sampler.isPopulation)
        }
    }

    @Test(arguments: [SamplerCase.reverse, .ula, .mala, .uhmc, .hmc])
    func `The paper's settings are those of the examples`(sampler: SamplerCase) throws {
        let example = try Job.load(
            path: StudyFolder.examples.appendingPathComponent("product-\(sampler.rawValue).json").path)
        try StudyFolder.withJob(StudyJob(task: .product, models: .exact, sampler: sampler)) { path in
            let job = try Job.load(path: path)
            #expect(job.sampler == example.sampler)
            #expect(job.models == example.models)
            #expect(job.target == example.target)
            #expect(job.schedule == example.schedule)
            #expect(job.seed == example.seed)
            #expect(job.block == example.block)
        }
    }

    @Test(arguments: [(SamplerCase.mala, SamplerCase.tunedMALA), (.hmc, .tunedHMC)])
    func `Tuned steps cost as many gradients as the paper's`(paper: SamplerCase, tuned: SamplerCase) throws {
        let gradients = try [paper, tuned].map { sampler in
            try StudyFolder.withJob(StudyJob(task: .product, models: .exact, sampler: sampler)) {
                let settings = try Job.load(path: $0).sampler
                return settings.transitions * settings.evaluationsPerTransition
            }
        }
        #expect(gradients[0] == gradients[1])
    }

    @Test(arguments: SamplerCase.allCases.filter(\.isPopulation))
    func `Populations cost about 200 gradients a chain`(sampler: SamplerCase) throws {
        try StudyFolder.withJob(StudyJob(task: .product, models: .exact, sampler: sampler)) {
            let settings = try Job.load(path: $0).sampler
            let gradients = settings.levels.count * (1 + settings.transitions * settings.evaluationsPerTransition)
            #expect((190...210).contains(gradients))
        }
    }

    @Test func `Names choose among their own sort and leave the others whole`() {
        let chosen = StudyJob.chosen(by: ["hmc", "exact", "mala"])
        #expect(chosen.count == 6)
        #expect(Set(chosen.map(\.task)) == Set(CompositionTask.allCases))
        #expect(chosen.allSatisfy { $0.models == .exact && [.hmc, .mala].contains($0.sampler) })
        #expect(StudyJob.chosen(by: StudyJob.names).count == Self.all.count)
    }
}
