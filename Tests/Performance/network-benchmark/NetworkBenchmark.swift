import ArgumentParser
import CAllocationCount
import EnergyModels
import Foundation
import Measurement
import TensorGraph
import Training
import VectorMath

@main
struct NetworkBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network-benchmark",
        abstract: "Times a network's energy and gradient, and a training step, on one core beside sgemm.")

    @Option(help: "Turns that each measurement takes.")
    var repeats = 5

    @Option(help: "Seconds that a turn takes at least.")
    var seconds = 0.5

    @Flag(help: "One JSON object on standard output instead of the table.")
    var json = false

    /// The network of the two-dimensional experiments.
    private static let description = NetworkDescription(
        architecture: .init(dimension: 2, hidden: 128, widen: 2, blocks: 4, embedding: 32, levels: 100),
        energy: .init(kind: .denoising), schedule: .init(kind: .cosine, levels: 100))

    func run() throws {
        let description = Self.description
        let parameters: [[Float]] = description.architecture.parameters.enumerated().map { place, parameter in
            (0..<parameter.shape.reduce(1, *)).map { index -> Float in
                Float((index * 37 + place * 11) % 101 - 50) * 1e-3
            }
        }
        var report = Report()
        if !json { print(Report.heading) }
        for rows in [1, 8, 64, 256, 1024] {
            report.rows.append(measure(Network(description: description, parameters: parameters), rows: rows))
            if !json { print(report.line(report.rows.count - 1)) }
        }
        report.training = try training()
        print(json ? report.json : report.trainingLine)
    }

    /// Energy and gradient beside the multiplies of the same shapes and of 512 x 512 matrices.
    private func measure(_ network: Network, rows: Int) -> Report.Row {
        let level = NoiseSchedule(network.description.schedule).levels[3]
        var evaluator = network.density().evaluator(lanes: rows, at: level)
        let points = LaneMatrix(rows: 2, lanes: rows, repeating: 0.25)
        var evaluation = Evaluation(dimension: 2, lanes: rows)
        try? evaluator.evaluate(at: points, into: &evaluation)
        let before = rrr_allocations()
        for _ in 0..<100 { try? evaluator.evaluate(at: points, into: &evaluation) }
        let allocations = Double(rrr_allocations() - before) / 100

        let shapes = Self.multiplies(network.description.architecture, rows: rows)
        let operations = shapes.reduce(0.0) { $0 + 2 * Double(rows * $1.inner * $1.columns) }
        // Each with its own matrices, as the layers of a network have them.
        let multiplies = shapes.map {
            ReferenceMultiply(rows: rows, inner: $0.inner, columns: $0.columns, transposingRight: $0.transposed)
        }
        let squares = ReferenceMultiply(rows: 512, inner: 512, columns: 512, transposingRight: false)
        let repeats = max(1, 256 / rows)
        let rates = Rates.inTurns(
            repeats: self.repeats, seconds: seconds,
            [
                {
                    for _ in 0..<repeats { try? evaluator.evaluate(at: points, into: &evaluation) }
                    return Double(repeats * rows)
                },
                {
                    for _ in 0..<repeats {
                        for multiply in multiplies { multiply.run() }
                    }
                    return Double(repeats) * operations
                },
                {
                    squares.run()
                    return 2 * 512 * 512 * 512
                },
            ])
        return Report.Row(
            rows: rows, evaluations: rates[0], sameShapes: rates[1], square: rates[2],
            operations: operations / Double(rows), allocations: allocations)
    }

    /// The multiplies of an evaluation: each linear map forward, and its transpose backward.
    private static func multiplies(
        _ architecture: NetworkDescription.Architecture, rows: Int
    ) -> [(inner: Int, columns: Int, transposed: Bool)] {
        guard case .residual(let a) = architecture else { return [] }
        let wide = a.hidden * a.widen
        var maps = [(a.dimension, a.hidden)]
        for _ in 0..<a.blocks { maps += [(a.hidden, wide), (wide, wide), (wide, a.hidden)] }
        maps.append((a.hidden, a.dimension))
        return maps.map { (inner: $0.0, columns: $0.1, transposed: true) }
            + maps.map { (inner: $0.1, columns: $0.0, transposed: false) }
    }

    /// Steps a second, each of a whole batch: drawing it, loss, gradient, Adam and the moving average.
    private func training() throws -> Rates {
        let spec = """
            {"rrr_training": 1, "seed": 1, "architecture": {"kind": "residual_mlp", "dimension": 2, "hidden": 128,
             "widen": 2, "blocks": 4, "embedding": 32, "levels": 100}, "energy": {"kind": "denoising"},
             "schedule": {"kind": "cosine", "levels": 100}, "data": {"kind": "distribution", "name": "eight_gaussians"},
             "iterations": 1000000, "batch": \(Report.batch), "shard": 125, "optimizer": {"learning_rate": 1e-3}}
            """
        var run = try TrainingRun(.decode(Array(spec.utf8), file: "benchmark"), threads: 1)
        var failure: (any Error)?
        let rates = Rates.inTurns(
            repeats: repeats, seconds: seconds,
            [
                {
                    do { try run.step() } catch { failure = error }
                    return 1
                }
            ])
        if let failure { throw failure }
        return rates[0]
    }
}
