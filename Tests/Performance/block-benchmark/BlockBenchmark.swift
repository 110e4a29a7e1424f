import ArgumentParser
import CAllocationCount
import Composition
import EnergyModels
import Foundation
import Measurement
import Sampling
import VectorMath

@main
struct BlockBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block-benchmark",
        abstract: "Times the evaluations of a block of chains beside the same evaluations alone, on one core.")

    @Argument(help: "Model files; the target is their product.")
    var models = ["Examples/models/eight-gaussians.safetensors", "Examples/models/bar.safetensors"]

    @Option(help: "Chains of the block.")
    var lanes = 64

    @Option(help: "Turns that each measurement takes.")
    var repeats = 7

    @Option(help: "Seconds that a turn takes at least.")
    var seconds = 1.0

    private static let heading = """
        Evaluations a second of one block, medians; a chain's counts as one. Alone: the same levels and as many
        evaluations on each, and nothing else.
        kernel  population  transitions      in the block        alone   outside   allocations a unit
        """

    func run() throws {
        let networks = try models.map { try Network(NetworkFile(path: $0)) }
        let names = networks.indices.map(String.init)
        let density = try TargetExpression.product(names.map { .leaf($0) }, weights: names.map { _ in 1 })
            .density(models: Dictionary(uniqueKeysWithValues: zip(names, networks.map { $0.density() })))
        let schedule = NoiseSchedule(networks[0].description.schedule)
        print(Self.heading)
        let kernels: [SamplerSettings.Kernel] = [
            .mala(step: .given(.constant(0.001)), acceptance: .energy),
            .hmc(step: .given(.constant(0.03)), leapfrog: LeapfrogSettings(), acceptance: .energy),
        ]
        for kernel in kernels {
            for (threshold, transitions) in [(nil, 10), (0.5, 10), (0.5, 1)] as [(Double?, Int)] {
                let settings = SamplerSettings(
                    kernel: kernel, transitions: transitions, levels: 0...schedule.levels.count - 1,
                    population: threshold.map { PopulationSettings(threshold: $0) })
                measure(
                    SamplingPlan(density: density, schedule: schedule, settings: settings, seed: 1, lanes: lanes))
            }
        }
    }

    private func measure(_ plan: SamplingPlan) {
        var block = ChainBlock(plan: plan, index: 0)
        var blocks = 1
        /// As many evaluations as a level takes, entered and left at the next.
        func blockLevel() -> Double {
            let before = block.state.evaluations
            for _ in 0...plan.settings.transitions where (try? block.advance()) != true { preconditionFailure() }
            let done = block.state.evaluations - before
            if block.stepsDone == block.steps {
                block = ChainBlock(plan: plan, index: blocks)
                blocks += 1
            }
            return Double(done * lanes)
        }
        var alone = plan.density.evaluator(lanes: lanes, at: plan.schedule.levels[0])
        var level = 0
        let points = block.state.position
        var evaluation = Evaluation(dimension: plan.density.dimension, lanes: lanes)
        let evaluations = 1 + plan.settings.transitions * plan.settings.evaluationsPerTransition
        func evaluateLevel() -> Double {
            level = (level + plan.schedule.levels.count - 1) % plan.schedule.levels.count
            alone.move(to: plan.schedule.levels[level])
            for _ in 0..<evaluations { try? alone.evaluate(at: points, into: &evaluation) }
            return Double(evaluations * lanes)
        }
        let rates = Rates.inTurns(repeats: repeats, seconds: seconds, [blockLevel, evaluateLevel])
        block = ChainBlock(plan: plan, index: 0)
        let before = rrr_allocations()
        for _ in 0..<20 { _ = blockLevel() }
        let allocations = Double(rrr_allocations() - before) / Double(20 * (plan.settings.transitions + 1))
        print(
            plan.settings.kind.rawValue.padding(toLength: 8, withPad: " ", startingAt: 0)
                + (plan.settings.population == nil ? "no" : "yes").padding(toLength: 12, withPad: " ", startingAt: 0)
                + String(
                    format: "%11d  %16.0f %12.0f   %5.1f %%   %18.2f", plan.settings.transitions, rates[0].median,
                    rates[1].median, 100 * (1 - rates[0].median / rates[1].median), allocations))
    }
}
