import Dispatch
import EnergyModels
import Synchronization
import TensorGraph

/// Evaluates the loss of whole batches on several threads.
///
/// What comes out does not depend on their number: shards are fixed and added up in their order.
final class BatchCrew: Sendable {
    /// What one thread works with.
    private final class Bench: Sendable {
        struct Tools {
            var shard: TrainingShard
            var loss: TrainingLoss
        }

        let tools: Mutex<Tools>

        init(shard: TrainingShard, loss: sending TrainingLoss) {
            tools = Mutex(Tools(shard: shard, loss: loss))
        }
    }

    /// What comes of one shard.
    private final class Yield: Sendable {
        let value: Mutex<(loss: Double, gradient: [Float])>

        init(parameters: Int) { value = Mutex((0, [Float](repeating: 0, count: parameters))) }
    }

    private let benches: [Bench]
    private let yields: [Yield]

    /// - Parameter threads: how many compute side by side; more than there are shards would have nothing to do.
    init(_ spec: TrainingSpec, data: TrainingData, parameters: Int, threads: Int) throws(TrainingError) {
        let plan = TrainingLoss.plan(spec.network, rows: spec.shard)
        do throws(OutOfMemory) {
            benches = try (0..<min(threads, spec.shards)).map { _ throws(OutOfMemory) in
                Bench(
                    shard: TrainingShard(spec, data: data),
                    loss: try TrainingLoss(plan, description: spec.network, rows: spec.shard))
            }
        } catch {
            throw TrainingError(exitStatus: 70, "\(error); take fewer --threads, or a smaller \"shard\"")
        }
        yields = (0..<spec.shards).map { _ in Yield(parameters: parameters) }
    }

    /// The loss of a batch, summed over its rows.
    /// - Parameters:
    ///   - parameters: [P].
    ///   - gradient: [P], set to the sum over rows.
    func evaluate(iteration: Int, parameters: [Float], gradient: inout [Float]) -> Double {
        let next = Atomic(0)
        // Dispatch keeps its threads from one call to the next.
        DispatchQueue.concurrentPerform(iterations: benches.count) { thread in
            benches[thread].tools.withLock { tools in
                tools.loss.setParameters(parameters)
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < yields.count else { return }
                    tools.shard.draw(index: index, iteration: iteration)
                    yields[index].value.withLock { yield in
                        yield.loss = tools.loss.evaluate(
                            points: tools.shard.points, noise: tools.shard.noise, levels: tools.shard.levels,
                            labels: tools.shard.labels, gradient: &yield.gradient)
                    }
                }
            }
        }
        var loss = 0.0
        for index in gradient.indices { gradient[index] = 0 }
        for yield in yields {
            yield.value.withLock { value in
                loss += value.loss
                Gradient.add(value.gradient, to: &gradient)
            }
        }
        return loss
    }
}
