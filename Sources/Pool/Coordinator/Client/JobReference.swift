package import ContentHash
package import Messaging

extension PoolClient {
    /// The pool and its jobs, or one of them alone.
    ///
    /// - Throws: ``PoolClientError``.
    package mutating func status(of job: Digest? = nil) throws -> PoolStatus {
        try ask(.statusRequest(job: job)) { if case .poolStatus(let status) = $0 { status } else { nil } }
    }

    /// The job that a person means: its hash, the first digits of it, or `last` for the newest; one that is handed in again keeps
    /// its place.
    ///
    /// - Throws: ``PoolClientError`` with exit status 66 if there is none, 64 if there are several.
    package mutating func job(named reference: String) throws -> JobStatus {
        guard let job = Digest(hex: reference) else { return try status().jobs.job(named: reference) }
        // One that is no longer listed too.
        return try status(of: job).jobs.job(named: reference)
    }
}

extension [JobStatus] {
    func job(named reference: String) throws(PoolClientError) -> JobStatus {
        guard !reference.isEmpty else {
            throw PoolClientError(
                exitStatus: 64, "the first digits of a job's hash are missing; rrr-coordinator list shows them")
        }
        if reference == "last" {
            guard
                let last = filter({ !$0.isPreliminary }).enumerated().max(by: {
                    ($0.element.submittedAt, $0.offset) < ($1.element.submittedAt, $1.offset)
                })
            else {
                throw PoolClientError(exitStatus: 66, "no job was handed in here")
            }
            return last.element
        }
        let found = filter { $0.job.hex.hasPrefix(reference.lowercased()) }
        guard let job = found.first else {
            throw PoolClientError(
                exitStatus: 66, "no job's hash begins with \"\(reference)\"; rrr-coordinator list shows the jobs")
        }
        guard found.count == 1 else {
            let candidates = found.suffix(10).map {
                "\n  \($0.job.hex.prefix(16)) \($0.name), \($0.state.rawValue)"
            }
            let others = found.count - candidates.count
            throw PoolClientError(
                exitStatus: 64,
                "the hashes of \(found.count) jobs begin with \"\(reference)\"; give more digits of one:"
                    + candidates.joined() + (others > 0 ? "\n  and \(others) earlier ones" : ""))
        }
        return job
    }
}
