import Synchronization

/// Cuts executions short from another thread: a pass through a large network takes seconds.
///
/// An execution looks at it between two steps of its plan. What one that was cut short leaves in memory has no meaning,
/// and neither has what is computed from it: whoever asks for the stop drops all of it, if ``hasCut`` says so.
public final class ExecutionStop: Sendable {
    /// What the executions of this thread look at; nil for none.
    @TaskLocal static var current: ExecutionStop?

    /// Runs `body`, whose executions look at `stop`.
    public static func heeding<Result>(_ stop: ExecutionStop?, _ body: () -> Result) -> Result {
        $current.withValue(stop) { body() }
    }

    private let wish = Atomic<Bool>(false)
    private let cut = Atomic<Bool>(false)

    /// Stops nothing yet.
    public init() {}

    /// From now on executions end at once.
    public func request() { wish.store(true, ordering: .releasing) }

    /// Whether an execution was cut short.
    public var hasCut: Bool { cut.load(ordering: .relaxed) }

    /// Whether the next step is not to be run.
    func cutsHere() -> Bool {
        guard wish.load(ordering: .acquiring) else { return false }
        cut.store(true, ordering: .relaxed)
        return true
    }
}
