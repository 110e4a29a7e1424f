import Composition
import EnergyModels
import Foundation
import RandomStreams
import VectorMath

/// Independent numbers for exact samples: the seed is none that a test gives to a kernel.
private func normals(_ rows: Int, _ firstChain: Int, _ lanes: Int, transition: Int = 0) -> LaneMatrix {
    var x = LaneMatrix(rows: rows, lanes: lanes)
    RandomStream(seed: 77, firstChain: firstChain)
        .fillNormals(&x, purpose: .initialPosition, level: 0, transition: transition)
    return x
}

private func uniforms(_ firstChain: Int, _ lanes: Int) -> [Double] {
    var u = [Double](repeating: 0, count: lanes)
    RandomStream(seed: 77, firstChain: firstChain).fillUniforms(&u, purpose: .acceptance, level: 0)
    return u
}

/// x_t = signal x_0 + noise eps: samples of a level from samples of the data.
private func noised(_ data: LaneMatrix, at level: NoiseLevel, _ firstChain: Int) -> LaneMatrix {
    var x = normals(data.rows, firstChain, data.lanes, transition: 1)
    x.combine(level.signal, data, keeping: level.noise)
    return x
}

/// The paper's schedule.
let cosineSchedule = NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 100))

/// A schedule of one level, for densities that do not depend on it.
let singleLevel = NoiseSchedule(ScheduleDescription(kind: .linear(), levels: 1))

/// N(0, I), which is N(0, I) at every level.
func standardNormal(_ dimension: Int) -> any Density {
    Gaussian(
        mean: [Double](repeating: 0, count: dimension),
        covariance: (0..<dimension).map { i in (0..<dimension).map { $0 == i ? 1 : 0 } })
}

enum ExactCases {
    static let standard = ExactCase(
        name: "standard Gaussian", density: standardNormal(2), level: singleLevel.levels[0]
    ) { normals(2, $0, $1) }

    /// Data 1.2 z1 and 0.5 z1 + 0.4 z2, so variances 1.44 and 0.41 and covariance 0.6.
    static let correlated: ExactCase = {
        let level = cosineSchedule.levels[15]
        let density = Gaussian(mean: [0.4, -0.2], covariance: [[1.44, 0.6], [0.6, 0.41]])
        return ExactCase(name: "correlated Gaussian", density: density, level: level) { firstChain, lanes in
            let z = normals(2, firstChain, lanes)
            var data = LaneMatrix(rows: 2, lanes: lanes)
            for lane in 0..<lanes {
                data[0, lane] = 0.4 + 1.2 * z[0, lane]
                data[1, lane] = -0.2 + 0.5 * z[0, lane] + 0.4 * z[1, lane]
            }
            return noised(data, at: level, firstChain)
        }
    }()

    /// Two modes about eight of their standard deviations apart, one narrower than the other.
    static let mixture = mixture("mixture", [[1.2, 0.0], [-1.2, 0.5]], [[0.25, 0.4], [0.35, 0.25]])

    /// Two modes that run into each other: nowhere is the score nearly linear.
    static let bumpy = mixture("bumpy mixture", [[0.45, 0.0], [-0.45, 0.3]], [[0.2, 0.5], [0.4, 0.2]])

    /// A mixture with weights 0.3 and 0.7.
    static func mixture(
        _ name: String, _ means: [[Double]], _ deviations: [[Double]], level: Int = 8
    ) -> ExactCase {
        let level = cosineSchedule.levels[level]
        let density = GaussianMixture(means: means, standardDeviations: deviations, weights: [0.3, 0.7])
        return ExactCase(name: name, density: density, level: level) { firstChain, lanes in
            let (z, u) = (normals(2, firstChain, lanes), uniforms(firstChain, lanes))
            var data = LaneMatrix(rows: 2, lanes: lanes)
            for lane in 0..<lanes {
                let component = u[lane] <= 0.3 ? 0 : 1
                for axis in 0..<2 {
                    data[axis, lane] = means[component][axis] + deviations[component][axis] * z[axis, lane]
                }
            }
            return noised(data, at: level, firstChain)
        }
    }

    /// Two Gaussians along the axes: precisions and precision times mean add up.
    static let product: ExactCase = {
        let level = cosineSchedule.levels[30]
        let (means, variances) = ([[1.0, -0.5], [-0.5, 0.5]], [[0.5, 2.0], [1.0, 0.3]])
        let factors = (0..<2).map { index in
            Gaussian(mean: means[index], covariance: [[variances[index][0], 0], [0, variances[index][1]]])
        }
        let models: [String: any Density] = ["one": factors[0], "two": factors[1]]
        let expression = TargetExpression.product([.leaf("one"), .leaf("two")], weights: [1, 1])
        guard let density = try? expression.density(models: models) else { preconditionFailure() }
        var centre = [0.0, 0.0]
        var deviation = [0.0, 0.0]
        for axis in 0..<2 {
            let precisions = variances.map { 1 / (level.signalVariance * $0[axis] + level.noiseVariance) }
            let pull = (0..<2).reduce(0.0) { $0 + precisions[$1] * level.signal * means[$1][axis] }
            centre[axis] = pull / (precisions[0] + precisions[1])
            deviation[axis] = 1 / (precisions[0] + precisions[1]).squareRoot()
        }
        let (mean, spread) = (centre, deviation)
        return ExactCase(name: "product", density: density, level: level) { firstChain, lanes in
            var x = normals(2, firstChain, lanes)
            for axis in 0..<2 {
                for lane in 0..<lanes { x[axis, lane] = mean[axis] + spread[axis] * x[axis, lane] }
            }
            return x
        }
    }()

    /// A composition that is a mixture again: two modes of unlike widths, pulled to one side by a Gaussian.
    static let pulled: ExactCase = {
        let level = cosineSchedule.levels[8]
        let (means, deviations, weights) = ([[0.6, 0.0], [-0.5, 0.4]], [[0.2, 0.6], [0.5, 0.2]], [0.4, 0.6])
        let (pull, spread) = ([0.3, -0.2], [0.5, 0.8])
        let models: [String: any Density] = [
            "modes": GaussianMixture(means: means, standardDeviations: deviations, weights: weights),
            "pull": Gaussian(mean: pull, covariance: [[spread[0], 0], [0, spread[1]]]),
        ]
        let expression = TargetExpression.product([.leaf("modes"), .leaf("pull")], weights: [1, 1])
        guard let density = try? expression.density(models: models) else { preconditionFailure() }
        // Component by component: precisions and precisions times means add up, and each weighs as much as its product
        // with the Gaussian integrates to.
        var (centres, widths, parts) = ([[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]], weights)
        for component in 0..<2 {
            for axis in 0..<2 {
                let own =
                    level.signalVariance * deviations[component][axis] * deviations[component][axis]
                    + level.noiseVariance
                let other = level.signalVariance * spread[axis] + level.noiseVariance
                let (a, b) = (level.signal * means[component][axis], level.signal * pull[axis])
                widths[component][axis] = (own * other / (own + other)).squareRoot()
                centres[component][axis] = (a * other + b * own) / (own + other)
                parts[component] *= exp(-(a - b) * (a - b) / (2 * (own + other))) / (own + other).squareRoot()
            }
        }
        let (mean, width, first) = (centres, widths, parts[0] / (parts[0] + parts[1]))
        return ExactCase(name: "pulled mixture", density: density, level: level) { firstChain, lanes in
            var x = normals(2, firstChain, lanes)
            let u = uniforms(firstChain, lanes)
            for lane in 0..<lanes {
                let component = u[lane] <= first ? 0 : 1
                for axis in 0..<2 {
                    x[axis, lane] = mean[component][axis] + width[component][axis] * x[axis, lane]
                }
            }
            return x
        }
    }()
}
