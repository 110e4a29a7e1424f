import Dispatch
import Testing

/// Runs tests that start processes one after the other, and on threads of their own.
///
/// What is to happen in the middle of a job would come after its end if several pools shared the machine's cores, or if
/// the test waited for one of the few threads that all tasks share, which other tests occupy for seconds.
struct OneAtATime: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    @concurrent
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await Turnstile.shared.passing {
            try await withTaskExecutorPreference(QueueExecutor.shared) { try await function() }
        }
    }
}

extension Trait where Self == OneAtATime {
    /// See ``OneAtATime``.
    static var oneAtATime: OneAtATime { OneAtATime() }
}

/// Lets one through at a time, in the order in which they came.
private actor Turnstile {
    static let shared = Turnstile()

    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated func passing(_ body: @Sendable @concurrent () async throws -> Void) async throws {
        await enter()
        do {
            try await body()
        } catch {
            await leave()
            throw error
        }
        await leave()
    }

    private func enter() async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}

private final class QueueExecutor: TaskExecutor {
    static let shared = QueueExecutor()

    private let queue = DispatchQueue(label: "whole-system tests", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
