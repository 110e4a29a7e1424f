import EnergyModels
import TensorGraph
import Testing

@testable import Training

@Suite("Advice on trainings")
struct TrainingAdviceTests {
    private func advice(_ data: String, more: String = "", threads: Int = 1) throws -> [String] {
        let spec = try ExampleSpecs.spec(data: data, more: more)
        return TrainingAdvice.atStart(spec, data: try TrainingData(spec), threads: threads)
    }

    @Test("the named distributions need none", arguments: NamedDistributions.all.map(\.name))
    func named(name: String) throws {
        #expect(try advice("{\"kind\": \"distribution\", \"name\": \"\(name)\"}", threads: 8) == [])
    }

    @Test("data far from standard deviation 1 are to be scaled, by what they are measured to have")
    func scale() throws {
        let large = try advice(#"{"kind": "gaussian", "mean": [100, 140], "covariance": [[400, 0], [0, 400]]}"#)
        #expect(large.count == 1)
        // Of 8 192 numbers: the standard errors of mean and deviation are below 0.3, and three digits are told.
        #expect(large.first?.contains("mean 120 and standard deviation ") == true, "\(large)")
        #expect(large.first?.contains("(x - 120) / ") == true, "\(large)")
        let small = try advice(#"{"kind": "uniform_box", "low": [0, 0], "high": [0.01, 0.01]}"#)
        #expect(small.count == 1)
        let folder = try TemporaryFolder()
        let points = try folder.write([255, 0, 0, 255] as [Float], shape: [2, 2], "points.npy")
        #expect(try advice("{\"kind\": \"npy\", \"file\": \"\(points)\"}").first?.contains("scale them") == true)
    }

    @Test("threads without work are told")
    func threads() throws {
        let ring = #"{"kind": "distribution", "name": "eight_gaussians"}"#
        let alone = try advice(ring, more: #", "batch": 997"#, threads: 4)
        #expect(alone.first?.contains("is 1 shard of 997, so that 1 of 4 threads compute") == true, "\(alone)")
        #expect(try advice(ring, more: #", "batch": 997"#, threads: 1) == [])
        #expect(try advice(ring, more: #", "batch": 500"#, threads: 4) == [])
    }

    @Test("a first loss far above that of saying nothing is told, of an energy alone")
    func firstLoss() throws {
        let spec = try ExampleSpecs.decode(ExampleSpecs.smallest)
        #expect(TrainingAdvice.afterFirstStep(loss: 16, spec)?.contains("the first loss is 16") == true)
        #expect(TrainingAdvice.afterFirstStep(loss: 3, spec) == nil)
    }

    @Test("points in a file count among the memory of a training")
    func memoryOfPoints() throws {
        let folder = try TemporaryFolder()
        let points = try folder.write([Float](repeating: 1, count: 2_000_000), shape: [1_000_000, 2], "points.npy")
        let spec = try ExampleSpecs.decode(
            ExampleSpecs.smallest.replacing(
                #"{"kind": "distribution", "name": "eight_gaussians"}"#,
                with: "{\"kind\": \"npy\", \"file\": \"\(points)\"}"))
        let memory = TrainingMemory(spec, threads: 1)
        #expect(memory.data == 8_000_000)
        let error = #expect(throws: TrainingError.self) { try memory.check(limit: 8_000_000) }
        #expect(error?.description.contains("give fewer points") == true)
    }

    @Test("a training beyond the memory is refused with what it takes, and one of usual size is not")
    func memory() throws {
        let spec = try ExampleSpecs.decode(
            ExampleSpecs.smallest.replacing("100}", with: "100, \"batch\": 2000000}"))
        // Each thread has its plan's memory for the shard's points, and what the shard itself draws.
        #expect(spec.shard == 62_500)
        let memory = TrainingMemory(spec, threads: 8)
        let plan = TrainingLoss.plan(spec.network, rows: spec.shard)
        #expect(memory.work > 8 * plan.numbers * 4 && memory.work < 9 * plan.numbers * 4)
        let error = #expect(throws: TrainingError.self) { try memory.check(limit: 1 << 28) }
        #expect(error?.exitStatus == 65)
        #expect(error?.description.contains("and 0.2 GiB are available; make \"batch\" or \"shard\" smaller") == true)
        let usual = TrainingMemory(try ExampleSpecs.decode(ExampleSpecs.quick), threads: 2)
        #expect(usual.work + usual.parameters < 16 << 20)
        #expect(throws: Never.self) { try usual.check() }
    }
}
