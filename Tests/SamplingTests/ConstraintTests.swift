import Composition
import EnergyModels
import Foundation
import RandomStreams
import Sampling
import Testing
import VectorMath

private let low = [-0.5, -1.0]
private let high = [1.0, 0.3]

/// N(0, I) inside a box, sampled at one level.
private func plan(
    _ kind: SamplerSettings.Kind, acceptance: AcceptanceRule = .energy, stepSize: Double, leapfrogSteps: Int,
    transitions: Int, lanes: Int = 64
) throws -> SamplingPlan {
    let expression = TargetExpression.bounded(of: .leaf("normal"), low: .init(low), high: .init(high))
    let normal: any Density = acceptance.needsEnergy ? standardNormal(2) : ScoreOnly(standardNormal(2))
    return SamplingPlan(
        density: try expression.density(models: ["normal": normal]), hasEnergy: acceptance.needsEnergy,
        bounds: expression.bounds, schedule: singleLevel,
        settings: SamplerSettings(
            kind: kind, acceptance: acceptance, transitions: transitions, leapfrogSteps: leapfrogSteps, damping: 0.5,
            stepSize: .constant(stepSize), levels: 0...0),
        seed: 31, lanes: lanes)
}

/// Mean and variance of a standard normal between two bounds.
private func truncatedMoments(_ a: Double, _ b: Double) -> (mean: Double, variance: Double) {
    func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }
    let mass = 0.5 * (erfc(-b / 2.0.squareRoot()) - erfc(-a / 2.0.squareRoot()))
    let mean = (density(a) - density(b)) / mass
    return (mean, 1 + (a * density(a) - b * density(b)) / mass - mean * mean)
}

@Suite("Constraints")
struct ConstraintTests {
    @Test("No kernel leaves the box, at any transition", arguments: SamplerSettings.Kind.allCases)
    func inside(kind: SamplerSettings.Kind) throws {
        // Steps as large as the box, so that most proposals would leave it.
        let plan = try plan(kind, stepSize: 0.8, leapfrogSteps: 2, transitions: 1)
        var settings = plan.settings
        settings.transitions = kind == .reverse ? 0 : 5
        settings.reverseSteps = true
        settings.levels = 0...9
        let long = SamplingPlan(
            density: plan.density, bounds: plan.bounds,
            schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10)), settings: settings,
            seed: 8, lanes: 64)
        var block = ChainBlock(plan: long, index: 0)
        while try block.advance() {
            for lane in 0..<64 {
                for axis in 0..<2 {
                    #expect((low[axis]...high[axis]).contains(block.state.position[axis, lane]))
                }
                #expect(block.state.evaluation.logDensity[lane].isFinite)
            }
        }
        #expect(block.state.divergences.allSatisfy { $0 == 0 })
    }

    @Test(
        "A bounded Gaussian has the moments of a truncated normal",
        arguments: [
            (SamplerSettings.Kind.mala, AcceptanceRule.energy, 0.3, 1, 30), (.mala, .line(points: 3), 0.3, 1, 30),
            (.hmc, .energy, 0.4, 3, 12), (.hmc, .line(points: 2), 0.4, 3, 12), (.hmc, .path, 0.4, 3, 12),
            (.uhmc, .energy, 0.05, 12, 12),
        ])
    func moments(
        kind: SamplerSettings.Kind, acceptance: AcceptanceRule, stepSize: Double, leapfrogSteps: Int, transitions: Int
    ) throws {
        let plan = try plan(
            kind, acceptance: acceptance, stepSize: stepSize, leapfrogSteps: leapfrogSteps, transitions: transitions,
            lanes: 1024)
        var columns: [[Double]] = [[], []]
        for index in 0..<8 {
            var block = ChainBlock(plan: plan, index: index)
            while try block.advance() {}
            for axis in 0..<2 {
                columns[axis] += block.state.position.elements[axis * 1024..<(axis + 1) * 1024]
            }
        }
        // Four z-scores: false alarm 4 * 2e-7 = 8e-7.
        for axis in 0..<2 {
            let expected = truncatedMoments(low[axis], high[axis])
            #expect(zScore(columns[axis], expected: expected.mean).magnitude < zThreshold)
            let squares = columns[axis].map { ($0 - expected.mean) * ($0 - expected.mean) }
            #expect(zScore(squares, expected: expected.variance).magnitude < zThreshold)
        }
    }

    @Test(
        "Chains that start between the boxes of a mixture get in and stay in",
        arguments: SamplerSettings.Kind.allCases.filter(\.isAdjusted))
    func mixtureOfBoxes(kind: SamplerSettings.Kind) throws {
        let boxes = [(-2.0, -1.0), (1.0, 2.0)].map { low, high in
            TargetExpression.bounded(of: .leaf("normal"), low: [low], high: [high])
        }
        let expression = TargetExpression.mixture(boxes, weights: [1, 1], logNormalizers: [0, 0])
        // Steps of about 0.2: from the middle no single one reaches a box.
        let plan = SamplingPlan(
            density: try expression.density(models: ["normal": standardNormal(1)]), bounds: expression.bounds,
            schedule: singleLevel,
            settings: SamplerSettings(
                kind: kind, transitions: 1, leapfrogSteps: 2, damping: 0.5,
                stepSize: .constant(kind == .mala ? 0.02 : 0.1), levels: 0...0),
            seed: 12, lanes: 256, draws: 400)
        var block = ChainBlock(plan: plan, index: 0)
        _ = try block.advance()
        var wasInside = block.state.evaluation.logDensity.map(\.isFinite)
        var left = 0
        #expect(wasInside.filter { !$0 }.count > 100)
        while try block.advance() {
            let isInside = block.state.evaluation.logDensity.map(\.isFinite)
            left += zip(wasInside, isInside).filter { $0 && !$1 }.count
            wasInside = isInside
        }
        #expect(left == 0)
        #expect(wasInside.allSatisfy { $0 })
        #expect(block.state.position.elements.allSatisfy { (1...2).contains($0.magnitude) })
        #expect(block.state.position.elements.contains { $0 > 0 })
        #expect(block.state.position.elements.contains { $0 < 0 })
    }
}
