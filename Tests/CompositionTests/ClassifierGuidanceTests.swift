import Composition
import EnergyModels
import Foundation
import Testing
import VectorMath

private let (a, b, c, d) = (
    TargetExpression.leaf("a"), TargetExpression.leaf("b"), TargetExpression.leaf("c"), TargetExpression.leaf("d")
)

private func guided(
    _ of: TargetExpression, by: String = "bayes", label: Int = 0, scale: Double = 1
) -> TargetExpression {
    .classifier(of: of, by: by, label: label, scale: scale)
}

/// A guided density whose score adds the slope of the label's logit, where the energy adds its log probability: the
/// mean of all slopes is not taken off. For the tests alone: it must be found out.
private struct UncentredGuidance: Density {
    let of: any Density
    let component: any Density
    let logProbability: any Density

    var shape: PointShape { of.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(terms: [of, component, logProbability].map { $0.evaluator(lanes: lanes, at: level) })
    }

    struct Evaluator: DensityEvaluator {
        var terms: [any DensityEvaluator]

        mutating func move(to level: NoiseLevel) {
            for index in terms.indices { terms[index].move(to: level) }
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            var parts = terms.map { _ in Evaluation(dimension: x.rows, lanes: x.lanes) }
            for index in terms.indices { try terms[index].evaluate(at: x, into: &parts[index]) }
            evaluation.score.setScaled(1, parts[0].score)
            evaluation.score.add(1, parts[1].score)
            for lane in 0..<x.lanes {
                evaluation.logDensity[lane] = parts[0].logDensity[lane] + parts[2].logDensity[lane]
            }
        }
    }
}

@Suite("Guidance by classifiers")
struct ClassifierGuidanceTests {
    private static let expressions: [String: TargetExpression] = [
        "guided": guided(b), "guided to the other": guided(b, label: 1, scale: 2.5),
        "guided away": guided(a, scale: -0.7), "guided by nothing": guided(a, scale: 0),
        "guided twice": guided(guided(d), label: 1, scale: 0.3),
        "a mixture of guided ones": .mixture(
            [guided(b), guided(b, label: 1)], weights: [1, 2], logNormalizers: [0, 0.5]),
        "not the guided one": .negation(of: a, by: guided(b, scale: 1.5), weight: 0.4),
        "a guided product within bounds": .bounded(
            of: guided(.product([a, c], weights: [1, 0.5])), low: [-9, -9], high: [9, 9]),
        "guided and tempered": .tempered(
            of: guided(.sharpenedMixture([a, b], sharpness: 2, logNormalizers: [0, 0])), temperature: 2),
    ]

    @Test("The score of a guided density is the gradient of its log density", arguments: expressions.keys.sorted())
    func gradients(name: String) throws {
        let density = try Scene.density(try #require(Self.expressions[name]))
        for index in [2, 20, 60, 99] {
            #expect(
                try worstScoreError(of: density, at: Scene.points, level: Scene.levels[index]) < 1e-6, "level \(index)")
        }
    }

    @Test("So it is with a network, as far as single precision tells", arguments: [1, -2.0, 30])
    func networks(scale: Double) throws {
        // Differences over steps of 0.02 of numbers that are right to 1e-7 or so.
        for label in 0..<3 {
            for index in [2, 60, 99] {
                let level = Scene.levels[index]
                let density = try Scene.density(guided(d, by: "net", label: label, scale: scale))
                let step = 0.02
                let score = try evaluate(density, at: Scene.points, level: level).score
                for axis in 0..<2 {
                    let sides = try [step, -step].map { step in
                        let moved = Scene.points.map { point in
                            axis == 0 ? [point[0] + step, point[1]] : [point[0], point[1] + step]
                        }
                        return try evaluate(density, at: moved, level: level).logDensity
                    }
                    for lane in Scene.points.indices {
                        let slope = (sides[0][lane] - sides[1][lane]) / (2 * step)
                        let error = (slope - score[axis, lane]).magnitude
                        #expect(error < 2e-3 * scale.magnitude, "level \(index), label \(label)")
                    }
                }
            }
        }
    }

    @Test("A score that adds the slope of the logit alone is found out")
    func uncentred() throws {
        let bayes = try #require(Scene.classifiers["bayes"] as? BayesClassifier)
        for index in [2, 20, 60] {
            let wrong = UncentredGuidance(
                of: try Scene.density(b), component: bayes.components[0], logProbability: bayes.logProbability(of: 0))
            #expect(try worstScoreError(of: wrong, at: Scene.points, level: Scene.levels[index]) > 1e-2)
        }
    }

    @Test("It is the sum of the log density and scale times the log probability", arguments: [1, 0.5, -2, 30.0])
    func formula(scale: Double) throws {
        for (by, label) in [("bayes", 1), ("net", 2)] {
            let level = Scene.levels[30]
            let of = try Scene.leaf("a", level: level)
            let term = try evaluate(
                try #require(Scene.classifiers[by]).logProbability(of: label), at: Scene.points, level: level)
            let found = try evaluate(
                try Scene.density(guided(a, by: by, label: label, scale: scale)), at: Scene.points, level: level)
            for lane in Scene.points.indices {
                let expected = of.logDensity[lane] + scale * term.logDensity[lane]
                #expect((found.logDensity[lane] - expected).magnitude < 1e-12 * (1 + expected.magnitude))
                for axis in 0..<2 {
                    let expected = of.score[axis, lane] + scale * term.score[axis, lane]
                    #expect((found.score[axis, lane] - expected).magnitude < 1e-12 * (1 + expected.magnitude))
                }
            }
        }
    }

    /// Two Gaussians of one width at one level of ten, and the network whose logits are their posterior's there.
    private struct Pair {
        let level = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10)).levels[4]
        let means = [[0.6, -0.2], [-0.5, 0.4]]
        let deviation = 0.3
        let weights = [0.3, 0.7]

        /// How far the guided mixture is from the wanted component plus the logarithm of its weight: in log density,
        /// and in score relative to the largest.
        func error(wanted: Int, label: Int) throws -> (logDensity: Double, score: Double) {
            // log w_k + l_k is linear in x but for what all components have in common.
            let variance = level.signalVariance * deviation * deviation + level.noiseVariance
            let slopes = means.map { $0.map { level.signal * $0 / variance } }
            let biases = zip(means, weights).map { mean, weight in
                log(weight) - level.signalVariance * mean.reduce(0) { $0 + $1 * $1 } / (2 * variance)
            }
            let mixture = GaussianMixture(
                means: means, standardDeviations: means.map { _ in [deviation, deviation] }, weights: weights)
            let density = try guided(.leaf("mixture"), by: "posterior", label: label).density(
                models: ["mixture": mixture],
                classifiers: ["posterior": NetworkClassifier.linear(weights: slopes, biases: biases, levels: 10)])
            let square = deviation * deviation
            let component = Gaussian(mean: means[wanted], covariance: [[square, 0], [0, square]])
            let found = try evaluate(density, at: Scene.points, level: level)
            let exact = try evaluate(component, at: Scene.points, level: level)
            let scale = exact.score.elements.map(\.magnitude).max() ?? 0
            return (
                zip(found.logDensity, exact.logDensity).map { ($0 - $1 - log(weights[wanted])).magnitude }.max() ?? 0,
                zip(found.score.elements, exact.score.elements).map { ($0 - $1).magnitude / scale }.max() ?? 0
            )
        }
    }

    @Test("A network that is the posterior turns a mixture into the component, at scale 1")
    func bayes() throws {
        let pair = Pair()
        for wanted in 0...1 {
            let error = try pair.error(wanted: wanted, label: wanted)
            #expect(error.logDensity < 1e-5 && error.score < 1e-6, "\(error)")
        }
    }

    @Test("The wrong label is found out")
    func wrongLabel() throws {
        let error = try Pair().error(wanted: 0, label: 1)
        #expect(error.logDensity > 1 && error.score > 0.1)
    }

    @Test("So it does at every level with a classifier that is the posterior at every level", arguments: [0, 30, 99])
    func everyLevel(index: Int) throws {
        let level = Scene.levels[index]
        let bayes = try #require(Scene.classifiers["bayes"] as? BayesClassifier)
        for label in 0...1 {
            let found = try evaluate(try Scene.density(guided(b, label: label)), at: Scene.points, level: level)
            let exact = try evaluate(bayes.components[label], at: Scene.points, level: level)
            for lane in Scene.points.indices {
                let expected = exact.logDensity[lane] + log(bayes.weights[label])
                #expect((found.logDensity[lane] - expected).magnitude < 1e-12 * (1 + expected.magnitude))
                for axis in 0..<2 {
                    let size = 1 + exact.score[axis, lane].magnitude
                    #expect((found.score[axis, lane] - exact.score[axis, lane]).magnitude < 1e-11 * size)
                }
            }
        }
    }

    @Test("A classifier that says nothing of a point makes it one without numbers")
    func notANumber() throws {
        let huge = NetworkClassifier.linear(weights: [[3e38, 0], [0, 0]], biases: [0, 0], levels: 100)
        let density = try guided(a, by: "huge").density(models: Scene.models, classifiers: ["huge": huge])
        // At 10 the logit is beyond single precision; at 0.5 it is 1.5e38, and its probability 1.
        let found = try evaluate(density, at: [[10, 0], [0.5, 0]], level: Scene.levels[30])
        #expect(!found.logDensity[0].isFinite)
        let exact = try evaluate(try Scene.density(a), at: [[10, 0], [0.5, 0]], level: Scene.levels[30])
        #expect(found.logDensity[1] == exact.logDensity[1])
        #expect(found.score[0, 1] == exact.score[0, 1])
    }

    @Test("A classifier that is not there is named, and one that is no density is none")
    func unknown() {
        for tree in [
            guided(a, by: "nobody"), .tempered(of: guided(guided(a, by: "nobody")), temperature: 2),
            .negation(of: a, by: .leaf("nobody"), weight: 1),
        ] {
            let error = #expect(throws: UnknownModel.self) {
                try tree.density(models: Scene.models, classifiers: Scene.classifiers)
            }
            #expect(error?.name == "nobody")
        }
        #expect(throws: UnknownModel.self) { try Scene.density(.leaf("bayes")) }
        #expect(throws: UnknownModel.self) { try Scene.density(guided(a, by: "b")) }
    }

    @Test("Bounds, weights and names pass through")
    func structure() {
        let box = TargetExpression.bounded(of: a, low: [0, 0], high: [1, 2])
        #expect(guided(box).bounds == Bounds(low: [0, 0], high: [1, 2]))
        #expect(guided(a).bounds == nil)
        #expect(guided(.product([a, b], weights: [1, 0.5])).totalWeight == 1.5)
        #expect(TargetExpression.negation(of: a, by: guided(b, scale: -3), weight: 0.25).totalWeight == 0.75)
        #expect(!guided(a, scale: -1).subtracts && guided(.negation(of: a, by: b, weight: 1)).subtracts)
        #expect(guided(.product([a, b], weights: [1, 1])).leaves == ["a", "b", "bayes"])
        #expect(guided(.product([a, b], weights: [1, 1])).occurrences == 3)
        let walled = TargetExpression.mixture([box, b], weights: [1, 1], logNormalizers: [0, 0])
        #expect(guided(walled).hasBoundsWithinMixture && !guided(box).hasBoundsWithinMixture)
    }
}
