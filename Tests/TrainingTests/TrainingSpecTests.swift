import EnergyModels
import Foundation
import StrictJSON
import Testing

@testable import Training

@Suite("Training spec")
struct TrainingSpecTests {
    @Test("what a spec leaves out gets its default")
    func defaults() throws {
        let spec = try ExampleSpecs.decode(ExampleSpecs.smallest)
        #expect(spec.seed == 0)
        #expect(spec.network.energy == .init(kind: .denoising))
        #expect(spec.network.schedule == .init(kind: .cosine, levels: 10))
        #expect(spec.iterations == 100)
        #expect(spec.batch == 1000)
        #expect(spec.shard == 125)
        #expect(spec.ema == 0.999)
        #expect(spec.labelDropout == 0)
        #expect(spec.checkpointEvery == 1000)
        #expect(spec.weights == .float32)
        #expect(
            spec.optimizer
                == OptimizerSettings(
                    learningRate: 1e-3, finalLearningRate: 0, decay: .constant, warmup: 0, beta1: 0.9, beta2: 0.999,
                    epsilon: 1e-8, clipNorm: nil))
    }

    @Test("everything that a spec says is read")
    func everything() throws {
        let spec = try ExampleSpecs.decode(
            """
            {"rrr_training": 1, "seed": "18446744073709551615", "iterations": 7, "batch": 12, "shard": 3, "ema": 0.5,
             "architecture": {"kind": "residual_mlp", "dimension": 1, "hidden": 8, "widen": 2, "blocks": 3, "embedding": 4, "levels": 20, "classes": 2},
             "energy": {"kind": "squared_norm", "scale": 2}, "schedule": {"kind": "linear", "levels": 20},
             "data": {"kind": "gaussian_mixture", "means": [[0], [1]], "std": 0.5, "weights": [1, 3], "labels": "component"},
             "optimizer": {"learning_rate": 0.1, "final_learning_rate": 0.01, "decay": "cosine", "warmup": 2,
                           "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-6, "clip_norm": 2},
             "label_dropout": 0.25, "checkpoint_every": 9, "weights": "float16"}
            """)
        #expect(spec.seed == .max)
        #expect(
            spec.network
                == NetworkDescription(
                    architecture: .init(
                        dimension: 1, hidden: 8, widen: 2, blocks: 3, embedding: 4, levels: 20, classes: 2),
                    energy: .init(kind: .squaredNorm, scale: 2), schedule: .init(kind: .linear(), levels: 20)))
        #expect(
            spec.data
                == .density(
                    .gaussianMixture(means: [[0], [1]], standardDeviations: [[0.5], [0.5]], weights: [1, 3]),
                    labelledByComponent: true))
        #expect(spec.iterations == 7)
        #expect(spec.batch == 12)
        #expect(spec.shard == 3)
        #expect(spec.shards == 4)
        #expect(spec.checkpointEvery == 9)
        #expect(spec.ema == 0.5)
        #expect(spec.labelDropout == 0.25)
        #expect(spec.weights == .float16)
        #expect(
            spec.optimizer
                == OptimizerSettings(
                    learningRate: 0.1, finalLearningRate: 0.01, decay: .cosine, warmup: 2, beta1: 0.8, beta2: 0.9,
                    epsilon: 1e-6, clipNorm: 2))
    }

    @Test("the network's shape may be left out, in all or in part; its dimension is that of the data")
    func usualArchitecture() throws {
        let folder = try TemporaryFolder()
        let points = try folder.write([0, 1, 2, 3, 4, 5] as [Float], shape: [1, 2, 3], "points.npy")
        func architecture(_ more: String) throws -> ResidualNetwork? {
            let spec = try ExampleSpecs.decode("{\"rrr_training\": 1, \"iterations\": 1, \(more)}")
            return if case .residual(let network) = spec.network.architecture { network } else { nil }
        }
        let usual = ResidualNetwork(
            dimension: 2, hidden: 128, widen: 2, blocks: 4, embedding: 32, levels: 100)
        let ring = #""data": {"kind": "distribution", "name": "eight_gaussians"}"#
        #expect(try architecture(ring) == usual)
        #expect(try architecture(ring + #", "architecture": {"kind": "residual_mlp"}"#) == usual)
        #expect(try architecture(ring + #", "architecture": {}"#) == usual)
        var other = usual
        (other.hidden, other.levels) = (16, 30)
        #expect(
            try architecture(ring + #", "architecture": {"hidden": 16}, "schedule": {"kind": "linear", "levels": 30}"#)
                == other)
        other = usual
        other.dimension = 3
        #expect(try architecture("\"data\": {\"kind\": \"npy\", \"file\": \"\(points)\"}") == other)
        let error = #expect(throws: TrainingError.self) {
            try architecture(#""data": {"kind": "npy", "file": "/nowhere/points.npy"}"#)
        }
        #expect(error?.problems.map(\.pointer) == ["/data"])
        #expect(error?.exitStatus == 66)
        #expect(error?.description.contains("/nowhere/points.npy: cannot open") == true)
    }

    @Test(
        "a batch is cut into as many shards as divide it, up to eight",
        arguments: [(1000, 125), (16, 2), (500, 100), (999, 333), (997, 997), (1, 1), (12, 2)])
    func usualShards(batch: Int, shard: Int) throws {
        let text = ExampleSpecs.smallest.replacing("100}", with: "100, \"batch\": \(batch)}")
        #expect(try ExampleSpecs.decode(text).shard == shard)
    }

    @Test("whole numbers may be written as R and NumPy write them, and mean the same training")
    func wholeNumbers() throws {
        let text = ExampleSpecs.quick.replacing("\"iterations\": 12", with: "\"iterations\": 1.2e+01")
            .replacing("\"hidden\": 8", with: "\"hidden\": 8.0").replacing("\"seed\": 3", with: "\"seed\": 3e0")
        #expect(try ExampleSpecs.decode(text) == ExampleSpecs.decode(ExampleSpecs.quick))
    }

    @Test("a network with classes hides a tenth of the labels if nothing else is said")
    func labelDropout() throws {
        #expect(try ExampleSpecs.decode(ExampleSpecs.quick).labelDropout == 0.1)
    }

    @Test("data files are beside the spec, unless their path is absolute")
    func files() throws {
        let text = ExampleSpecs.smallest.replacing(
            #"{"kind": "distribution", "name": "eight_gaussians"}"#, with: #"{"kind": "npy", "file": "points.npy"}"#)
        func data(_ text: String, _ file: String) throws -> DataDescription {
            try ExampleSpecs.decode(text, file: file).data
        }
        #expect(try data(text, "spec.json") == .arrays(points: "points.npy", labels: nil))
        #expect(try data(text, "a/b/spec.json") == .arrays(points: "a/b/points.npy", labels: nil))
        #expect(try data(text, "/spec.json") == .arrays(points: "/points.npy", labels: nil))
        #expect(
            try data(text.replacing("points.npy", with: "/data/p.npy"), "a/spec.json")
                == .arrays(points: "/data/p.npy", labels: nil))
    }

    @Test("faults in different sections are told at once, in the order of the file")
    func severalProblems() throws {
        let text = ExampleSpecs.smallest.replacing("eight_gaussians", with: "nine").replacing("100", with: "0")
        let error = try #require(#expect(throws: TrainingError.self) { try ExampleSpecs.decode(text) })
        #expect(error.problems.map(\.pointer) == ["/data/name", "/iterations"])
        #expect(error.exitStatus == 65)
        #expect(error.description.hasPrefix("spec.json:3: /data/name: "))
    }

    @Test("all that is wrong is told at once, in sections that depend on others too")
    func everyProblem() throws {
        let error = try #require(
            #expect(throws: TrainingError.self) {
                try ExampleSpecs.decode(
                    """
                    {"rrr_training": 1,
                     "architecture": {"kind": "residual_mpl", "hidden": 0, "widen": 1.5, "levles": 10},
                     "data": {"kind": "gaussian", "mean": [0, 0], "covariance": [[1, 2], [2, 1]]},
                     "iterations": -1, "batch": 10, "shard": 3, "ema": 1,
                     "optimizer": {"learning_rate": 0, "beta1": 1, "warmup": -1, "clipnorm": 1}}
                    """)
            })
        #expect(
            Set(error.problems.map(\.pointer)) == [
                "/architecture/kind", "/architecture/hidden", "/architecture/widen", "/architecture/levles",
                "/data/covariance", "/iterations", "/shard", "/ema", "/optimizer/learning_rate", "/optimizer/beta1",
                "/optimizer/warmup", "/optimizer/clipnorm",
            ])
    }

    @Test("a spec that is not there, or a folder, is no input", arguments: ["/nowhere/spec.json", "/"])
    func noInput(path: String) {
        let error = #expect(throws: TrainingError.self) { try TrainingSpec.load(path: path) }
        #expect(error?.exitStatus == 66)
        #expect(error?.description.hasPrefix("\(path): ") == true)
    }

    @Test("the specs of the examples are valid")
    func examples() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Examples/models")
        let specs = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        #expect(specs.count >= 7)
        for spec in specs + ["../images/sprites.train.json"] {
            #expect(throws: Never.self) {
                try TrainingSpec.load(path: folder.appendingPathComponent(spec).path)
            }
        }
    }
}
