import CWireMessages
package import ContentHash

/// Where a job stands.
package struct JobStatus: Sendable, Equatable {
    /// The stages of a job's life.
    package enum State: String, Sendable, CaseIterable {
        /// The last three are final.
        case queued, running, paused, finished, failed, cancelled

        /// Whether nothing more will happen to the job.
        package var isOver: Bool { [.finished, .failed, .cancelled].contains(self) }
    }

    /// The hash of the canonical job.
    package var job: Digest
    /// As the job file has it.
    package var name: String
    /// Its stage of life.
    package var state: State
    /// Chains asked for.
    package var chainsTotal: Int
    /// Chains whose results are here.
    package var chainsDone: Int
    /// Of the work, with what is done inside running blocks.
    package var fraction: Double
    /// Mean over what is known so far; NaN if nothing is.
    package var acceptance: Double
    /// Since it was submitted, up to its end.
    package var secondsElapsed: Double
    /// Workers that are known now.
    package var workers: Int
    /// Why it failed; empty otherwise.
    package var failure: String
    /// Why it does not go on just now, such as a full disk; empty if it does.
    package var notice: String
    /// Jobs of a higher priority go first.
    package var priority: Int
    /// Times that a block was started again, because it was lost or came back.
    package var blocksAgain: Int
    /// When it was handed in, the last time: seconds since 1970.
    package var submittedAt: Double
    /// Whether nobody has handed it in: another job needs what it finds.
    package var isPreliminary: Bool
    /// Blocks whose results two workers have returned, the same.
    package var blocksVerified: Int

    /// Cuts the reason of a failure to so many bytes, for a list of many jobs.
    package mutating func cutFailure(to bytes: Int) {
        guard failure.utf8.count > bytes else { return }
        failure = PeerText.shown(failure, atMost: bytes) + "…; status of this job alone tells all"
    }

    /// Every field as given.
    package init(
        job: Digest, name: String, state: State, chainsTotal: Int, chainsDone: Int, fraction: Double,
        acceptance: Double, secondsElapsed: Double, workers: Int, failure: String, notice: String = "",
        priority: Int = 0, blocksAgain: Int = 0, submittedAt: Double = 0, isPreliminary: Bool = false,
        blocksVerified: Int = 0
    ) {
        self.job = job
        self.name = name
        self.state = state
        self.chainsTotal = chainsTotal
        self.chainsDone = chainsDone
        self.fraction = fraction
        self.acceptance = acceptance
        self.secondsElapsed = secondsElapsed
        self.workers = workers
        self.failure = failure
        self.notice = notice
        self.priority = priority
        self.blocksAgain = blocksAgain
        self.submittedAt = submittedAt
        self.isPreliminary = isPreliminary
        self.blocksVerified = blocksVerified
    }
}

extension JobStatus: WirePart {
    static var blank: JobStatus {
        JobStatus(
            job: .blank, name: "", state: .queued, chainsTotal: 0, chainsDone: 0, fraction: 0, acceptance: 0,
            secondsElapsed: 0, workers: 0, failure: "")
    }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__JobStatus>?) { rrr__wire__job_status__init(fields) }

    mutating func pass(_ m: inout Rrr__Wire__JobStatus, _ wire: inout WirePass) {
        wire.digest(&job, &m.job)
        wire.text(&name, &m.name)
        state.pass(&m.state, &wire)
        wire.number(&chainsTotal, &m.chains_total)
        wire.number(&chainsDone, &m.chains_done)
        wire.same(&fraction, &m.fraction)
        wire.same(&acceptance, &m.acceptance)
        wire.same(&secondsElapsed, &m.seconds_elapsed)
        wire.number(&workers, &m.workers)
        wire.text(&failure, &m.failure)
        wire.text(&notice, &m.notice)
        wire.number(&priority, &m.priority)
        wire.number(&blocksAgain, &m.blocks_again)
        wire.same(&submittedAt, &m.submitted_at)
        wire.flag(&isPreliminary, &m.preliminary)
        wire.number(&blocksVerified, &m.blocks_verified)
    }
}

extension JobStatus.State {
    private var onTheWire: Rrr__Wire__JobState {
        switch self {
        case .queued: RRR__WIRE__JOB_STATE__JOB_STATE_QUEUED
        case .running: RRR__WIRE__JOB_STATE__JOB_STATE_RUNNING
        case .paused: RRR__WIRE__JOB_STATE__JOB_STATE_PAUSED
        case .finished: RRR__WIRE__JOB_STATE__JOB_STATE_FINISHED
        case .failed: RRR__WIRE__JOB_STATE__JOB_STATE_FAILED
        case .cancelled: RRR__WIRE__JOB_STATE__JOB_STATE_CANCELLED
        }
    }

    fileprivate mutating func pass(_ field: inout Rrr__Wire__JobState, _ wire: inout WirePass) {
        guard wire.isReading else {
            field = onTheWire
            return
        }
        guard let state = Self.allCases.first(where: { $0.onTheWire == field }) else {
            return wire.refuse("a job in the unknown state \(field.rawValue)")
        }
        self = state
    }
}

/// The whole pool at a glance.
package struct PoolStatus: Sendable, Equatable {
    /// The most jobs that are told of, the latest ones: with the texts of each that is far less than a message may have.
    package static let mostJobs = 10_000

    /// How a coordinator tells who connects.
    package enum Protection: String, Sendable, CaseIterable {
        /// By where it listens: no other host reaches it.
        case local
        /// By keys; everything is encrypted.
        case keys
        /// Not at all.
        case insecure
    }

    /// In the order of submission.
    package var jobs: [JobStatus]
    /// Workers that are known now.
    package var workers: Int
    /// Blocks that can run side by side.
    package var slots: Int
    /// Of the program.
    package var version: String
    /// Since the coordinator started.
    package var uptimeSeconds: Double
    /// How it tells who connects.
    package var protection: Protection
    /// How often what was not taken from peers, since it started.
    package var refused: [RefusalCount]

    /// Every field as given.
    package init(
        jobs: [JobStatus], workers: Int, slots: Int, version: String, uptimeSeconds: Double,
        protection: Protection = .local, refused: [RefusalCount] = []
    ) {
        self.jobs = jobs
        self.workers = workers
        self.slots = slots
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.protection = protection
        self.refused = refused
    }
}

/// How often something was not taken from a peer.
package struct RefusalCount: Sendable, Equatable {
    /// What, in one word.
    package var name: String
    package var count: Int

    /// Both as given.
    package init(name: String, count: Int) { (self.name, self.count) = (name, count) }
}

extension RefusalCount: WirePart {
    static var blank: RefusalCount { RefusalCount(name: "", count: 0) }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__RefusalCount>?) {
        rrr__wire__refusal_count__init(fields)
    }

    mutating func pass(_ m: inout Rrr__Wire__RefusalCount, _ wire: inout WirePass) {
        wire.line(&name, &m.name, atMost: PeerText.longestName)
        wire.number(&count, &m.count)
    }
}

extension PoolStatus.Protection {
    private var onTheWire: Rrr__Wire__Protection {
        switch self {
        case .local: RRR__WIRE__PROTECTION__PROTECTION_LOCAL
        case .keys: RRR__WIRE__PROTECTION__PROTECTION_KEYS
        case .insecure: RRR__WIRE__PROTECTION__PROTECTION_INSECURE
        }
    }

    fileprivate mutating func pass(_ field: inout Rrr__Wire__Protection, _ wire: inout WirePass) {
        guard wire.isReading else {
            field = onTheWire
            return
        }
        guard let protection = Self.allCases.first(where: { $0.onTheWire == field }) else {
            return wire.refuse("an unknown protection \(field.rawValue)")
        }
        self = protection
    }
}

extension PoolStatus {
    /// Goes through its fields.
    mutating func pass(_ m: inout Rrr__Wire__PoolStatus, _ wire: inout WirePass) {
        wire.parts(&jobs, &m.n_jobs, &m.jobs)
        wire.number(&workers, &m.workers)
        wire.number(&slots, &m.slots)
        wire.text(&version, &m.version)
        wire.same(&uptimeSeconds, &m.uptime_seconds)
        protection.pass(&m.protection, &wire)
        wire.parts(&refused, &m.n_refused, &m.refused)
    }
}

/// One worker of the pool.
package struct WorkerStatus: Sendable, Equatable {
    /// Its number in this coordinator.
    package var worker: UInt64
    /// The name of its machine.
    package var host: String
    /// Its process number there.
    package var process: Int
    /// Blocks that can run side by side.
    package var slots: Int
    /// Of the program.
    package var version: String
    /// Of its arithmetic: equal ones give equal bytes.
    package var fingerprint: String
    /// Blocks whose results it has brought.
    package var blocksDone: Int
    /// Blocks that it has now.
    package var blocksRunning: Int
    /// Since its last message.
    package var secondsSinceHeard: Double
    /// The model servers that are ready beside it.
    package var servers: [OfferedServer]

    /// Every field as given.
    package init(
        worker: UInt64, host: String, process: Int, slots: Int, version: String, fingerprint: String,
        blocksDone: Int, blocksRunning: Int, secondsSinceHeard: Double, servers: [OfferedServer] = []
    ) {
        self.worker = worker
        self.host = host
        self.process = process
        self.slots = slots
        self.version = version
        self.fingerprint = fingerprint
        self.blocksDone = blocksDone
        self.blocksRunning = blocksRunning
        self.secondsSinceHeard = secondsSinceHeard
        self.servers = servers
    }
}

extension WorkerStatus: WirePart {
    static var blank: WorkerStatus {
        WorkerStatus(
            worker: 0, host: "", process: 0, slots: 0, version: "", fingerprint: "", blocksDone: 0, blocksRunning: 0,
            secondsSinceHeard: 0)
    }

    static func prepare(_ fields: UnsafeMutablePointer<Rrr__Wire__WorkerStatus>?) {
        rrr__wire__worker_status__init(fields)
    }

    mutating func pass(_ m: inout Rrr__Wire__WorkerStatus, _ wire: inout WirePass) {
        wire.same(&worker, &m.worker)
        wire.text(&host, &m.host)
        wire.number(&process, &m.process)
        wire.number(&slots, &m.slots)
        wire.text(&version, &m.version)
        wire.text(&fingerprint, &m.fingerprint)
        wire.number(&blocksDone, &m.blocks_done)
        wire.number(&blocksRunning, &m.blocks_running)
        wire.same(&secondsSinceHeard, &m.seconds_since_heard)
        wire.servers(&servers, &m.n_servers, &m.servers)
    }
}
