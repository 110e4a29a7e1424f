import Composition
import EnergyModels
import Sampling
import Testing

private let schedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10))

private func plan(
    _ target: TargetExpression, _ kind: SamplerSettings.Kind, stepSize: Double, boxes: [String: Bounds] = [:],
    refinement: RefinementSettings? = nil, denoise: Bool = false, draws: Int = 1
) throws -> SamplingPlan {
    var models: [String: any Density] = boxes.mapValues { UniformBox(low: $0.low, high: $0.high) }
    models["normal"] = Gaussian(mean: [0], covariance: [[1]])
    return SamplingPlan(
        density: try target.density(models: models), bounds: target.bounds,
        walls: refinement.flatMap { _ in target.bounds(ofModels: boxes) },
        boxes: target.boxes(ofModels: refinement == nil ? [:] : boxes), schedule: schedule,
        settings: SamplerSettings(
            kind: kind, transitions: 5, stepSize: .constant(stepSize), levels: 0...9, denoise: denoise,
            refinement: refinement),
        seed: 1, lanes: 64, draws: draws)
}

private func finished(_ plan: SamplingPlan, index: Int = 0) throws -> BlockResult {
    var block = ChainBlock(plan: plan, index: index)
    while try block.advance() {}
    return block.result(chains: plan.lanes)
}

@Suite("Draws as floats")
struct DrawRoundingTests {
    @Test("A draw that is not finite as a float is counted, though its chain is", arguments: [false, true])
    func infiniteDraws(denoise: Bool) throws {
        // Steps this long throw a chain away by a factor at every transition.
        let settings = SamplerSettings(
            kind: .ula, transitions: 5, stepSize: .constant(5), levels: 0...49, denoise: denoise)
        let plan = SamplingPlan(
            density: Gaussian(mean: [0], covariance: [[1]]),
            schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 50)), settings: settings, seed: 1,
            lanes: 64)
        let result = try finished(plan)
        #expect(result.samples.allSatisfy { !$0.isFinite })
        #expect(result.logDensity.allSatisfy { $0.isFinite })
        #expect(result.divergences.allSatisfy { $0 == 1 })
    }

    @Test("A draw within bounds lies within them as a float", arguments: [SamplerSettings.Kind.mala, .ula])
    func bounds(kind: SamplerSettings.Kind) throws {
        let target = TargetExpression.bounded(of: .leaf("normal"), low: [0.1], high: [0.10001])
        let plan = try plan(target, kind, stepSize: 1e-9, draws: 4)
        let draws = try (0..<100).flatMap { try finished(plan, index: $0).samples.map(Double.init) }
        // Floats are so few there that about one draw in 2 700 is rounded to one beyond a wall.
        #expect(draws.allSatisfy { 0.1 <= $0 && $0 <= 0.10001 })
        #expect(Double(Float(0.10001)) > 0.10001)
        #expect(Set(draws).contains(Double(Float(0.10001).nextDown)))
    }

    @Test("So it is with the boxes of a mixture's parts, and with walls that there are without noise")
    func boxes() throws {
        let parts = [Bounds(low: [0.1], high: [0.10001]), Bounds(low: [0.100012], high: [0.10002])]
        let mixture = TargetExpression.mixture(
            parts.map { .bounded(of: .leaf("normal"), low: .init($0.low), high: .init($0.high)) }, weights: [1, 1],
            logNormalizers: [0, 0])
        let walled = TargetExpression.product([.leaf("normal"), .leaf("box")], weights: [1, 1])
        let refinement = RefinementSettings(levels: 1, transitions: 3, stepSizes: [1e-9])
        let box = Bounds(low: [0.1], high: [0.10001])
        for (plan, boxes) in [
            (try plan(mixture, .mala, stepSize: 1e-9, draws: 20), parts),
            (try plan(walled, .ula, stepSize: 1e-9, boxes: ["box": box], refinement: refinement, draws: 20), [box]),
        ] {
            var inside = 0
            for index in 0..<40 {
                for draw in try finished(plan, index: index).samples.map(Double.init) {
                    // Nothing lies in the ring of a float's width around a box.
                    for box in boxes where draw > box.low[0] - 3e-8 && draw < box.high[0] + 3e-8 {
                        inside += 1
                        #expect(draw >= box.low[0] && draw <= box.high[0])
                    }
                }
            }
            #expect(inside > 1_000)
        }
    }

    @Test("A box without a float in it is known as such")
    func emptyOfFloats() {
        #expect(Bounds(low: [0, 0.1], high: [1, 0.1 + 1e-10]).axisWithoutFloats == 1)
        #expect(Bounds(low: [0, 0.1], high: [1, 0.1 + 1e-8]).axisWithoutFloats == nil)
        #expect(Bounds(low: [1e6 + 0.01], high: [1e6 + 0.05]).axisWithoutFloats == 0)
        #expect(Bounds(low: [1e6], high: [1e6 + 1e-9]).axisWithoutFloats == nil)
    }
}
