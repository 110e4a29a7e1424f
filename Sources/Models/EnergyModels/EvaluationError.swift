import TensorGraph

/// Why a density was not evaluated. What was to take the numbers has no meaning then.
package enum EvaluationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whoever asked wants it no more, as by an `ExecutionStop`.
    case cancelled
    /// There is no room for it here; elsewhere there may be. What for, and how much.
    case outOfMemory(String)
    /// Where the numbers come from, such as a program that answers for a model, has failed: which and why.
    case sourceFailed(String)
    /// Where the numbers come from is not there now; elsewhere or later it may be: which and why.
    case sourceAbsent(String)

    /// Throws ``cancelled`` if whoever asked wants no more: for those who make many evaluations that each take little time.
    package static func throwIfCancelled() throws(EvaluationError) {
        if ExecutionStop.current?.isRequested == true { throw .cancelled }
    }

    /// What is wrong, in one line.
    package var description: String {
        switch self {
        case .cancelled: "the evaluation was cancelled"
        case .outOfMemory(let what): "out of memory: \(what)"
        case .sourceFailed(let why), .sourceAbsent(let why): why
        }
    }
}
