import EnergyModels
import Foundation
import Testing

@testable import Training

@Suite("Training of classifiers")
struct ClassifierTrainingTests {
    /// A tiny classifier, whose training takes no time.
    private static let quick = ExampleSpecs.quick.replacing("residual_mlp", with: "residual_mlp_classifier")

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ text: String = quick, steps: Int, threads: Int = 2) throws -> TrainingRun {
        let spec = try ExampleSpecs.decode(text)
        var run = try TrainingRun(spec, data: try TrainingData(spec), threads: threads)
        for _ in 0..<steps { try run.step() }
        return run
    }

    private func network(_ run: TrainingRun, _ description: NetworkDescription) -> Network {
        var rest = run.optimizer.parameters[...]
        return Network(
            description: description,
            parameters: description.architecture.parameters.map { parameter in
                let count = parameter.shape.reduce(1, *)
                defer { rest = rest.dropFirst(count) }
                return Array(rest.prefix(count))
            })
    }

    @Test("A spec of a classifier has no energy and hides no label")
    func spec() throws {
        let spec = try ExampleSpecs.decode(Self.quick)
        #expect(spec.network.architecture.kind == .classifier)
        #expect(spec.network.architecture.classes == 8)
        #expect(spec.network.energy == nil)
        #expect(spec.labelDropout == 0)
        #expect(spec.network.schedule == .init(kind: .cosine, levels: 10))
    }

    @Test("The loss is the mean of -log p of the labels of the batch, at its noised points and levels")
    func loss() throws {
        let spec = try ExampleSpecs.decode(Self.quick)
        var run = try run(steps: 5)
        let network = network(run, spec.network)
        var shard = TrainingShard(spec, data: try TrainingData(spec))
        var sum = 0.0
        for index in 0..<spec.shards {
            shard.draw(index: index, iteration: 5)
            for row in 0..<spec.shard {
                let found = try network.classify(
                    points: Array(shard.points[2 * row..<2 * row + 2]), level: Int(shard.levels[row]))
                sum -= Double(found.logProbabilities[Int(shard.labels[row])])
            }
        }
        try run.step()
        let loss = try #require(run.losses.last)
        #expect((loss - sum / Double(spec.batch)).magnitude < 1e-5 * loss)
    }

    @Test("It begins with every label equally probable, and learns")
    func learning() throws {
        let text = Self.quick.replacing("\"iterations\": 12", with: "\"iterations\": 400")
            .replacing("\"batch\": 16, \"shard\": 4", with: "\"batch\": 64, \"shard\": 16")
        let first = try #require(try run(text, steps: 1).losses.last)
        #expect((first - log(8)).magnitude < 1e-5)
        // The mean entropy of the exact posterior over these ten levels is 1.78; log 8 is 2.08.
        let after = try run(text, steps: 400)
        #expect(after.meanLoss < 1.85, "\(after.meanLoss)")
    }

    /// Trains; stops after `steps` of this session if they are given.
    private func train(
        _ name: String, start: TrainingSession.Start = .fresh, threads: Int, stopAfter steps: Int? = nil
    ) throws {
        var session = try TrainingSession(
            try ExampleSpecs.decode(Self.quick), output: folder(name), threads: threads, start: start)
        var reports = 0
        _ = try session.train(shouldStop: { steps.map { reports > $0 } ?? false }, report: { _ in reports += 1 })
    }

    @Test("Threads and interruptions make no difference to the bytes of the model file")
    func sameBytes() throws {
        try train("whole", threads: 1)
        try train("two", threads: 2)
        #expect(try folder.bytes("two") == folder.bytes("whole"))
        try train("parts", threads: 2, stopAfter: 5)
        #expect(!FileManager.default.fileExists(atPath: folder("parts")))
        try train("parts", start: .resume, threads: 1)
        #expect(try folder.bytes("parts") == folder.bytes("whole"))
        let file = try NetworkFile(path: folder("whole"))
        #expect(file.description == (try ExampleSpecs.decode(Self.quick)).network)
    }

    @Test("The checkpoint of a network with an energy is not that of a classifier")
    func otherKind() throws {
        do {
            var session = try TrainingSession(
                try ExampleSpecs.decode(ExampleSpecs.quick), output: folder("model"), threads: 1, start: .fresh)
            _ = try session.train(shouldStop: { true }, report: { _ in })
        }
        let error = #expect(throws: TrainingError.self) { try train("model", start: .resume, threads: 1) }
        #expect(error?.exitStatus == 65)
        #expect(error?.description.contains("\"network\"") == true)
    }

    @Test("Labels come from a file as well")
    func files() throws {
        let points = try folder.write([0.5, 0, -0.5, 0, 0, 1] as [Float], shape: [3, 2], "points.npy")
        let labels = try folder.write([0, 1, 1] as [Int32], shape: [3], "labels.npy")
        let text = Self.quick.replacing(
            #"{"kind": "distribution", "name": "eight_gaussians", "labels": "component"}"#,
            with: #"{"kind": "npy", "file": "\#(points)", "labels": "\#(labels)"}"#)
        #expect(try run(text.replacing("\"classes\": 8", with: "\"classes\": 2"), steps: 3).meanLoss.isFinite)
        let spec = try ExampleSpecs.decode(text.replacing(labels, with: "none.npy"))
        #expect(throws: TrainingError.self) { try TrainingData(spec) }
    }
}
