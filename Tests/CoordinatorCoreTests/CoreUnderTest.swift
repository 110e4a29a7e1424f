import CoordinatorCore
import ContentHash
import JobFile
import Journal
import Messaging
import PoolCore
import RunFolder

/// A core that is told what happens by the test, which looks at what it wants.
final class CoreUnderTest {
    static let host = "here"

    private var core: CoordinatorCore
    private(set) var now = Duration.zero
    /// What it wants since the last event.
    private(set) var actions: [CoordinatorCore.Action] = []

    init(
        _ pool: PoolConfiguration = PoolConfiguration(), limits: PeerLimits = PeerLimits(), keptFor: Duration? = nil,
        unfinishedStates: Int = MemoryLimits().unfinishedStates
    ) {
        var configuration = CoordinatorCore.Configuration(
            stateFolder: "", pool: pool, checkpointInterval: .seconds(10), host: Self.host)
        (configuration.limits, configuration.keptFor) = (limits, keptFor)
        configuration.memory.unfinishedStates = unfinishedStates
        core = CoordinatorCore(configuration)
    }

    /// Tells what happens. - Returns: what the core wants, what comes of its look-ups included.
    @discardableResult
    func callAsFunction(_ event: CoordinatorCore.Event) -> [CoordinatorCore.Action] {
        actions = []
        return handle(event)
    }

    private func handle(_ event: CoordinatorCore.Event) -> [CoordinatorCore.Action] {
        var events = [event]
        while !events.isEmpty {
            let wanted = core.handle(events.removeFirst(), at: moment)
            for case .lookUp(let job, let lookup) in wanted {
                events.append(.lookedUp(job, hasRun: false, lookup))
            }
            actions += wanted
        }
        return actions
    }

    private var moment: CoordinatorCore.Moment { CoordinatorCore.Moment(now: now, date: now / .seconds(1)) }

    /// Lets it look at a message, and read it if it wants to.
    ///
    /// - Parameter bytes: the length that the message is said to have.
    @discardableResult
    func hear(
        _ message: Message, from peer: PeerID, of origin: Origin = Origin(), bytes: Int = 0
    ) -> [CoordinatorCore.Action] {
        let outline = EnvelopeOutline(kind: message.kind, bytes: bytes)
        let isAdmitted: Bool
        (isAdmitted, actions) = core.screen(outline, from: peer, origin, at: moment)
        return isAdmitted ? handle(.message(.success(message), from: peer, over: nil, of: origin)) : actions
    }

    /// Lets time go by.
    @discardableResult
    func wait(_ time: Duration) -> [CoordinatorCore.Action] {
        now += time
        return self(.ticked)
    }

    func join(_ peer: PeerID, holding: [AttemptID] = []) {
        var registration = Registration(
            session: [UInt8](repeating: peer[0], count: 16), host: Self.host, process: Int(peer[0]), slots: 1,
            version: "1", fingerprint: "a")
        registration.holding = holding
        hear(.registration(registration), from: peer)
    }

    /// Hands a job in and reads it. - Returns: its number, once the core has asked the archive to open it.
    @discardableResult
    func submit(_ job: Job, from peer: PeerID = [200]) -> JobNumber? {
        hear(.submit(jobText: Array(job.canonicalText.utf8), force: false, watch: false), from: peer)
        for case .receive(.read(let number, _)) in actions { return read(job, number) }
        return nil
    }

    private func read(_ job: Job, _ number: Int) -> JobNumber? {
        self(.read(number, .job(job)))
        for case .ask(.open(let number, _, _, _, _)) in actions { return number }
        return nil
    }

    /// The same, and the archive has opened it.
    func run(_ job: Job, from peer: PeerID = [200], with stored: RecoveredJob? = nil) -> JobNumber? {
        guard let number = submit(job, from: peer) else { return nil }
        self(.archived(.opened(number, stored)))
        return number
    }

    /// Lets a job come to its end, its block done by a worker that joins for it. - Returns: its number.
    func finish(_ job: Job) -> JobNumber? {
        join([1])
        guard let number = run(job), let attempt = leases(to: [1]).first?.blocks.first else { return nil }
        hear(SmallJob.result(of: job, attempt), from: [1])
        self(.archived(.stored(Attempt(job: number, block: 0, number: attempt.attempt), 1, Acceptance())))
        self(.archived(.finished(number)))
        return number
    }

    /// What a peer is sent since the last event.
    func sent(to peer: PeerID) -> [Message] {
        actions.compactMap { if case .send(let message, peer) = $0 { message } else { nil } }
    }

    /// The leases among that.
    func leases(to peer: PeerID) -> [Lease] {
        sent(to: peer).compactMap { if case .lease(let lease) = $0 { lease } else { nil } }
    }

    /// What the archive is asked for since the last event.
    var asked: [ArchiveRequest] { actions.compactMap { if case .ask(let request) = $0 { request } else { nil } } }
}

/// Jobs of the tests.
enum SmallJob {
    /// A Gaussian on eight levels.
    ///
    /// - Parameter steps: the step size, as jobs write it.
    static func job(chains: Int = 4, steps: String = "0.01") throws -> Job {
        let text = """
            {"rrr": 1, "name": "small", "models": {"a": {"kind": "gaussian", "mean": [0, 0], "std": 0.1}}, "target": "a",
             "schedule": {"kind": "cosine", "levels": 8},
             "sampler": {"kind": "mala", "transitions": 2, "step_size": \(steps)}, "chains": \(chains), "block": 4}
            """
        return try Job.decode(Array(text.utf8), file: "job.json")
    }

    /// A result that could be one of the first block.
    static func result(of job: Job, _ attempt: AttemptID) -> Message {
        .result(
            BlockReport(
                attempt: attempt, samples: [UInt8](repeating: 0, count: 4 * job.dimension * 4),
                statistics: StatisticRows(
                    job.description.statistics.map {
                        .init(name: $0.name, bytes: [UInt8](repeating: 0, count: $0.size(chains: 4, blocks: 1)))
                    }),
                gradientEvaluations: 1, seconds: 1))
    }
}
