import ArgumentParser
import CAllocationCount
import Foundation
import Measurement
import TensorGraph

@main
struct ImageBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image-benchmark",
        abstract: "Times an image network's energy and gradient on one core beside sgemm.")

    /// The networks that can be timed.
    enum Kind: String, ExpressibleByArgument {
        case sprites, clevr

        var network: ImageNetwork {
            switch self {
            case .sprites: ImageNetwork()
            case .clevr:
                ImageNetwork(
                    size: 64, width: 128, multipliers: [1, 2, 3, 4], blocks: 3, attention: [32, 16, 8],
                    headChannels: 64, groups: 32)
            }
        }
    }

    @Option(
        help: """
            sprites: 32 x 32 pixels, 2 million parameters. clevr: that of reduce_reuse_recycle, 64 x 64 pixels, 125 \
            million parameters.
            """)
    var network = Kind.sprites

    @Option(help: "Turns that each measurement takes.")
    var repeats = 5

    @Option(help: "Seconds that a turn takes at least.")
    var seconds = 0.5

    @Option(parsing: .upToNextOption, help: "Images that are evaluated together.")
    var rows = [1, 8, 32]

    @Option(help: "Images that go through the network at a time.")
    var group = 8

    @Flag(help: "One JSON object on standard output instead of the table.")
    var json = false

    /// What was measured of so many images together.
    private struct Measured {
        let rows: Int
        /// Evaluations a second; an image counts as one.
        let evaluations: Rates
        /// Floating-point operations a second of multiplies of 512 x 512 matrices.
        let square: Rates
        /// Floating-point operations of an image's products.
        let operations: Double
        let megabytes: Int
        let allocations: Double

        /// The rate of the evaluation's products as a part of the best that sgemm reached.
        var fraction: Double { evaluations.median * operations / (square.sorted.last ?? .nan) }
    }

    func run() throws {
        if !json {
            print("Energy and gradient on one core, medians (least to most).")
            print("  rows   evaluations/s              GFLOP/s   sgemm 512^3   ratio   MB   allocations")
        }
        var all: [Measured] = []
        for rows in rows {
            all.append(try measure(rows: rows))
            if !json { show(all[all.count - 1]) }
        }
        guard json else { return }
        func object(_ number: (Measured) -> Double) -> String {
            "{" + all.map { "\"\($0.rows)\": \(number($0))" }.joined(separator: ", ") + "}"
        }
        print(
            "{\"evaluations_per_second\": \(object { $0.evaluations.median }), "
                + "\"sgemm_fraction\": \(object(\.fraction))}")
    }

    private func measure(rows: Int) throws -> Measured {
        let group = min(rows, group)
        let (plan, operations) = network.network.plan(rows: group)
        let execution = try Execution(plan)
        execution.setInput(1) { span in for place in 0..<span.count { span[place] = Float(place % 7) * 0.1 - 0.3 } }
        execution.runLevel()
        execution.setInput(0) { span in
            for place in 0..<span.count { span[place] = Float((place &* 7919) % 199 - 99) * 0.01 }
        }
        let squares = ReferenceMultiply(rows: 512, inner: 512, columns: 512, transposingRight: false)
        let rates = Rates.inTurns(
            repeats: repeats, seconds: seconds,
            [
                {
                    for _ in 0..<rows / group { execution.run() }
                    return Double(rows)
                },
                {
                    squares.run()
                    return 2 * 512 * 512 * 512
                },
            ])
        let before = rrr_allocations()
        for _ in 0..<3 { execution.run() }
        return Measured(
            rows: rows, evaluations: rates[0], square: rates[1], operations: operations,
            megabytes: plan.numbers * 4 / 1_000_000, allocations: Double(rrr_allocations() - before) / 3)
    }

    private func show(_ measured: Measured) {
        let rates = measured.evaluations
        print(
            String(
                format: "%6d %10.2f (%.2f to %.2f) %12.1f %13.1f %7.3f %4d %13.1f", measured.rows, rates.median,
                rates.sorted.first ?? .nan, rates.sorted.last ?? .nan, rates.median * measured.operations * 1e-9,
                (measured.square.sorted.last ?? .nan) * 1e-9, measured.fraction, measured.megabytes,
                measured.allocations))
        print(String(format: "       %.3f GFLOP an image", measured.operations * 1e-9))
    }
}
