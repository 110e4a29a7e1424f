package import EnergyModels

/// Why bytes can't be taken up as a checkpoint of a block.
package enum BlockCheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
    /// They begin with something else.
    case noCheckpoint
    /// They were written in another version of the format.
    case otherVersion(UInt32)
    /// They are cut short, too many, or changed.
    case damaged
    /// They belong to another block, or to a plan of another shape.
    case otherBlock(field: String, found: UInt64, expected: UInt64)
    /// They count more than there can have been.
    case outOfRange(field: String, found: UInt64, most: Int)
    /// They are a checkpoint, where the chains stand can't be evaluated.
    case notEvaluated(EvaluationError)

    /// What is wrong and what to do, in one line.
    package var description: String {
        let problem =
            switch self {
            case .noCheckpoint: "these bytes are no checkpoint of a block"
            case .otherVersion(let version):
                "the checkpoint's format is version \(version), not \(BlockCheckpoint.version)"
            case .damaged: "the checkpoint is cut short or damaged"
            case .otherBlock(let field, let found, let expected):
                "the checkpoint is of another block: \(field) is \(found), not \(expected)"
            case .outOfRange(let field, let found, let most):
                "the checkpoint is damaged: \(field) is \(found), above \(most)"
            case .notEvaluated(let error): "the chains of the checkpoint can't be evaluated: \(error)"
            }
        return problem + "; run the block from its start"
    }
}
