/// What the journal has of a finished block, for looking after its rows.
package struct StoredBlock: Sendable, Equatable {
    /// Of its job, 0 or more.
    package var block: Int
    /// Gradients evaluated, all its chains together.
    package var gradientEvaluations: Int
    /// Of its rows; nil where none is known.
    package var checksum: UInt64?
}
