import Composition
import ContentHash
import EnergyModels
import Foundation
import JobFile
import Sampling
import Testing

@Suite("Job")
struct JobTests {
    @Test("what a job leaves out gets its default")
    func defaults() throws {
        let job = try ExampleJobs.decode(ExampleJobs.smallest)
        #expect(job.name == "bar")
        #expect(job.seed == 0)
        #expect(job.models == ["bar": .analytic(.uniformBox(low: [-0.2, -1], high: [0.2, 1]))])
        #expect(job.target == .leaf("bar"))
        #expect(job.schedule == ScheduleDescription(kind: .cosine, levels: 100))
        #expect(
            job.sampler == SamplerSettings(kernel: .ula(step: .constant(0.01)), transitions: 10, levels: 0...99))
        #expect(job.chains == 100)
        #expect(job.draws == 1)
        #expect(job.thin == 1)
        #expect(job.block == 64)
        #expect(job.dimension == 2)
        #expect(job.blocks == 2)
    }

    @Test("everything that a job says is read")
    func everything() throws {
        let job = try ExampleJobs.decode(ExampleJobs.everything)
        #expect(job.seed == .max)
        #expect(
            job.models["ring"]
                == .analytic(
                    .gaussianMixture(
                        means: [[0.5, 0], [0, 0.5]], standardDeviations: [[0.03, 0.03], [0.1, 0.2]], weights: [1, 1])))
        #expect(job.models["blob é/~"] == .analytic(.gaussian(mean: [0.001, 0], covariance: [[1, 0.5], [0.5, 1]])))
        #expect(
            job.target
                == .product(
                    [
                        .mixture([.leaf("ring"), .leaf("bar")], weights: [1, 2.5], logNormalizers: [0, -0.25]),
                        .sharpenedMixture(
                            [.leaf("ring"), .bounded(of: .leaf("bar"), low: [-1, -1], high: [1, 1])], sharpness: 3.5,
                            logNormalizers: [0, 0]),
                        .negation(of: .leaf("ring"), by: .tempered(of: .leaf("bar"), temperature: 2), weight: 0.3),
                        .guidance(
                            unconditional: .leaf("ring"), conditional: [.leaf("bar"), .leaf("blob é/~")], scale: 4),
                    ], weights: [1, 0.5, 1e-7, -0.3]))
        #expect(
            job.sampler
                == SamplerSettings(
                    kernel: .uhmc(
                        step: .betaPower(scale: 0.1, exponent: 0.5),
                        leapfrog: LeapfrogSettings(steps: 4, damping: 0.9, mass: .perLevel([1, 2, 3, 4]))),
                    transitions: 7, reverseSteps: true, levels: 0...2))
        #expect(job.chains == 2000)
        #expect(job.draws == 3)
        #expect(job.thin == 5)
        #expect(job.block == 100)
    }

    @Test(
        "a rule of acceptance is read, with five points on a line unless more or fewer are asked for",
        arguments: [
            ("mala", #""energy""#, .energy), ("mala", #""line""#, .line(points: 5)),
            ("hmc", #"{"line": {"points": 2}}"#, .line(points: 2)), ("hmc", #"{"line": {}}"#, .line(points: 5)),
            ("hmc", #""path""#, .path), ("ula", #""energy""#, nil),
        ] as [(String, String, AcceptanceRule?)])
    func acceptance(kind: String, text: String, rule: AcceptanceRule?) throws {
        let job = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing(
                "\"ula\"", with: "\"\(kind)\", \"acceptance\": \(text)"))
        #expect(job.sampler.kernel.acceptance == rule)
    }

    @Test(
        "a seed is a number up to 2^53 or a decimal string up to 2^64 - 1",
        arguments: [
            ("0", 0), ("9007199254740992", 1 << 53), ("\"0\"", 0), ("\"9007199254740993\"", (1 << 53) + 1),
            ("\"18446744073709551615\"", .max),
        ] as [(String, UInt64)])
    func seeds(text: String, seed: UInt64) throws {
        let job = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing("\"chains\"", with: "\"seed\": \(text), \"chains\""))
        #expect(job.seed == seed)
    }

    @Test("the last block holds the rest", arguments: [(1, 64, 1), (64, 64, 1), (65, 64, 2), (100, 1, 100)])
    func blocks(chains: Int, block: Int, count: Int) throws {
        let job = try ExampleJobs.decode(
            ExampleJobs.smallest.replacing("\"chains\": 100", with: "\"chains\": \(chains), \"block\": \(block)"))
        #expect(job.blocks == count)
        #expect((0..<count).map { job.chains(inBlock: $0) }.reduce(0, +) == chains)
    }

    @Test("an operator that subtracts may stand beside bounds, and around none")
    func harmlessBounds() throws {
        let bounded = #"{"bounded": {"of": "bar", "low": [-1, -1], "high": [1, 1]}}"#
        for target in [
            #"{"negation": {"of": \#(bounded), "by": "bar", "weight": 1}}"#,
            #"{"product": [\#(bounded), "bar"], "weights": [1.3, -0.3]}"#,
            #"{"guidance": {"unconditional": "bar", "conditional": [\#(bounded)], "scale": 4}}"#,
            #"{"guidance": {"unconditional": \#(bounded), "conditional": ["bar"], "scale": 0.5}}"#,
        ] {
            #expect(throws: Never.self) {
                try ExampleJobs.decode(
                    ExampleJobs.smallest.replacing("\"target\": \"bar\"", with: "\"target\": \(target)"))
            }
        }
    }

    @Test("a job is read from its file")
    func load() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(ExampleJobs.everything.utf8).write(to: file)
        #expect(try Job.load(path: file.path) == ExampleJobs.decode(ExampleJobs.everything))
    }

    @Test("a missing file and a folder are no input", arguments: ["/nowhere/job.json", "/"])
    func noInput(path: String) {
        let error = #expect(throws: JobError.self) { try Job.load(path: path) }
        #expect(error?.code == .noInput)
        #expect(error?.file == path)
        #expect(error?.description.hasPrefix("\(path): ") == true)
    }
}
