import EnergyModels
import VectorMath

/// What a composition's operator makes of log densities and scores, of the composition's leaves or of what other operators
/// made of them.
protocol Combination: Sendable {
    /// A new evaluator for blocks of `lanes` chains that stands at `level`. Buffers are made here, once.
    func evaluator(dimension: Int, lanes: Int, at level: NoiseLevel) -> any CombinationEvaluator
}

/// Evaluates a combination for all chains of a block at one noise level.
protocol CombinationEvaluator {
    /// Goes over to another noise level.
    mutating func move(to level: NoiseLevel)

    /// - Parameter leaves: what the composition's leaves say at `x` [dimension][lanes].
    mutating func evaluate(at x: LaneMatrix, leaves: [Evaluation], into evaluation: inout Evaluation)
}

/// What an operator combines.
enum Operand: Sendable {
    /// A leaf of the composition, by its place.
    case leaf(Int)
    case combination(any Combination)
}

/// An operand at one noise level.
struct OperandEvaluator {
    private let leaf: Int?
    private var combination: (any CombinationEvaluator)?
    private var own: Evaluation

    init(_ operand: Operand, dimension: Int, lanes: Int, at level: NoiseLevel) {
        switch operand {
        case .leaf(let place):
            (leaf, combination, own) = (place, nil, Evaluation(dimension: 0, lanes: 0))
        case .combination(let inner):
            leaf = nil
            combination = inner.evaluator(dimension: dimension, lanes: lanes, at: level)
            own = Evaluation(dimension: dimension, lanes: lanes)
        }
    }

    mutating func move(to level: NoiseLevel) { combination?.move(to: level) }

    /// What it says at `x`. Not to be kept: what it is read from is written in place the next time.
    mutating func evaluation(at x: LaneMatrix, leaves: [Evaluation]) -> Evaluation {
        if let leaf { return leaves[leaf] }
        combination?.evaluate(at: x, leaves: leaves, into: &own)
        return own
    }

    /// What it said last.
    func last(_ leaves: [Evaluation]) -> Evaluation { leaf.map { leaves[$0] } ?? own }
}
