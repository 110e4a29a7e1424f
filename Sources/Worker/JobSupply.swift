import ContentHash
import JobFile
import Logging
import Messaging
import ModelTransfer
import Sampling

/// What it takes to run the blocks of a job.
struct PreparedJob: Sendable {
    let job: Job
    let plan: SamplingPlan
    /// Held so that no other process removes them.
    let models: [Digest: StoredModel]
}

/// The jobs that a worker knows, and the model files that they wait for.
///
/// A job's text is read on another thread; model files that are missing are asked for, all at once, and
/// then it is read again.
struct JobSupply {
    /// What a reading came to.
    enum Reading: Sendable {
        case ready(PreparedJob)
        case missing([Digest], found: [Digest: StoredModel])
        case failed(reason: String)
    }

    /// What the blocks of a job have to be told.
    enum Change {
        case ready(Digest)
        case failed(Digest, reason: String)
    }

    private enum State {
        /// Its text alone is kept.
        case known
        case reading
        case waiting(missing: Set<Digest>, found: [Digest: StoredModel])
        case ready(PreparedJob)
    }

    private let store: ModelStore
    private let reader: JobReader<Digest>
    private var jobs: [Digest: (text: [UInt8], state: State)] = [:]
    private var downloads: [Digest: ModelDownload] = [:]

    /// - Parameter deliver: called from another thread; its arguments are for ``take(_:of:at:)``.
    init(store: ModelStore, deliver: @escaping @Sendable (Digest, Reading) -> Void) {
        self.store = store
        let networks = NetworkLibrary()
        reader = JobReader(store: store) { deliver($0, Self.reading($1, of: $0, networks)) }
    }

    private static func reading(
        _ outcome: JobReader<Digest>.Outcome, of identity: Digest, _ networks: NetworkLibrary
    ) -> Reading {
        switch outcome {
        case .missing(let models, let found):
            return .missing(models, found: found)
        case .refused(let error):
            return .failed(reason: "the job was refused: \(error)")
        case .job(let job, let models):
            do {
                let plan = try job.plan { digest in
                    guard let model = models[digest] else {
                        throw ModelTransferError(.unavailable, "the model \(digest.hex) is not there")
                    }
                    return try networks.network(model)
                }
                return .ready(PreparedJob(job: job, plan: plan, models: models))
            } catch {
                return .failed(reason: "\(error)")
            }
        }
    }

    /// The job, if its blocks can run now.
    func ready(_ job: Digest) -> PreparedJob? {
        if case .ready(let prepared) = jobs[job]?.state { prepared } else { nil }
    }

    /// Whether the job is known and its blocks have to wait. Makes a job ready that is known alone.
    ///
    /// - Parameters:
    ///   - text: empty if it has come before.
    ///   - inUse: the jobs that have blocks here; of others no more than the text is kept.
    mutating func isPreparing(_ job: Digest, text: [UInt8], inUse: Set<Digest>) -> Bool {
        if jobs[job] == nil, !text.isEmpty { jobs[job] = (text, .known) }
        guard let entry = jobs[job] else { return false }
        switch entry.state {
        case .ready: return false
        case .reading, .waiting: return true
        case .known: break
        }
        for other in jobs.keys where !inUse.contains(other) {
            if case .ready = jobs[other]?.state { jobs[other]?.state = .known }
        }
        jobs[job]?.state = .reading
        reader.read(entry.text, ticket: job)
        return true
    }

    /// Forgets a job that is over: the coordinator sends its text again should it go on one day.
    mutating func forget(_ job: Digest) {
        jobs[job] = nil
        for model in downloads.keys where waiting(for: model).isEmpty { downloads[model] = nil }
    }

    /// Takes in what a reading came to.
    mutating func take(_ reading: Reading, of job: Digest, at now: Duration) -> [Change] {
        guard jobs[job] != nil else { return [] }
        switch reading {
        case .ready(let prepared):
            jobs[job]?.state = .ready(prepared)
            return [.ready(job)]
        case .failed(let reason):
            return [fail(job, reason)]
        case .missing(let models, let found):
            jobs[job]?.state = .waiting(missing: Set(models), found: found)
            do {
                for model in models where downloads[model] == nil {
                    downloads[model] = try ModelDownload(model, into: store, at: now)
                }
                return []
            } catch {
                return [fail(job, "\(error)")]
            }
        }
    }

    /// Takes in a piece of a model file.
    mutating func take(_ chunk: ModelChunk, at now: Duration) -> [Change] {
        do {
            guard let model = try downloads[chunk.model]?.take(chunk, at: now) else { return [] }
            arrived(model)
            return []
        } catch {
            return failed(chunk.model, reason: "\(error)")
        }
    }

    /// Takes in that a model file cannot be had.
    mutating func failed(_ model: Digest, reason: String) -> [Change] {
        downloads[model] = nil
        return waiting(for: model).map { fail($0, reason) }
    }

    /// What to ask the coordinator for now.
    mutating func requests(at now: Duration) -> [Message] {
        downloads.keys.sorted { $0.hex < $1.hex }.flatMap { downloads[$0]?.requests(at: now) ?? [] }
    }

    /// Asks again for what is missing: the coordinator has started anew. It sends the texts of all jobs again, so that
    /// those of jobs that are not `inUse` go.
    mutating func startAnew(inUse: Set<Digest>) {
        for job in jobs.keys where !inUse.contains(job) { forget(job) }
        for model in downloads.keys { downloads[model]?.startAnew() }
    }

    private mutating func arrived(_ model: StoredModel) {
        downloads[model.digest] = nil
        for job in waiting(for: model.digest) {
            guard let text = jobs[job]?.text, case .waiting(var missing, var found) = jobs[job]?.state else { continue }
            missing.remove(model.digest)
            found[model.digest] = model
            jobs[job]?.state = missing.isEmpty ? .reading : .waiting(missing: missing, found: found)
            if missing.isEmpty { reader.read(text, found: found, ticket: job) }
        }
    }

    private func waiting(for model: Digest) -> [Digest] {
        jobs.filter { _, entry in
            if case .waiting(let missing, _) = entry.state { missing.contains(model) } else { false }
        }.map(\.key)
    }

    private mutating func fail(_ job: Digest, _ reason: String) -> Change {
        // The next lease tries again.
        jobs[job]?.state = .known
        return .failed(job, reason: reason)
    }
}
