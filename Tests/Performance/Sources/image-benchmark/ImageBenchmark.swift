import ArgumentParser
import CAllocationCount
import Foundation
import Measurement
import TensorGraph

@main
struct ImageBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image-benchmark",
        abstract: "Times an image network's energy and gradient on one core beside sgemm.",
        discussion: "The network is that of sprites: 32 x 32 pixels, 2 million parameters.")

    @Option(help: "Turns that each measurement takes.")
    var repeats = 5

    @Option(help: "Seconds that a turn takes at least.")
    var seconds = 0.5

    @Option(parsing: .upToNextOption, help: "Images that are evaluated together.")
    var rows = [1, 8, 32]

    @Option(help: "Images that go through the network at a time.")
    var group = 8

    func run() throws {
        print("Energy and gradient on one core, medians (least to most).")
        print("  rows   evaluations/s              GFLOP/s   sgemm 512^3   ratio   MB   allocations")
        for rows in rows { measure(rows: rows) }
    }

    private func measure(rows: Int) {
        let group = min(rows, group)
        let network = ImageNetwork()
        let (plan, operations) = network.plan(rows: group)
        let execution = Execution(plan)
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
        for _ in 0..<10 { execution.run() }
        let allocations = Double(rrr_allocations() - before) / 10
        let best = rates[1].sorted.last ?? .nan
        print(
            String(
                format: "%6d %10.1f (%.1f to %.1f) %12.1f %13.1f %7.3f %4d %13.1f", rows, rates[0].median,
                rates[0].sorted.first ?? .nan, rates[0].sorted.last ?? .nan, rates[0].median * operations * 1e-9,
                best * 1e-9, rates[0].median * operations / best, plan.numbers * 4 / 1_000_000, allocations))
        print(String(format: "       %.3f GFLOP an image", operations * 1e-9))
    }
}
