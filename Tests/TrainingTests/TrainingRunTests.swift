import EnergyModels
import Testing

@testable import Training

@Suite("Training steps")
struct TrainingRunTests {
    private func run(_ text: String = ExampleSpecs.quick, steps: Int) throws -> TrainingRun {
        let spec = try ExampleSpecs.decode(text)
        var run = try TrainingRun(spec, data: try TrainingData(spec), threads: 2)
        for _ in 0..<steps { try run.step() }
        return run
    }

    @Test("The loss is that of the network at the noised points, levels and labels of the batch")
    func loss() throws {
        let spec = try ExampleSpecs.decode(ExampleSpecs.quick)
        var run = try run(steps: 5)
        var parameters = run.optimizer.parameters[...]
        let network = Network(
            description: spec.network,
            parameters: spec.network.architecture.parameters.map { parameter in
                let count = parameter.shape.reduce(1, *)
                defer { parameters = parameters.dropFirst(count) }
                return Array(parameters.prefix(count))
            })
        var shard = TrainingShard(spec, data: try TrainingData(spec))
        var sum = 0.0
        for index in 0..<spec.shards {
            shard.draw(index: index, iteration: 5)
            for row in 0..<spec.shard {
                let label = shard.labels[row] == 8 ? nil : Int(shard.labels[row])
                let predicted = try network.evaluate(
                    points: Array(shard.points[2 * row..<2 * row + 2]), level: Int(shard.levels[row]), label: label
                ).gradient
                for i in 0..<2 {
                    let residual = Double(predicted[i] - shard.noise[2 * row + i])
                    sum += residual * residual / 2
                }
            }
        }
        try run.step()
        let loss = try #require(run.losses.last)
        #expect((loss - sum / Double(spec.batch)).magnitude < 1e-5 * loss)
    }

    @Test("A gradient beyond the limit is shortened to it, one below is left alone")
    func clipping() throws {
        func moment(clip: String) throws -> [Float] {
            try run(ExampleSpecs.quick.replacing("\"clip_norm\": 1", with: clip), steps: 1).optimizer.firstMoment
        }
        let free = try moment(clip: "\"beta1\": 0.9")
        #expect(try moment(clip: "\"clip_norm\": 1e6") == free)
        // After one step the mean gradient is a tenth of the gradient.
        let short = try moment(clip: "\"clip_norm\": 1e-3")
        #expect((Gradient.norm(short) / 1e-4 - 1).magnitude < 0.002)
        #expect(Gradient.norm(free) > 2e-4)
        let ratio = Float(Gradient.norm(free) / Gradient.norm(short))
        for (a, b) in zip(short, free) { #expect((a * ratio - b).magnitude <= 1e-4 * b.magnitude) }
    }

    @Test("A training learns: the loss falls to less than half of what it starts from")
    func learning() throws {
        let text = ExampleSpecs.quick.replacing("\"iterations\": 12", with: "\"iterations\": 400")
            .replacing("\"batch\": 16, \"shard\": 4", with: "\"batch\": 64, \"shard\": 16")
        let before = try run(text, steps: 3).meanLoss
        let after = try run(text, steps: 400)
        #expect(after.losses.count == TrainingRun.recent)
        #expect(after.meanLoss < before / 2, "\(before) fell to \(after.meanLoss)")
    }

    @Test("A U-Net learns from images in files, with and without their labels, and is a model file then")
    func images() throws {
        let folder = try TemporaryFolder()
        let count = 24
        // Stripes across and along, and their labels.
        let stripes = (0..<count * 16).map { place -> Float in
            let (image, pixel) = (place / 16, place % 16)
            return (image % 2 == 0 ? pixel : pixel / 4) % 2 == 0 ? 1 : -1
        }
        let points = try folder.write(stripes, shape: [count, 1, 4, 4], "images.npy")
        let labels = try folder.write((0..<count).map { Int64($0 % 2) }, shape: [count], "labels.npy")
        let text = """
            {"rrr_training": 1, "seed": 2, "iterations": 60, "batch": 16, "shard": 8,
             "architecture": {"kind": "unet", "size": [4, 4], "channels": 1, "model_channels": 8, "multipliers": [1, 2],
                              "blocks": 1, "attention": [2], "head_channels": 4, "groups": 4, "levels": 10, "classes": 2},
             "data": {"kind": "npy", "file": "\(points)", "labels": "\(labels)"},
             "optimizer": {"learning_rate": 3e-3}}
            """
        let before = try run(text, steps: 3).meanLoss
        let after = try run(text, steps: 60)
        #expect(after.losses.suffix(10).reduce(0, +) / 10 < before / 2)
        let flat = text.replacing("\"size\": [4, 4], \"channels\": 1", with: "\"size\": [2, 4], \"channels\": 2")
        #expect(throws: TrainingError.self) { try run(flat, steps: 1) }
    }
}
