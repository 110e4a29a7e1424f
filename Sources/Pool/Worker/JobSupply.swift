import ContentHash
import EnergyModels
import JobFile
import Logging
import Messaging
import ModelTransfer
import Safetensors
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
    /// Why the blocks of a job can't run.
    struct Trouble: Error {
        let reason: String
        /// Whether it is the worker's own, such as a full disk: another worker may be able to run them.
        let isInability: Bool
    }

    /// What a reading came to.
    enum Reading: Sendable {
        case ready(PreparedJob)
        case missing([Digest], found: [Digest: StoredModel])
        case failed(Trouble)
    }

    /// A text that is to be read.
    struct Order: Sendable {
        let job: Digest
        /// The SHA-256 of the text.
        let text: Digest
    }

    /// How a job stands whose blocks have come.
    enum Standing {
        /// They can run now.
        case ready
        /// They have to wait.
        case preparing
        /// The text that they are to be run by is not here.
        case unknown
        /// What came is not the text that it is said to be.
        case garbled
    }

    /// What the blocks of a job have to be told.
    enum Change {
        case ready(Digest)
        case failed(Digest, Trouble)
    }

    private enum State {
        /// Its text alone is kept.
        case known
        case reading
        case waiting(missing: Set<Digest>, found: [Digest: StoredModel])
        case ready(PreparedJob)
    }

    private struct Entry {
        /// The job, with the numbers that were found for it first. Where they are found anew, it changes.
        let text: [UInt8]
        /// The text's SHA-256.
        let digest: Digest
        var state = State.known
    }

    private let cache: OpenModelCache
    private let reader: JobReader<Order>
    private var jobs: [Digest: Entry] = [:]
    private var downloads: [Digest: ModelDownload] = [:]

    /// - Parameters:
    ///   - memory: for the networks of a job.
    ///   - isAlone: whether no other worker has more memory, so that a job for which it is not enough is given up.
    ///   - servers: the model servers beside this worker.
    ///   - deliver: called from another thread; its arguments are for ``take(_:of:at:)``.
    init(
        cache: OpenModelCache, memory: NetworkMemory, isAlone: Bool, servers: ModelServers? = nil,
        deliver: @escaping @Sendable (Order, Reading) -> Void
    ) {
        self.cache = cache
        let library = NetworkLibrary()
        reader = JobReader(store: cache.store) {
            deliver($0, Self.reading($1, library, memory, servers, isAlone: isAlone))
        }
    }

    private static func reading(
        _ outcome: JobReader<Order>.Outcome, _ library: NetworkLibrary, _ memory: NetworkMemory,
        _ servers: ModelServers?, isAlone: Bool
    ) -> Reading {
        switch outcome {
        case .missing(let models, let found):
            return .missing(models, found: found)
        case .refused(let error):
            return .failed(Trouble(reason: "the job was refused: \(error)", isInability: false))
        case .job(let job, let models):
            do {
                func absent(_ digest: Digest) -> ModelTransferError {
                    ModelTransferError(.unavailable, "the model \(digest.hex) is not there")
                }
                var networks: [Digest: Network] = [:]
                for digest in job.networkNames.keys {
                    guard let model = models[digest] else { throw absent(digest) }
                    networks[digest] = try library.network(model)
                }
                networks = try memory.share(
                    among: networks, names: job.networkNames, replicas: job.sampler.exchange?.levels.count ?? 1)
                let plan = try job.plan { digest in
                    guard let network = networks[digest] else { throw absent(digest) }
                    return network
                } server: { model in
                    guard let servers else { throw NoServer(name: model.name) }
                    return try servers.server(for: model, of: job)
                }
                return .ready(PreparedJob(job: job, plan: plan, models: models))
            } catch let refusal as ModelServers.Refusal {
                return .failed(Trouble(reason: "\(refusal)", isInability: refusal.isAbsence))
            } catch let absence as NoServer {
                return .failed(Trouble(reason: "\(absence)", isInability: true))
            } catch let shortage as MemoryShortage {
                return .failed(Trouble(reason: "\(shortage)", isInability: !isAlone))
            } catch {
                // A file that was checked and can't be read is the disk's doing; one that is no model is the job's.
                let isUnreadable = (error as? SafetensorsError).map { $0.code != .badData } ?? false
                return .failed(Trouble(reason: "\(error)", isInability: isUnreadable || error is ModelTransferError))
            }
        }
    }

    /// The job, if its blocks can run now.
    func ready(_ job: Digest) -> PreparedJob? {
        if case .ready(let prepared) = jobs[job]?.state { prepared } else { nil }
    }

    /// Takes in what blocks that have come are to be run by, and makes the job ready if it is known alone.
    ///
    /// - Parameters:
    ///   - text: empty if it has come before.
    ///   - digest: the SHA-256 of the text.
    ///   - inUse: the jobs that have blocks here; of others no more than the text is kept.
    mutating func take(_ job: Digest, text: [UInt8], digest: Digest, inUse: Set<Digest>) -> Standing {
        if jobs[job]?.digest != digest {
            guard !text.isEmpty else { return .unknown }
            guard SHA256.hash(of: text) == digest else { return .garbled }
            jobs[job] = Entry(text: text, digest: digest)
        }
        guard let entry = jobs[job] else { return .unknown }
        switch entry.state {
        case .ready: return .ready
        case .reading, .waiting: return .preparing
        case .known: break
        }
        for other in jobs.keys where !inUse.contains(other) {
            if case .ready = jobs[other]?.state { jobs[other]?.state = .known }
        }
        read(job)
        return .preparing
    }

    private mutating func read(_ job: Digest, found: [Digest: StoredModel] = [:]) {
        guard let entry = jobs[job] else { return }
        jobs[job]?.state = .reading
        reader.read(entry.text, found: found, ticket: Order(job: job, text: entry.digest))
    }

    /// Forgets a job that is over: the coordinator sends its text again should it go on one day.
    mutating func forget(_ job: Digest) {
        jobs[job] = nil
        for model in downloads.keys where waiting(for: model).isEmpty { downloads[model] = nil }
    }

    /// Takes in what a reading came to.
    mutating func take(_ reading: Reading, of order: Order, at now: Duration) -> [Change] {
        let job = order.job
        // Another text may have taken its place meanwhile.
        guard jobs[job]?.digest == order.text else { return [] }
        switch reading {
        case .ready(let prepared):
            jobs[job]?.state = .ready(prepared)
            return [.ready(job)]
        case .failed(let trouble):
            return [fail(job, trouble)]
        case .missing(let models, var found):
            do {
                for model in models { found[model] = try cache.openTemporary(model) }
                let missing = Set(models.filter { found[$0] == nil })
                guard !missing.isEmpty else {
                    read(job, found: found)
                    return []
                }
                jobs[job]?.state = .waiting(missing: missing, found: found)
                for model in missing where downloads[model] == nil { try download(model, at: now) }
                return []
            } catch {
                return [fail(job, Trouble(reason: "\(error)", isInability: true))]
            }
        }
    }

    private mutating func download(_ model: Digest, at now: Duration) throws(ModelTransferError) {
        do {
            downloads[model] = try ModelDownload(model, into: cache.store, at: now)
        } catch {
            try moveDownloads(because: error, at: now)
            downloads[model] = try ModelDownload(model, into: cache.store, at: now)
        }
    }

    /// Begins all downloads again in a temporary folder. - Throws: the error itself if that was done before.
    private mutating func moveDownloads(
        because error: ModelTransferError, at now: Duration
    ) throws(ModelTransferError) {
        try cache.moveAway(because: error)
        for model in downloads.keys { downloads[model] = try ModelDownload(model, into: cache.store, at: now) }
    }

    /// Takes in a piece of a model file.
    mutating func take(_ chunk: ModelChunk, at now: Duration) -> [Change] {
        do {
            guard let model = try downloads[chunk.model]?.take(chunk, at: now) else { return [] }
            arrived(model)
            return []
        } catch {
            guard error.code == .cannotCreate || error.code == .inputOutput else {
                // What the coordinator sends is not the model: no worker gets it.
                return failed(
                    chunk.model, Trouble(reason: "\(error)", isInability: error.code != .wrongContent))
            }
            do {
                try moveDownloads(because: error, at: now)
                return []
            } catch {
                return failed(chunk.model, Trouble(reason: "\(error)", isInability: true))
            }
        }
    }

    /// Takes in that a model file cannot be had.
    mutating func failed(_ model: Digest, _ trouble: Trouble) -> [Change] {
        downloads[model] = nil
        return waiting(for: model).map { fail($0, trouble) }
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
            guard case .waiting(var missing, var found) = jobs[job]?.state else { continue }
            missing.remove(model.digest)
            found[model.digest] = model
            jobs[job]?.state = .waiting(missing: missing, found: found)
            if missing.isEmpty { read(job, found: found) }
        }
    }

    private func waiting(for model: Digest) -> [Digest] {
        jobs.filter { _, entry in
            if case .waiting(let missing, _) = entry.state { missing.contains(model) } else { false }
        }.map(\.key)
    }

    private mutating func fail(_ job: Digest, _ trouble: Trouble) -> Change {
        // The next lease tries again.
        jobs[job]?.state = .known
        return .failed(job, trouble)
    }
}
