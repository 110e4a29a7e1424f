import Coordinator
import JobFile
import Messaging

/// What the way of one job through a pool took.
struct JobRun {
    /// From handing it in to `accepted`.
    var acceptance = Duration.zero
    /// From `accepted` to the news that it is finished; of a job that was stopped, to the last news of it.
    var work = Duration.zero
    /// Blocks whose results arrived in that time.
    var blocks = 0

    var blocksPerSecond: Double { Double(blocks) / (work / .seconds(1)) }

    /// Hands a job in and follows it by its events, as `submit` does; one that takes longer than `limit` is stopped.
    ///
    /// - Throws: ``PoolClientError`` if it is refused or fails, or the coordinator falls silent.
    init(_ job: Job, on pool: PoolUnderTest, limit: Duration = .seconds(20)) throws {
        let clock = ContinuousClock()
        let identity = job.identity
        var client = try pool.client()
        try client.greet()
        let start = clock.now
        var accepted = start
        let question = Message.submit(jobText: Array(job.canonicalText.utf8), force: true, watch: true)
        let end = try client.ask(question, within: limit + .seconds(60)) { answer -> JobStatus? in
            switch answer {
            case .accepted:
                accepted = clock.now
                return nil
            case .event(let status) where status.job == identity:
                return status.state.isOver || clock.now - accepted > limit && status.chainsDone > 0 ? status : nil
            default:
                return nil
            }
        }
        work = clock.now - accepted
        acceptance = accepted - start
        blocks = end.chainsDone / job.block
        switch end.state {
        case .finished:
            blocks = job.blocks
        case .failed, .cancelled:
            throw PoolClientError(exitStatus: 2, "the benchmark's job ended as \(end.state.rawValue): \(end.failure)")
        case .queued, .running, .paused:
            try pool.cancel(job)
        }
        pool.remove(job)
    }
}

extension PoolClient {
    /// Waits for the connection, which is not to be a part of what is measured next.
    mutating func greet() throws {
        _ = try ask(.workersRequest) { answer -> Bool? in
            if case .workers = answer { true } else { nil }
        }
    }
}

extension PoolUnderTest {
    /// Stops a job and returns when it is over.
    func cancel(_ job: Job) throws {
        // Another connection than its watcher's, which would get no answer.
        var client = try client()
        _ = try client.ask(.cancel(job: job.identity), within: .seconds(60)) { answer -> Bool? in
            if case .poolStatus = answer { true } else { nil }
        }
    }
}
