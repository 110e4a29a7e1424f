import Composition
import EnergyModels
import Foundation
import Sampling
import Testing
import VectorMath

/// The product of two correlated Gaussians in eight dimensions, whose normaliser and moments are known at every level.
private struct CorrelatedProduct {
    static let dimension = 8
    static let means: [[Double]] = [
        (0..<dimension).map { 0.3 * sin(Double($0)) }, (0..<dimension).map { 0.4 * cos(2 * Double($0)) },
    ]
    /// 0.6^|i - j| scaled by standard deviations, and one common factor beside independent parts.
    static let covariances = [
        matrix { i, j in
            let deviations = (0.4 + 0.05 * Double(i)) * (0.4 + 0.05 * Double(j))
            return pow(0.6, Double(abs(i - j))) * deviations
        },
        matrix { i, j in
            let common = (i + j) % 2 == 0 ? 0.2 : -0.2
            return i == j ? common + 0.3 : common
        },
    ]

    private static func matrix(_ entry: (Int, Int) -> Double) -> [[Double]] {
        (0..<dimension).map { i in (0..<dimension).map { j in entry(i, j) } }
    }

    static func density() throws -> any Density {
        let factors = (0..<2).map { Gaussian(mean: means[$0], covariance: covariances[$0]) }
        return try TargetExpression.product([.leaf("one"), .leaf("two")], weights: [1, 1])
            .density(models: ["one": factors[0], "two": factors[1]])
    }

    let mean: [Double]
    let covariance: [[Double]]
    let logNormalizer: Double

    /// At a level the factors are N(c m, c^2 C + sigma^2 I); their product is Z N(mean, covariance) with
    /// covariance = A - A (A + B)^-1 A, mean = a + A (A + B)^-1 (b - a) and Z = N(a; b, A + B).
    init(_ level: NoiseLevel) {
        let count = Self.dimension
        let noised = Self.covariances.map { covariance in
            Self.matrix { i, j in level.signalVariance * covariance[i][j] + (i == j ? level.noiseVariance : 0) }
        }
        let centres = Self.means.map { $0.map { level.signal * $0 } }
        let sum = Self.matrix { i, j in noised[0][i][j] + noised[1][i][j] }
        let gap = zip(centres[1], centres[0]).map { $0 - $1 }
        // Columns of the first covariance, and the gap, divided by the sum.
        let solved = solve(sum, noised[0] + [gap])
        mean = (0..<count).map { i in
            centres[0][i] + (0..<count).reduce(0.0) { $0 + noised[0][i][$1] * solved.solutions[count][$1] }
        }
        covariance = Self.matrix { i, j in
            noised[0][i][j] - (0..<count).reduce(0.0) { $0 + noised[0][i][$1] * solved.solutions[j][$1] }
        }
        let square = zip(gap, solved.solutions[count]).reduce(0.0) { $0 + $1.0 * $1.1 }
        logNormalizer = -0.5 * (Double(count) * log(2 * .pi) + solved.logDeterminant + square)
    }
}

/// Solves a x = b for several b, a being symmetric and positive definite, by elimination.
private func solve(_ a: [[Double]], _ sides: [[Double]]) -> (solutions: [[Double]], logDeterminant: Double) {
    var (a, sides, logDeterminant) = (a, sides, 0.0)
    for pivot in a.indices {
        logDeterminant += log(a[pivot][pivot])
        for row in a.indices where row != pivot {
            let factor = a[row][pivot] / a[pivot][pivot]
            for column in a.indices { a[row][column] -= factor * a[pivot][column] }
            for side in sides.indices { sides[side][row] -= factor * sides[side][pivot] }
        }
    }
    return (sides.map { side in side.indices.map { side[$0] / a[$0][$0] } }, logDeterminant)
}

@Suite("Populations in eight dimensions")
struct EightDimensionsTests {
    @Test(
        "A product of correlated Gaussians has its mean, covariance and normaliser",
        arguments: [(SamplerSettings.Kind.mala, 0.2, 3), (.hmc, 0.5, 1)])
    func moments(kind: SamplerSettings.Kind, stepSize: Double, transitions: Int) throws {
        let (count, lanes, blocks) = (CorrelatedProduct.dimension, 64, 320)
        let exact = CorrelatedProduct(cosineSchedule.levels[0])
        // Langevin's step goes with the variance of a level, the leapfrog's with its root.
        let steps = cosineSchedule.levels.map { stepSize * pow($0.noiseVariance + 0.05, kind == .mala ? 1 : 0.5) }
        let plan = SamplingPlan(
            density: try CorrelatedProduct.density(), schedule: cosineSchedule,
            settings: SamplerSettings(
                kind: kind, transitions: transitions, leapfrogSteps: kind == .hmc ? 3 : 1,
                damping: kind == .hmc ? 0.5 : 0, stepSize: .perLevel(steps), levels: 0...49,
                population: PopulationSettings(threshold: 0.5)),
            seed: 3, lanes: lanes)
        var normalizers: [Double] = []
        var means = [[Double]](repeating: [], count: count)
        var products = [[[Double]]](repeating: [[Double]](repeating: [], count: count), count: count)
        for index in 0..<blocks {
            let end = try PopulationEnd(of: plan, index: index)
            let share = exp(end.logNormalizer - exact.logNormalizer)
            normalizers.append(share)
            let weights = end.logWeights.map { exp($0) }
            let total = weights.reduce(0, +)
            var (sums, squares) = ([Double](repeating: 0, count: count), products.map { $0.map { _ in 0.0 } })
            for chain in 0..<lanes {
                let x = column(end.position, chain)
                let centred = (0..<count).map { x[$0] - exact.mean[$0] }
                for i in 0..<count {
                    sums[i] += weights[chain] / total * centred[i]
                    for j in 0...i { squares[i][j] += weights[chain] / total * centred[i] * centred[j] }
                }
            }
            // A normaliser's estimate times that of a mean is unbiased.
            for i in 0..<count {
                means[i].append(share * sums[i])
                for j in 0...i { products[i][j].append(share * (squares[i][j] - exact.covariance[i][j])) }
            }
        }
        // 45 z-scores: false alarm 45 * 2e-7 = 9e-6.
        #expect(zScore(normalizers, expected: 1).magnitude < zThreshold)
        for i in 0..<count {
            #expect(zScore(means[i]).magnitude < zThreshold)
            for j in 0...i { #expect(zScore(products[i][j]).magnitude < zThreshold) }
        }
        // And they are near: the merged mean within 0.05 standard deviations, the covariance within 0.05 of them.
        let merged = mean(normalizers)
        var worst = [(merged - 1).magnitude, 0, 0]
        for i in 0..<count {
            worst[1] = max(worst[1], (mean(means[i]) / merged).magnitude / exact.covariance[i][i].squareRoot())
            for j in 0...i {
                let scale = (exact.covariance[i][i] * exact.covariance[j][j]).squareRoot()
                worst[2] = max(worst[2], (mean(products[i][j]) / merged).magnitude / scale)
            }
        }
        #expect(worst[0] < 0.1 && worst[1] < 0.05 && worst[2] < 0.05, "\(worst)")
    }
}
