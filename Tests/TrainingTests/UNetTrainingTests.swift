import EnergyModels
import Foundation
import Testing

@testable import Training

@Suite("Training of U-Nets")
struct UNetTrainingTests {
    /// Numbers that `make_unet_losses.py` has too.
    private static func numbers(_ range: Range<Int>, scale: Double = 1) -> [Float] {
        range.map { k in
            let value = Double(((31 * k + 17) * k + 5) % 65_537) / 65_537 - 0.5
            return Float(scale * 12.0.squareRoot() * value)
        }
    }

    private static func start(_ architecture: NetworkDescription.Architecture) -> [Float] {
        var first = 0
        return architecture.parameters.flatMap { parameter in
            let count = parameter.shape.reduce(1, *)
            defer { first += count }
            let inputs = Double(parameter.shape.dropFirst().reduce(1, *))
            let isVector = parameter.shape.count == 1
            let values = numbers(first..<first + count, scale: isVector ? 0.1 : 1 / inputs.squareRoot())
            return isVector && parameter.name.hasSuffix(".weight") ? values.map { $0 + 1 } : values
        }
    }

    @Test(
        "The first losses are those that JAX has from the same weights, points and noise",
        arguments: ["denoising", "squared_norm", "inner_product", "noise"])
    func losses(kind: String) throws {
        let folder = try TemporaryFolder()
        let points = try folder.write([Float](repeating: 0, count: 128), shape: [1, 2, 8, 8], "points.npy")
        let labels = try folder.write([0] as [Int32], shape: [1], "labels.npy")
        let spec = try ExampleSpecs.decode(
            """
            {"rrr_training": 1, "iterations": 20, "batch": 4, "shard": 2,
             "architecture": {"kind": "unet", "size": [8, 8], "channels": 2, "model_channels": 8, "multipliers": [1, 2],
                              "blocks": 1, "attention": [4], "head_channels": 4, "groups": 4, "levels": 10, "classes": 3},
             "energy": {"kind": "\(kind)", "scale": \(kind == "denoising" ? 0.5 : 1)},
             "data": {"kind": "npy", "file": "\(points)", "labels": "\(labels)"},
             "optimizer": {"learning_rate": 3e-3, "clip_norm": 1}}
            """)
        var run = try TrainingRun(
            spec, data: try TrainingData(spec), threads: 1,
            optimizer: Adam(parameters: Self.start(spec.network.architecture)), losses: [])
        var loss = try TrainingLoss(description: spec.network, rows: spec.shard)
        for step in 0..<20 {
            loss.setParameters(run.optimizer.parameters)
            var sum = 0.0
            var gradient = [Float](repeating: 0, count: loss.parameterCount)
            for shard in 0..<2 {
                let count = 2 * 128
                let first = 2 * step * 4 * 128 + shard * count
                let rows = (step + 2 * shard..<step + 2 * shard + 2).map { Int32($0) }
                var own = gradient
                sum += loss.evaluate(
                    points: Self.numbers(first..<first + count),
                    noise: Self.numbers(first + 4 * 128..<first + 4 * 128 + count), levels: rows.map { 3 * $0 % 10 },
                    labels: rows.map { $0 % 4 }, gradient: &own)
                Gradient.add(own, to: &gradient)
            }
            try run.step(loss: sum, gradient: gradient)
        }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/unet-losses.json")
        let all = try JSONDecoder().decode([String: [Double]].self, from: Data(contentsOf: file))
        let expected = try #require(all[kind])
        #expect(run.losses.count == expected.count)
        for (found, expected) in zip(run.losses, expected) {
            #expect((found - expected).magnitude < 1e-3 * expected, "\(found) for \(expected)")
        }
        // The steps have led somewhere, so that more than the first loss was compared.
        #expect((run.losses[19] - run.losses[0]).magnitude > 0.05 * run.losses[0])
    }

    @Test("A classifier begins with every label equally probable, and learns those of noised images")
    func classifier() throws {
        let folder = try TemporaryFolder()
        let stripes = (0..<24 * 16).map { place -> Float in
            let (image, pixel) = (place / 16, place % 16)
            return (image % 2 == 0 ? pixel : pixel / 4) % 2 == 0 ? 1 : -1
        }
        let points = try folder.write(stripes, shape: [24, 1, 4, 4], "images.npy")
        let labels = try folder.write((0..<24).map { Int64($0 % 2) }, shape: [24], "labels.npy")
        let spec = try ExampleSpecs.decode(
            """
            {"rrr_training": 1, "seed": 2, "iterations": 100, "batch": 16, "shard": 8,
             "architecture": {"kind": "unet_classifier", "size": [4, 4], "channels": 1, "model_channels": 8,
                              "multipliers": [1, 2], "blocks": 1, "attention": [2], "head_channels": 4, "groups": 4,
                              "levels": 10, "classes": 2},
             "data": {"kind": "npy", "file": "\(points)", "labels": "\(labels)"},
             "optimizer": {"learning_rate": 3e-3}}
            """)
        var run = try TrainingRun(spec, data: try TrainingData(spec), threads: 2)
        for _ in 0..<100 { try run.step() }
        #expect((run.losses[0] - log(2)).magnitude < 1e-5)
        let last: Double = run.losses.suffix(10).reduce(0, +) / 10
        // At the noisiest levels there is nothing to tell.
        #expect(last < 0.8 * log(2))
    }

    @Test("A training on sprites has the same bytes for one thread and three, and goes on to them when interrupted")
    func sprites() throws {
        let folder = try TemporaryFolder()
        let spec = try ExampleSpecs.decode(ExampleSpecs.sprites)
        func train(_ name: String, threads: Int, stopAfter steps: Int = .max) throws {
            var session = try TrainingSession(spec, output: folder(name), threads: threads, start: .resume)
            var reports = 0
            _ = try session.train(shouldStop: { reports > steps }, report: { _ in reports += 1 })
        }
        try train("whole", threads: 1)
        try train("parts", threads: 3, stopAfter: 1)
        try train("parts", threads: 2)
        #expect(try folder.bytes("parts") == folder.bytes("whole"))
        let file = try NetworkFile(path: folder("whole"))
        #expect(file.description.architecture.shape.lengths == [3, 32, 32])
    }
}
