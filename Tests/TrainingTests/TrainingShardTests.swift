import EnergyModels
import Foundation
import Testing

@testable import Training

@Suite("Batches")
struct TrainingShardTests {
    private func batch(_ spec: TrainingSpec, iteration: Int) throws -> TrainingBatch {
        var shard = TrainingShard(spec, data: try TrainingData(spec))
        var whole = TrainingBatch()
        for index in 0..<spec.shards {
            shard.draw(index: index, iteration: iteration)
            whole.points += shard.points
            whole.noise += shard.noise
            whole.levels += shard.levels
            whole.labels += shard.labels
        }
        return whole
    }

    private struct TrainingBatch: Equatable {
        var points: [Float] = []
        var noise: [Float] = []
        var levels: [Int32] = []
        var labels: [Int32] = []
    }

    @Test("A batch depends on the seed and the iteration, not on how it is cut or on what was drawn before")
    func addressed() throws {
        var spec = try ExampleSpecs.decode(ExampleSpecs.quick)
        let reference = try batch(spec, iteration: 7)
        for shard in [1, 2, 8, 16] {
            spec.shard = shard
            #expect(try batch(spec, iteration: 7) == reference)
        }
        #expect(try batch(spec, iteration: 8) != reference)
        spec.seed += 1
        #expect(try batch(spec, iteration: 7) != reference)
    }

    @Test("Taking the noise away leaves the data; no two rows or iterations share their noise")
    func noising() throws {
        let spec = try ExampleSpecs.spec(
            data: #"{"kind": "gaussian_mixture", "means": [[3, -1]], "std": 1e-9}"#,
            more: #", "batch": 500, "shard": 100"#)
        let levels = NoiseSchedule(spec.network.schedule).levels
        var noises: Set<Float> = []
        for iteration in 0..<2 {
            let batch = try batch(spec, iteration: iteration)
            for row in 0..<500 {
                let level = levels[Int(batch.levels[row])]
                for (i, mean) in [3.0, -1].enumerated() {
                    let noise = batch.noise[2 * row + i]
                    noises.insert(noise)
                    let signal = Double(batch.points[2 * row + i]) - level.noise * Double(noise)
                    #expect((signal - level.signal * mean).magnitude < 2e-6)
                }
            }
        }
        // 2 000 floats may meet by chance: with 24 bits each, one in ten times.
        #expect(noises.count > 1990)
    }

    @Test("Levels are uniform, noise is standard normal, and one label in ten is hidden")
    func frequencies() throws {
        var spec = try ExampleSpecs.decode(ExampleSpecs.quick)
        spec.batch = 20_000
        spec.shard = 20_000
        let batch = try batch(spec, iteration: 0)
        // Each bound is five standard errors: probability 6e-7 apiece for a right sampler.
        for level in 0..<10 {
            let count = batch.levels.count { $0 == Int32(level) }
            #expect((Double(count) / 20_000 - 0.1).magnitude < 5 * (0.1 * 0.9 / 20_000).squareRoot())
        }
        let hidden = batch.labels.count { $0 == 8 }
        #expect((Double(hidden) / 20_000 - 0.1).magnitude < 5 * (0.1 * 0.9 / 20_000).squareRoot())
        let noise = batch.noise.map { Double($0) }
        #expect((noise.reduce(0, +) / 40_000).magnitude < 5 / 200)
        let square: Double = noise.map { $0 * $0 }.reduce(0, +) / 40_000
        #expect((square - 1).magnitude < 5 * (2.0 / 40_000).squareRoot())
        // What is drawn for one purpose says nothing about another.
        var spread = 0.0
        for row in 0..<20_000 { spread += (Double(batch.levels[row]) - 4.5) * noise[2 * row] }
        #expect((spread / 20_000).magnitude < 5 * (8.25 / 20_000).squareRoot())
    }
}
