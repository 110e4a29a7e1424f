import Dispatch
import Foundation
import Messaging
import Sampling
import Synchronization

/// The threads that compute: one block at a time each, never touching a socket.
final class SlotThreads: Sendable {
    /// A block to run.
    struct Work: Sendable {
        let attempt: AttemptID
        let plan: SamplingPlan
        /// Chains that count; the rest pads.
        let chains: Int
    }

    /// What comes back.
    enum Outcome: Sendable {
        case progress(BlockProgress)
        case finished(BlockReport)
        case abandoned(AttemptID)
    }

    private struct State {
        var queue: [Work] = []
        var abandoned: Set<AttemptID> = []
    }

    private let state = Mutex(State())
    private let available = DispatchSemaphore(value: 0)
    private let deliver: @Sendable (Outcome) -> Void

    /// - Parameter deliver: called from the threads.
    init(count: Int, deliver: @escaping @Sendable (Outcome) -> Void) {
        self.deliver = deliver
        for _ in 0..<count {
            // The threads live as long as the process: a worker ends by ending.
            Thread { self.work() }.start()
        }
    }

    func start(_ work: Work) {
        state.withLock { $0.queue.append(work) }
        available.signal()
    }

    /// Makes a running block end early.
    func abandon(_ attempt: AttemptID) {
        state.withLock { _ = $0.abandoned.insert(attempt) }
    }

    private func work() {
        while true {
            available.wait()
            guard let work = state.withLock({ $0.queue.isEmpty ? nil : $0.queue.removeFirst() }) else { continue }
            run(work)
        }
    }

    private func run(_ work: Work) {
        let clock = ContinuousClock()
        let begin = clock.now
        var reported = begin
        var block = ChainBlock(plan: work.plan, index: work.attempt.block)
        while block.advance() {
            if state.withLock({ $0.abandoned.remove(work.attempt) }) != nil {
                deliver(.abandoned(work.attempt))
                return
            }
            let now = clock.now
            guard now - reported > .milliseconds(200) else { continue }
            reported = now
            deliver(
                .progress(
                    BlockProgress(
                        attempt: work.attempt, stepsDone: block.stepsDone, stepsTotal: block.steps,
                        acceptance: block.latestAcceptance(chains: work.chains) ?? .nan)))
        }
        state.withLock { _ = $0.abandoned.remove(work.attempt) }
        let result = block.result(chains: work.chains)
        deliver(
            .finished(
                BlockReport(
                    attempt: work.attempt,
                    samples: result.samples,
                    acceptance: result.acceptance, logDensity: result.logDensity, divergences: result.divergences,
                    gradientEvaluations: result.gradientEvaluations, seconds: (clock.now - begin) / .seconds(1))))
    }
}
