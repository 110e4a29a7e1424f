import Dispatch
import EnergyModels
import Foundation
import Messaging
import Sampling
import Synchronization
import TensorGraph

/// The threads that compute: one block at a time each, never touching a socket.
final class SlotThreads: Sendable {
    /// A block to run.
    struct Work: Sendable {
        let attempt: AttemptID
        let plan: SamplingPlan
        /// Chains that count; the rest pads.
        let chains: Int
        /// What an earlier attempt has come to; empty if nothing.
        let checkpoint: [UInt8]
        /// How often to report a checkpoint.
        let checkpointInterval: Duration
    }

    /// What comes back.
    enum Outcome: Sendable {
        case progress(BlockProgress)
        case checkpoint(BlockState)
        /// The result as a message.
        case finished(AttemptID, result: [UInt8])
        case handedBack(BlockState)
        case abandoned(AttemptID)
        /// The block can't be run on.
        case failed(AttemptID, EvaluationError)
        /// The block goes on from its checkpoint, of which so many bytes don't change any more.
        case resumed(AttemptID, stepsDone: Int, steps: Int, settled: Int)
        /// The checkpoint was of no use; the block has begun from its start.
        case startedAnew(AttemptID, reason: String)
    }

    /// What is wanted of a block that is queued or runs, looked at between two steps, and within those of networks.
    private final class Wish: Sendable {
        enum Kind: Int { case finish, handBack, abandon }

        private let kind = Atomic<Int>(Kind.finish.rawValue)
        /// Cuts the step at hand short.
        let stop = ExecutionStop()
        private let looks = Atomic<Int>(0)

        /// Whether a step has looked at it since this was last asked.
        var wasLookedAt: Bool {
            let now = stop.timesLookedAt
            return looks.exchange(now, ordering: .relaxed) != now
        }

        var current: Kind { Kind(rawValue: kind.load(ordering: .relaxed)) ?? .abandon }

        func change(to kind: Kind) {
            self.kind.store(kind.rawValue, ordering: .relaxed)
            stop.request()
        }
    }

    private struct State {
        var queue: ArraySlice<(work: Work, wish: Wish)> = []
        /// Of starts that are queued or running. After a job was cancelled and handed in again, the same attempt may be
        /// started while its earlier run is still ending.
        var active: [AttemptID: [Wish]] = [:]
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
        let wish = Wish()
        state.withLock { state in
            state.queue.append((work, wish))
            state.active[work.attempt, default: []].append(wish)
        }
        available.signal()
    }

    /// Makes a block end early that is queued or running; one that has just ended is not concerned.
    func abandon(_ attempt: AttemptID) { change(attempt, to: .abandon) }

    /// Makes a block end early and report its state.
    func handBack(_ attempt: AttemptID) { change(attempt, to: .handBack) }

    /// The blocks whose steps have computed something since this was last asked: a step may take longer than a coordinator
    /// waits for the next one.
    func signsOfLife() -> [AttemptID] {
        state.withLock { state in
            state.active.filter { $0.value.reduce(false) { $1.wasLookedAt || $0 } }.map(\.key)
        }
    }

    private func change(_ attempt: AttemptID, to kind: Wish.Kind) {
        for wish in state.withLock({ $0.active[attempt] ?? [] }) { wish.change(to: kind) }
    }

    private func work() {
        while true {
            available.wait()
            guard let (work, wish) = state.withLock({ $0.queue.popFirst() }) else { continue }
            let outcome = run(work, wish)
            state.withLock { state in
                state.active[work.attempt]?.removeAll { $0 === wish }
                if state.active[work.attempt]?.isEmpty == true { state.active[work.attempt] = nil }
            }
            deliver(outcome)
        }
    }

    private func run(_ work: Work, _ wish: Wish) -> Outcome {
        ExecutionStop.heeding(wish.stop) {
            let begin = ContinuousClock.now
            // What goes home if even the first step is cut short: what the block began with, which whoever leased it has.
            var state = BlockState(attempt: work.attempt, stepsDone: 0, state: [])
            do throws(EvaluationError) {
                var block = try self.block(work)
                do throws(EvaluationError) {
                    if let outcome = try run(&block, work, wish, from: begin) { return outcome }
                } catch {
                    // The state before the step.
                    if error == .cancelled, wish.current != .abandon { state = block.state(of: work.attempt) }
                    throw error
                }
                return finished(block, work, from: begin)
            } catch .cancelled {
                return wish.current == .abandon ? .abandoned(work.attempt) : .handedBack(state)
            } catch {
                return .failed(work.attempt, error)
            }
        }
    }

    /// Runs a block to its end. - Returns: what became of it if it came to none.
    private func run(
        _ block: inout any RunnableBlock, _ work: Work, _ wish: Wish, from begin: ContinuousClock.Instant
    ) throws(EvaluationError) -> Outcome? {
        var (reported, saved) = (begin, begin)
        while try block.advance() {
            switch wish.current {
            case .finish: break
            case .handBack: return .handedBack(block.state(of: work.attempt))
            case .abandon: return .abandoned(work.attempt)
            }
            let now = ContinuousClock.now
            if now - reported > .milliseconds(200) {
                reported = now
                deliver(
                    .progress(
                        BlockProgress(
                            attempt: work.attempt, stepsDone: block.stepsDone, stepsTotal: block.steps,
                            acceptance: block.latestAcceptance(chains: work.chains) ?? .nan)))
            }
            if now - saved >= work.checkpointInterval {
                saved = now
                deliver(.checkpoint(block.state(of: work.attempt)))
            }
        }
        return nil
    }

    private func finished(
        _ block: any RunnableBlock, _ work: Work, from begin: ContinuousClock.Instant
    ) -> Outcome {
        let result = block.result(chains: work.chains)
        let report = BlockReport(
            attempt: work.attempt, samples: result.sampleBytes, statistics: result.statistics,
            gradientEvaluations: result.gradientEvaluations, seconds: (ContinuousClock.now - begin) / .seconds(1))
        return .finished(work.attempt, result: Message.result(report).encoded())
    }

    private func block(_ work: Work) throws(EvaluationError) -> any RunnableBlock {
        let (index, chains) = (work.attempt.block, work.chains)
        guard !work.checkpoint.isEmpty else { return work.plan.block(index: index, chains: chains) }
        do throws(BlockCheckpointError) {
            let block = try work.plan.block(index: index, chains: chains, resuming: work.checkpoint)
            deliver(
                .resumed(
                    work.attempt, stepsDone: block.stepsDone, steps: block.steps, settled: block.settledBytes))
            return block
        } catch .notEvaluated(let error) {
            throw error
        } catch {
            deliver(.startedAnew(work.attempt, reason: "\(error)"))
            return work.plan.block(index: index, chains: chains)
        }
    }
}

extension RunnableBlock {
    fileprivate func state(of attempt: AttemptID) -> BlockState {
        BlockState(attempt: attempt, stepsDone: stepsDone, state: checkpoint(), settled: settledBytes)
    }
}
