/// What the journal has of a finished block, for looking after its rows.
public struct StoredBlock: Sendable, Equatable {
    /// Of its job, 0 or more.
    public var block: Int
    /// Gradients evaluated, all its chains together.
    public var gradientEvaluations: Int
    /// Of its rows; nil where none is known.
    public var checksum: UInt64?
}
