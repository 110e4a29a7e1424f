import EnergyModels
import Synchronization
import VectorMath

/// A density whose evaluation fails at some of the times that it is asked for.
final class FailingDensity: Density {
    private let inner: any Density
    private let calls = Atomic<Int>(0)
    private let fails: @Sendable (Int) -> EvaluationError?

    /// - Parameter fails: what is thrown at a call, counted from 0 over all evaluators; nil for nothing.
    init(_ inner: any Density, fails: @escaping @Sendable (Int) -> EvaluationError?) {
        self.inner = inner
        self.fails = fails
    }

    var shape: PointShape { inner.shape }
    /// Evaluations that were asked for.
    var count: Int { calls.load(ordering: .relaxed) }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(density: self, inner: inner.evaluator(lanes: lanes, at: level))
    }

    private struct Evaluator: DensityEvaluator {
        let density: FailingDensity
        var inner: any DensityEvaluator

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            let call = density.calls.add(1, ordering: .relaxed).oldValue
            if let error = density.fails(call) {
                // What is left has no meaning.
                evaluation.score.scale(by: 0)
                throw error
            }
            try inner.evaluate(at: x, into: &evaluation)
        }
    }
}
