import EnergyModels
import Foundation
import RandomStreams
import Sampling
import VectorMath

/// A density with a way to draw from it exactly at one noise level.
struct ExactCase: Sendable {
    let name: String
    let density: any Density
    let level: NoiseLevel
    /// Fills [dimension][lanes] with exact samples of the level for the chains from `firstChain` on.
    let draw: @Sendable (_ firstChain: Int, _ lanes: Int) -> LaneMatrix
}

/// What the harness finds out about a kernel.
struct Invariance {
    /// The largest |z| of all statistics, and the name of that statistic.
    var worst = 0.0
    var worstName = ""
    /// How many z-scores were looked at.
    var count = 0
    /// By how much the mean of each statistic moved.
    var shifts: [String: Double] = [:]
    /// The fraction of proposals accepted.
    var acceptance = 0.0

    mutating func note(_ z: Double, _ name: String) {
        count += 1
        let size = z.isNaN ? .infinity : z.magnitude
        if size > worst { (worst, worstName) = (size, name) }
    }
}

/// P(|z| > 5.2) = 2e-7 for a standard normal z; with m statistics the false alarm is m * 2e-7.
let zThreshold = 5.2

func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }

/// The sample variance of x.
func variance(_ x: [Double]) -> Double {
    let centre = mean(x)
    return x.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(x.count - 1)
}

/// How far the mean of x is from `expected`, in standard errors.
func zScore(_ x: [Double], expected: Double = 0) -> Double {
    let spread = variance(x)
    // A statistic that never changed has nothing to tell.
    if spread == 0, mean(x) == expected { return 0 }
    return (mean(x) - expected) / (spread / Double(x.count)).squareRoot()
}

/// Functions of a position and a momentum (as v / M) whose means must not move.
func statistics(_ x: [Double], _ v: [Double]) -> [Double] {
    var values: [Double] = []
    for axis in x.indices {
        values += [x[axis], x[axis] * x[axis], abs(x[axis]) > 1.5 ? 1 : 0, x[axis] > 0.25 ? 1 : 0]
        values += [v[axis], v[axis] * v[axis], abs(v[axis]) > 1.5 ? 1 : 0, x[axis] * v[axis]]
    }
    values.append(x[0] * x[x.count - 1])
    return values
}

/// Names of `statistics`, in the same order.
func names(dimension: Int) -> [String] {
    (0..<dimension).flatMap { axis in
        ["x", "x^2", "|x| > 1.5", "x > 0.25", "v", "v^2", "|v| > 1.5", "x v"].map { "\($0) of axis \(axis)" }
    } + ["x0 x1"]
}

/// Starts chains from exact samples and exact momenta, runs transitions, and compares.
///
/// A right kernel keeps the mean of every statistic: the differences between the end and the start
/// of a chain have mean zero, whatever the density is, and chains are independent. The last z-score is
/// for the independence itself: numbers of accepted transitions, summed over the chains of a block,
/// must vary as sums of independent numbers do.
///
/// - Parameters:
///   - kernel: makes a kernel for [dimension][lanes].
func invariance(
    of kernel: (_ dimension: Int, _ lanes: Int) -> any TransitionKernel, on exact: ExactCase,
    stepSize: Double, mass: Double = 1, transitions: Int, blocks: Int = 320, seed: UInt64 = 2024
) throws -> Invariance {
    let lanes = 64
    let dimension = exact.density.dimension
    var target = exact.density.evaluator(lanes: lanes, at: exact.level)
    var moving = kernel(dimension, lanes)
    let names = names(dimension: dimension)
    var differences = names.map { _ in [Double]() }
    var accepted: [Double] = []
    for block in 0..<blocks {
        let stream = RandomStream(seed: seed, firstChain: block * lanes)
        var state = ChainState(dimension: dimension, lanes: lanes)
        state.position = exact.draw(block * lanes, lanes)
        stream.fillNormals(&state.momentum, purpose: .initialMomentum, level: 0)
        let start = state
        try state.evaluate(&target)
        for transition in 0..<transitions {
            let context = TransitionContext(
                level: exact.level.index, transition: transition, stepSize: stepSize, mass: mass, stream: stream)
            try moving.transition(&state, target: &target, in: context)
        }
        for lane in 0..<lanes {
            let before = statistics(column(start.position, lane), column(start.momentum, lane))
            let after = statistics(column(state.position, lane), column(state.momentum, lane))
            for index in names.indices { differences[index].append(after[index] - before[index]) }
            accepted.append(Double(state.accepted[lane]))
        }
    }
    var result = Invariance()
    for (name, difference) in zip(names, differences) {
        result.note(zScore(difference), name)
        result.shifts[name] = mean(difference)
    }
    result.note(blockSpread(accepted, lanes: lanes), "independence of chains")
    result.acceptance = mean(accepted) / Double(transitions)
    return result
}

func column(_ matrix: LaneMatrix, _ lane: Int) -> [Double] { (0..<matrix.rows).map { matrix[$0, lane] } }

/// How much more block means vary than those of independent numbers, as a standard normal: the ratio of
/// the variances is nearly chi squared over its degrees of freedom, made normal by the cube root of
/// Wilson and Hilferty.
private func blockSpread(_ values: [Double], lanes: Int) -> Double {
    let spread = variance(values)
    guard spread > 0 else { return 0 }
    let blocks = values.count / lanes
    let means = (0..<blocks).map { mean(Array(values[$0 * lanes..<($0 + 1) * lanes])) }
    let ratio = variance(means) * Double(lanes) / spread
    let part = 2 / (9 * Double(blocks - 1))
    return (Foundation.cbrt(ratio) - (1 - part)) / part.squareRoot()
}
