/// What a transition did to each chain of a block. The log density after it is in the state's evaluation.
///
/// Its arrays are the kernel's own buffers: kept beyond the kernel's next transition they cost a copy.
package struct TransitionInfo: Sendable, Equatable {
    /// One where the chain took its proposal, else zero; [lanes].
    package let accepted: [UInt8]
    /// One where the proposal's energy or gradient was not finite, else zero; [lanes].
    package let diverged: [UInt8]
    /// The logarithms of the probabilities with which proposals were accepted, [lanes]: min(0, log a), or where that did
    /// not decide, the decision's.
    package let logAcceptance: [Double]
    /// log a of the proposals, [lanes]; for a leapfrog path it is minus the error of its energy. Nil where no ratio is
    /// asked for.
    package let logRatio: [Double]?

    /// What is not given follows from the decisions: nothing diverged, and no ratio was asked for.
    package init(
        accepted: [UInt8], diverged: [UInt8]? = nil, logAcceptance: [Double]? = nil, logRatio: [Double]? = nil
    ) {
        self.accepted = accepted
        self.diverged = diverged ?? accepted.map { _ in 0 }
        self.logAcceptance = logAcceptance ?? accepted.map { $0 == 0 ? -.infinity : 0 }
        self.logRatio = logRatio
    }
}
