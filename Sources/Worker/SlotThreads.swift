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

    /// Each start of a block has a token of its own: after a job was cancelled and handed in again, the
    /// same attempt may be started while its earlier run is still ending.
    private typealias Token = Int

    private struct State {
        var queue: [(work: Work, token: Token)] = []
        var lastToken: Token = 0
        /// Starts that are queued or running.
        var active: [AttemptID: Set<Token>] = [:]
        var abandoned: Set<Token> = []
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
        state.withLock { state in
            state.lastToken += 1
            state.queue.append((work, state.lastToken))
            state.active[work.attempt, default: []].insert(state.lastToken)
        }
        available.signal()
    }

    /// Makes a block end early that is queued or running; one that has just ended is not concerned.
    func abandon(_ attempt: AttemptID) {
        state.withLock { $0.abandoned.formUnion($0.active[attempt] ?? []) }
    }

    private func work() {
        while true {
            available.wait()
            guard let (work, token) = state.withLock({ $0.queue.isEmpty ? nil : $0.queue.removeFirst() }) else {
                continue
            }
            let outcome = run(work, token)
            state.withLock { state in
                state.active[work.attempt]?.remove(token)
                if state.active[work.attempt]?.isEmpty == true { state.active[work.attempt] = nil }
                state.abandoned.remove(token)
            }
            deliver(outcome)
        }
    }

    private func run(_ work: Work, _ token: Token) -> Outcome {
        let clock = ContinuousClock()
        let begin = clock.now
        var reported = begin
        var block = ChainBlock(plan: work.plan, index: work.attempt.block)
        while block.advance() {
            if state.withLock({ $0.abandoned.contains(token) }) { return .abandoned(work.attempt) }
            let now = clock.now
            guard now - reported > .milliseconds(200) else { continue }
            reported = now
            deliver(
                .progress(
                    BlockProgress(
                        attempt: work.attempt, stepsDone: block.stepsDone, stepsTotal: block.steps,
                        acceptance: block.latestAcceptance(chains: work.chains) ?? .nan)))
        }
        let result = block.result(chains: work.chains)
        return .finished(
            BlockReport(
                attempt: work.attempt,
                samples: result.samples,
                acceptance: result.acceptance, logDensity: result.logDensity, divergences: result.divergences,
                gradientEvaluations: result.gradientEvaluations, seconds: (clock.now - begin) / .seconds(1)))
    }
}
