import Coordinator
import Foundation
import JobFile
import Messaging
import Synchronization

/// One simulated worker in a thread of this process, which times what it waits for each next block.
struct LatencyProbe {
    private let pool: PoolUnderTest

    /// - Parameter pool: one without workers, whose queues hold one block.
    init(_ pool: PoolUnderTest) { self.pool = pool }

    /// The times from a result to the arrival of the next block, in their order, of all blocks of a job but the first.
    func latencies(of job: Job) throws -> [Duration] {
        let outcome = Mutex<Result<[Duration], any Error>>(.success([]))
        let ended = DispatchSemaphore(value: 0)
        let end = Mailbox<Bool>()
        let endpoint = pool.endpoint
        Thread {
            let result = Result {
                var worker = try SimulatedWorkers(count: 1, coordinator: endpoint, wantsLatencies: true)
                try worker.run(until: end)
                return worker.latencies
            }
            outcome.withLock { $0 = result }
            ended.signal()
        }.start()
        defer {
            end.post(true)
            ended.wait()
        }
        try pool.awaitWorkers(1)
        _ = try JobRun(job, on: pool)
        end.post(true)
        ended.wait()
        // The wait of `defer` is over, too.
        ended.signal()
        return try outcome.withLock { try $0.get() }
    }
}
