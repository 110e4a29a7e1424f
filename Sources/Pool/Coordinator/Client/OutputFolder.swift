package import ContentHash
import RunFolder

/// What stands in a job's output folder, and whether the job may be written there.
package struct OutputFolder: Sendable {
    /// Where it is.
    package let path: String
    private let job: Digest

    /// The folder at `path`, for the job with this identity.
    package init(_ path: String, for job: Digest) {
        self.path = path
        self.job = job
    }

    /// Refuses to replace what is not this job's.
    ///
    /// - Returns: whether the finished result of this very job is there.
    /// - Throws: ``PoolClientError`` with exit status 73 if the folder holds another job's result or files of the names
    ///   that a run gives, 65 if it holds a damaged result of this job; `RunFolderError`.
    package func holdsResult() throws -> Bool {
        switch try RunFolder.content(of: path) {
        case .absent, .empty:
            return false
        case .finished(let hash) where hash == job.hex:
            return true
        case .finished(let hash):
            throw refusal("holds the result of another job, \(name(of: hash))")
        case .damaged(let hash, let reason) where hash == job.hex:
            throw PoolClientError(
                exitStatus: 65, "\(path) holds a damaged result of this job (\(reason)); --force runs it again")
        case .damaged(let hash, let reason):
            throw refusal("holds the damaged result of another job, \(name(of: hash)) (\(reason))")
        case .foreign(let names):
            let taken = names.filter(RunFolder.ownNames.contains)
            guard !taken.isEmpty else { return false }
            throw refusal("holds files that the job would replace: \(taken.joined(separator: ", "))")
        }
    }

    /// Refuses a folder that holds anything; hidden names don't count.
    ///
    /// - Throws: ``PoolClientError`` with exit status 73; `RunFolderError`.
    package static func expectEmpty(_ path: String) throws {
        switch try RunFolder.content(of: path) {
        case .absent, .empty: return
        default:
            throw PoolClientError(
                exitStatus: 73, "\(path) is not empty; name a folder that is, or that is not there yet")
        }
    }

    private func name(of hash: String) -> String {
        let name = (try? RunFolder.summary(in: path))?.name ?? ""
        return name.isEmpty ? hash : "\(name) (\(hash.prefix(8)))"
    }

    private func refusal(_ text: String) -> PoolClientError {
        PoolClientError(exitStatus: 73, "\(path) \(text); give another --output, or --force to replace it")
    }
}
