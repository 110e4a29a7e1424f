package import ContentHash
package import Messaging

/// Follows a job that somebody else may have handed in. It asks again and again, so that neither side remembers the other
/// and a coordinator that starts anew is nothing special.
package struct JobWatch {
    private var client: PoolClient
    private let job: Digest
    private let clock = ContinuousClock()

    /// How often it asks.
    private static let interval = Duration.milliseconds(500)
    /// How long a coordinator may be silent.
    private static let patience = Duration.seconds(30)

    /// Of a job that is known there.
    package init(_ client: PoolClient, of job: Digest) { (self.client, self.job) = (client, job) }

    /// Waits until the job is over.
    ///
    /// - Parameter report: called with every answer, the last one included.
    /// - Throws: ``PoolClientError``: 2 if the job failed or was cancelled, 66 if it was deleted, 69 if the coordinator
    ///   stays silent for 30 s, 130 or 143 after a signal; what `report` throws.
    package mutating func run(_ report: (JobStatus) throws -> Void) throws {
        var heard = clock.now
        while true {
            do {
                let jobs = try client.status(of: job).jobs
                heard = clock.now
                guard let status = jobs.first else {
                    throw PoolClientError(exitStatus: 66, "the job was deleted")
                }
                try report(status)
                if try status.isDone() { return }
            } catch let error as PoolClientError {
                guard error.exitStatus == 69, clock.now - heard < Self.patience else { throw error }
            }
            // Nobody has anything to say unasked, but an interruption ends the wait.
            _ = try client.receive(within: Self.interval)
            if client.interruptedBy != nil { throw client.unreachable() }
        }
    }
}

extension JobStatus {
    /// Whether the job is finished. - Throws: ``PoolClientError`` with exit status 2 if it ended otherwise.
    func isDone() throws(PoolClientError) -> Bool {
        switch state {
        case .finished: true
        case .failed: throw PoolClientError(exitStatus: 2, "the job failed: \(failure)")
        case .cancelled: throw PoolClientError(exitStatus: 2, "the job was cancelled")
        case .queued, .running, .paused: false
        }
    }
}
