import Synchronization

/// An execution was cut short by an ``ExecutionStop``.
package struct ExecutionCancelled: Error {}

/// Cuts executions short from another thread: a pass through a large network takes seconds.
///
/// An execution looks at it between two steps of its plan, and throws ``ExecutionCancelled``.
package final class ExecutionStop: Sendable {
    /// What the executions of this thread look at; nil for none.
    @TaskLocal package static var current: ExecutionStop?

    /// Runs `body`, whose executions look at `stop`.
    package static func heeding<Success, Failure>(
        _ stop: ExecutionStop?, _ body: () throws(Failure) -> Success
    ) throws(Failure) -> Success {
        let result: Result<Success, Failure> = $current.withValue(stop) {
            do throws(Failure) { return .success(try body()) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private let wish = Atomic<Bool>(false)
    private let looks = Atomic<Int>(0)

    /// Stops nothing yet.
    package init() {}

    /// From now on executions end at once.
    package func request() { wish.store(true, ordering: .releasing) }

    /// Whether they are to end.
    package var isRequested: Bool {
        // One thread computes and looks, so nothing is lost between the two.
        looks.store(looks.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        return wish.load(ordering: .acquiring)
    }

    /// How often executions have looked at it: where this grows, something is being computed.
    package var timesLookedAt: Int { looks.load(ordering: .relaxed) }
}
