import ContentHash
import JobFile
import Journal
import Logging
import Messaging
import PoolCore
import RunFolder

/// A worker that is registered.
struct WorkerEntry {
    let peer: PeerID
    /// What it registered by; nil if lines are not told apart.
    let line: Line?
    /// Whose key it has; nil where there are no keys.
    let credential: Credential?
    /// What it said of itself; what it held then is the scheduler's.
    var registration: Registration
    /// What provenance tells of it where a job uses no model servers.
    let record: WorkerDescription
    /// Jobs whose text it has.
    var knownJobs: Set<Digest> = []
    /// The scheduler's number of the last grant.
    var lastGrant: UInt64 = 0
    /// The number of the last lease that was sent: a grant may travel in several.
    var lastLease: UInt64 = 0
    /// What it was granted and has not been sent yet: a state goes before it, or it is to read something else first.
    var loading: Set<Attempt> = []
    /// Whether the archive looks for a state, or a piece of one, for it: one after the other.
    var isLoading = false
    /// When it was found that its connection is gone; nil if it is not.
    var goneSince: Duration?
    /// What has come of the long state that is on its way from it: the pieces of one come one after the other.
    var arriving: Arrival?

    /// The worker's arithmetic, and that of the model servers beside it.
    var arithmetic: Arithmetic {
        Arithmetic(
            program: registration.fingerprint,
            servers: Dictionary(registration.servers.map { ($0.name, $0.fingerprint) }) { first, _ in first })
    }

    /// What provenance tells of it: of its arithmetic that part which the job uses.
    func record(usingServers servers: Set<String>) -> WorkerDescription {
        guard !servers.isEmpty, let part = arithmetic.part(using: servers) else { return record }
        return WorkerDescription(
            name: record.name, host: record.host, process: record.process, slots: record.slots, version: record.version,
            fingerprint: "\(part)", party: record.party)
    }
}

/// How much of a long state has come.
struct Arrival: Equatable {
    let attempt: Attempt
    let stepsDone: Int
    /// Where its first piece began, and where the next one is to begin.
    let start: Int
    var end: Int

    var bytes: Int { end - start }
}

/// What workers say.
extension CoordinatorCore {
    mutating func hear(_ message: Message, from worker: WorkerID, _ peer: PeerID) {
        switch message {
        case .progress(let progress):
            guard let attempt = attempt(progress.attempt) else { return act(on: .heard(worker)) }
            if scheduler.holds(worker, attempt) { jobs[progress.attempt.job]?.note(progress) }
            let fraction = progress.stepsTotal > 0 ? Double(progress.stepsDone) / Double(progress.stepsTotal) : 0
            act(on: .progressed(worker, attempt, fraction: fraction))
        case .checkpoint(let state):
            take(state, from: worker)
        case .returned(let state):
            if !state.state.isEmpty { take(state, from: worker) }
            act(on: attempt(state.attempt).map { .returned(worker, $0) } ?? .heard(worker))
        case .result(let report):
            guard let attempt = attempt(report.attempt) else {
                // Nobody wants it any more.
                send(.taken(job: report.attempt.job, blocks: [report.attempt.block]), to: peer)
                return act(on: .heard(worker))
            }
            take(report, of: attempt, from: worker)
        case .failure(let id, let text, let isInability):
            if complaints.admits(.failure, about: peer) {
                log(
                    .warning,
                    "worker \(worker): block \(id.block) \(isInability ? "can't be run there" : "failed"): \(text)")
            }
            guard let attempt = attempt(id) else { return act(on: .heard(worker)) }
            act(on: isInability ? .unable(worker, attempt, reason: text) : .failed(worker, attempt, reason: text))
        case .modelRequest(let request):
            // A worker checks what it gets, and one that gets nothing asks again.
            perform(.sendModel(request, to: peer))
            owe(request.length, over: workers[worker]?.line)
            act(on: .supplied(worker))
        case .goodbye:
            act(on: .left(worker))
        case .heartbeat(let lease, let holding):
            send(.heartbeat(), to: peer)
            guard let entry = workers[worker], entry.loading.isEmpty else { return act(on: .heard(worker)) }
            // A grant has arrived when the last of its leases has.
            let grant = lease == entry.lastLease ? entry.lastGrant : 0
            act(on: .counted(worker, grant: grant, holding: holding))
        default:
            act(on: .heard(worker))
        }
    }

    /// Takes in a result if it can be one: workers are not believed.
    private mutating func take(_ report: BlockReport, of attempt: Attempt, from worker: WorkerID) {
        guard let form = jobs[report.attempt.job]?.work?.form, 0..<form.job.blocks ~= report.attempt.block else {
            return act(on: .failed(worker, attempt, reason: "its result is of a block that the job has not"))
        }
        let record = BlockRecord(
            firstChain: report.attempt.block * form.job.block,
            chains: form.job.chains(inBlock: report.attempt.block), samples: report.samples,
            statistics: report.statistics, gradientEvaluations: report.gradientEvaluations)
        if let problem = record.problem(in: form.description) ?? form.limits.problem(in: record, of: form.description) {
            return act(on: .failed(worker, attempt, reason: "its result can't be one of the job: \(problem)"))
        }
        var report = report
        // No block takes thirty years.
        let hasTime = 0...1e9 ~= report.seconds
        if !hasTime { report.seconds = 0 }
        act(
            on: .finished(worker, attempt, seconds: hasTime ? report.seconds : nil),
            holding: .result(worker, report, record))
    }

    func attempt(_ id: AttemptID) -> Attempt? {
        guard jobs[id.job]?.state.isOver == false, let job = jobs[id.job]?.number else { return nil }
        return Attempt(job: job, block: id.block, number: id.attempt)
    }

    mutating func register(_ registration: Registration, _ peer: PeerID, over line: Line?, _ origin: Origin) {
        guard !isDismissing else {
            send(.drain(reason: "the coordinator stops"), to: peer)
            return
        }
        // What it holds of a job that is about to go on would be called back: it asks again in a moment.
        guard !registration.holding.contains(where: { isBeingTakenUp($0.job) }) else { return }
        let id = workerByPeer[peer] ?? nextWorker
        if id == nextWorker { nextWorker += 1 }
        // Whatever it was sent before may not have arrived, the texts of jobs included, and what it sent may be lost.
        abandonState(of: id)
        workers[id] = WorkerEntry(
            peer: peer, line: line, credential: origin.credential, registration: registration,
            record: WorkerDescription(
                name: "\(id)", host: registration.host, process: registration.process, slots: registration.slots,
                version: registration.version, fingerprint: registration.fingerprint,
                party: Self.party(of: registration, origin.credential)))
        workers[id]?.registration.holding = []
        workerByPeer[peer] = id
        if complaints.admits(.registration, about: peer) {
            let whence = origin.text.isEmpty ? "" : ", \(origin.text)"
            log(.info, "worker \(id) on \(registration.host), \(registration.slots) slots\(whence)")
        }
        send(
            .welcome(
                worker: id, registration: registration.number, heartbeat: configuration.pool.heartbeat,
                silence: configuration.pool.silence), to: peer)
        var holding: [Attempt] = []
        var unknown: [Digest: [Int]] = [:]
        for held in registration.holding {
            if let attempt = attempt(held) {
                holding.append(attempt)
            } else {
                unknown[held.job, default: []].append(held.block)
            }
        }
        for (job, blocks) in unknown.sorted(by: { $0.key.hex < $1.key.hex }) {
            send(.revoke(job: job, blocks: blocks), to: peer)
        }
        act(
            on: .registered(
                id, slots: registration.slots, group: workers[id].map { "\($0.arithmetic)" } ?? "", holding: holding,
                party: workers[id]?.record.party ?? ""))
        for job in jobs(where: { $0.work?.waitsForWorker == true }) { proceed(job) }
    }

    /// Whether a job is not with the scheduler yet and will be, as soon as its text is read or its files are open.
    private func isBeingTakenUp(_ id: Digest) -> Bool {
        guard isStorageReady else { return false }
        if let job = jobs[id] { return !job.state.isOver && job.unanswered != nil }
        return past[id].map { intake.isReading(nobody($0.job.record)) } ?? false
    }

    mutating func processDied(_ process: Int32, reason: String) {
        let dead = workers.filter {
            $0.value.registration.process == Int(process)
                && $0.value.registration.host == configuration.host
        }
        for id in dead.keys.sorted() { act(on: .died(id, reason: reason)) }
    }

    // MARK: Results that may be let go

    /// So many confirmations are sent to a worker at once; fewer wait for a moment.
    private static let mostConfirmations = 64

    /// Confirmations wait for company: a worker that keeps a few results for a moment longer costs less than a message
    /// for each.
    mutating func confirm(_ attempt: Attempt, to worker: WorkerID) {
        guard workers[worker] != nil else { return }
        confirmations[worker, default: []].append(attempt)
        if confirmations[worker]?.count ?? 0 >= Self.mostConfirmations { sendConfirmations(to: worker) }
    }

    /// The job begins anew: confirmations name blocks and no attempts.
    mutating func forgetConfirmations(of job: JobNumber) {
        for worker in confirmations.keys { confirmations[worker]?.removeAll { $0.job == job } }
    }

    mutating func sendConfirmations() {
        for worker in confirmations.keys.sorted() { sendConfirmations(to: worker) }
    }

    private mutating func sendConfirmations(to worker: WorkerID) {
        guard let attempts = confirmations.removeValue(forKey: worker), let peer = workers[worker]?.peer else { return }
        for (number, group) in Dictionary(grouping: attempts, by: \.job).sorted(by: { $0.key < $1.key }) {
            guard let job = identities[number] else { continue }
            send(.taken(job: job, blocks: group.map(\.block)), to: peer)
        }
    }
}
