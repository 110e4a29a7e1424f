import ContentHash
import Dispatch
import EnergyModels
import Messaging
import RunFolder
import Sampling
import Synchronization
import TensorGraph
import Testing
import VectorMath

@testable import Worker

/// A Gaussian of which one evaluation, counted from 0, is another.
private final class Disturbed: Density {
    let shape = PointShape(dimension: 2)
    private let inner = Gaussian(mean: [0.2, 0], covariance: [[0.3, 0.1], [0.1, 0.2]])
    private let calls = Atomic<Int>(0)
    private let call: Int
    private let disturbance: @Sendable () -> EvaluationError

    init(at call: Int, _ disturbance: @escaping @Sendable () -> EvaluationError) {
        (self.call, self.disturbance) = (call, disturbance)
    }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(density: self, inner: inner.evaluator(lanes: lanes, at: level))
    }

    private struct Evaluator: DensityEvaluator {
        let density: Disturbed
        var inner: any DensityEvaluator

        mutating func move(to level: NoiseLevel) { inner.move(to: level) }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
            if density.calls.add(1, ordering: .relaxed).oldValue == density.call { throw density.disturbance() }
            try inner.evaluate(at: x, into: &evaluation)
        }
    }
}

/// What becomes of blocks whose evaluations fail or are cut short.
struct SlotThreadsTests {
    private static let attempt = AttemptID(job: SHA256.hash(of: [1]), block: 2, attempt: 1)
    /// An entry and four transitions of three evaluations on each of ten levels.
    private static func plan(_ density: any Density) -> SamplingPlan {
        SamplingPlan(
            density: density, schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 10)),
            settings: SamplerSettings(
                kernel: .hmc(
                    step: .given(.constant(0.2)), leapfrog: LeapfrogSettings(steps: 3, damping: 0.5),
                    acceptance: .energy),
                transitions: 4, levels: 0...9),
            seed: 3, lanes: 8)
    }

    /// Runs a block to its outcome, and `meanwhile` beside it.
    private func outcome(
        of density: Disturbed, checkpoint: [UInt8] = [], meanwhile: (SlotThreads) -> Void = { _ in }
    ) -> SlotThreads.Outcome? {
        let (outcome, done) = (Found(), DispatchSemaphore(value: 0))
        let slots = SlotThreads(count: 1) { next in
            switch next {
            case .progress, .checkpoint, .resumed, .startedAnew: break
            default:
                outcome.value.withLock { $0 = next }
                done.signal()
            }
        }
        slots.start(
            SlotThreads.Work(
                attempt: Self.attempt, plan: Self.plan(density), chains: 8, checkpoint: checkpoint,
                checkpointInterval: .seconds(60)))
        meanwhile(slots)
        done.wait()
        return outcome.value.withLock { $0 }
    }

    private final class Found: Sendable {
        let value = Mutex<SlotThreads.Outcome?>(nil)
    }

    private func report(_ outcome: SlotThreads.Outcome?) throws -> BlockReport {
        guard case .finished(_, let bytes) = try #require(outcome), case .result(let report) = try Message.decode(bytes)
        else {
            Issue.record("the block is not finished")
            return BlockReport(attempt: Self.attempt, samples: [], statistics: [:], gradientEvaluations: 0, seconds: 0)
        }
        return report
    }

    @Test(arguments: [0, 1, 57, 129])
    func `A block of which an evaluation fails is told of with the reason`(call: Int) throws {
        for error in [EvaluationError.sourceFailed("the server of \"net\" is gone"), .outOfMemory("2 GiB for a plan")] {
            guard case .failed(Self.attempt, error) = outcome(of: Disturbed(at: call) { error }) else {
                Issue.record("the block did not fail")
                return
            }
        }
    }

    @Test(arguments: [0, 15, 57, 129])
    func `Cut short within a step, the state before it goes home, and the block ends with the same bytes elsewhere`(
        call: Int
    ) throws {
        let undisturbed = try report(outcome(of: Disturbed(at: -1) { .cancelled }))
        let isThere = DispatchSemaphore(value: 0)
        let cut = Disturbed(at: call) {
            isThere.signal()
            // A pass through a large network, which looks at this between two of its steps.
            while ExecutionStop.current?.isRequested != true {}
            return .cancelled
        }
        let outcome = outcome(of: cut) { slots in
            isThere.wait()
            slots.handBack(Self.attempt)
        }
        guard case .handedBack(let state) = try #require(outcome) else {
            Issue.record("the block did not come back")
            return
        }
        // Thirteen evaluations a level, of which the first is the entry.
        let before = call / 13 * 5 + (call % 13 == 0 ? 0 : 1 + (call % 13 - 1) / 3)
        #expect(state.attempt == Self.attempt && state.stepsDone == before)
        let elsewhere = try report(self.outcome(of: Disturbed(at: -1) { .cancelled }, checkpoint: state.state))
        #expect(elsewhere.samples == undisturbed.samples && elsewhere.statistics == undisturbed.statistics)
        #expect(elsewhere.gradientEvaluations == undisturbed.gradientEvaluations)
    }

    @Test func `A block within a long step shows that it goes on, and one that hangs there does not`() throws {
        let (isThere, hangs) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // Tells from when on it looks no more, and until when.
        let isDeaf = Mutex(false)
        let long = Disturbed(at: 30) {
            isThere.signal()
            // A pass through a large network, which looks at this between two of its steps; and then does not any more.
            while ExecutionStop.current?.isRequested != true, !isDeaf.withLock({ $0 }) {}
            hangs.signal()
            while isDeaf.withLock({ $0 }) {}
            return .cancelled
        }
        _ = outcome(of: long) { slots in
            isThere.wait()
            for _ in 0..<3 {
                let end = ContinuousClock.now + .seconds(10)
                while slots.signsOfLife() != [Self.attempt], ContinuousClock.now < end {}
                #expect(ContinuousClock.now < end)
            }
            isDeaf.withLock { $0 = true }
            hangs.wait()
            _ = slots.signsOfLife()
            #expect(slots.signsOfLife().isEmpty)
            slots.abandon(Self.attempt)
            isDeaf.withLock { $0 = false }
        }
    }

    @Test func `A block that is to be dropped is not waited for either`() throws {
        let isThere = DispatchSemaphore(value: 0)
        let cut = Disturbed(at: 30) {
            isThere.signal()
            while ExecutionStop.current?.isRequested != true {}
            return .cancelled
        }
        let outcome = outcome(of: cut) { slots in
            isThere.wait()
            slots.abandon(Self.attempt)
        }
        guard case .abandoned(Self.attempt) = try #require(outcome) else {
            Issue.record("the block was not dropped")
            return
        }
    }
}
