import Composition
import EnergyModels
import VectorMath

/// What a density says at some points of one noise level.
func evaluate(_ density: any Density, at points: [[Double]], level: NoiseLevel) throws -> Evaluation {
    var x = LaneMatrix(rows: density.dimension, lanes: points.count)
    for (lane, point) in points.enumerated() {
        for row in 0..<density.dimension { x[row, lane] = point[row] }
    }
    var evaluator = density.evaluator(lanes: points.count, at: level)
    var evaluation = Evaluation(dimension: density.dimension, lanes: points.count)
    try evaluator.evaluate(at: x, into: &evaluation)
    return evaluation
}

/// The largest difference between the score and central differences of the log density (of fourth
/// order), relative to the larger of 1 and the score's size. A right density stays under 1e-6.
func worstScoreError(of density: any Density, at points: [[Double]], level: NoiseLevel) throws -> Double {
    let step = 2e-3 * level.noise
    let score = try evaluate(density, at: points, level: level).score
    var worst = 0.0
    for axis in 0..<density.dimension {
        func shifted(_ steps: Double) throws -> [Double] {
            let moved = points.map { point in
                var moved = point
                moved[axis] += steps * step
                return moved
            }
            return try evaluate(density, at: moved, level: level).logDensity
        }
        let (far, near, back, backFar) = try (shifted(2), shifted(1), shifted(-1), shifted(-2))
        for lane in points.indices {
            let slope = (8 * (near[lane] - back[lane]) - (far[lane] - backFar[lane])) / (12 * step)
            let size = (0..<density.dimension).reduce(1.0) { max($0, score[$1, lane].magnitude) }
            let error = (slope - score[axis, lane]).magnitude / size
            worst = error.isNaN ? .infinity : max(worst, error)
        }
    }
    return worst
}

/// The models, levels and points that the tests of this target share.
enum Scene {
    static let levels = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100)).levels

    static let models: [String: any Density] = [
        "a": Gaussian(mean: [0.3, -0.4], covariance: [[0.5, 0.2], [0.2, 0.4]]),
        "b": GaussianMixture(
            means: [[0.5, 0.5], [-0.7, 0.1]], standardDeviations: [[0.3, 0.5], [0.4, 0.2]], weights: [1, 3]),
        "c": UniformBox(low: [-0.5, -1], high: [0.8, 1]),
        "d": Gaussian(mean: [-1, 1], covariance: [[2, 0], [0, 3]]),
    ]

    /// Tells which of the components of "b" made a point, by Bayes' rule; and a network that tells three labels apart.
    static let classifiers: [String: any Classifier] = [
        "bayes": BayesClassifier(
            components: [
                Gaussian(mean: [0.5, 0.5], covariance: [[0.09, 0], [0, 0.25]]),
                Gaussian(mean: [-0.7, 0.1], covariance: [[0.16, 0], [0, 0.04]]),
            ], weights: [0.25, 0.75]),
        "net": NetworkClassifier.arbitrary,
    ]

    /// 40 points that fill [-1.5, 1.5]^2 evenly.
    static let points: [[Double]] = (1...40).map { index in
        [2.0, 3].map { prime in
            3 * (Double(index) * prime.squareRoot()).truncatingRemainder(dividingBy: 1) - 1.5
        }
    }

    static func density(_ expression: TargetExpression) throws -> any Density {
        try expression.density(models: models, classifiers: classifiers)
    }

    /// The evaluation of one of the models.
    static func leaf(_ name: String, level: NoiseLevel) throws -> Evaluation {
        try evaluate(try density(.leaf(name)), at: points, level: level)
    }
}
