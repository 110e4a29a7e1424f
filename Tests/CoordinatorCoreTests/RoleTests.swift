import ContentHash
import CoordinatorCore
import JobFile
import Journal
import Messaging
import PoolCore
import Testing

/// Who may say what to a core, and how much.
struct RoleTests {
    private let worker = Credential(name: "node", role: .worker)
    private let submitter = Credential(name: "ada", role: .submitter)
    private let status = Credential(name: "wall", role: .status)

    private func hear(
        _ core: CoreUnderTest, _ message: Message, from peer: PeerID, as credential: Credential?
    ) {
        core.hear(message, from: peer, of: Origin(address: "10.0.0.9", credential: credential))
    }

    private func registration(_ peer: PeerID) -> Message {
        .registration(
            Registration(
                session: [UInt8](repeating: peer[0], count: 16), host: CoreUnderTest.host, process: 1, slots: 1,
                version: "1", fingerprint: "a"))
    }

    private static let job = SHA256.hash(of: [1])
    private static let attempt = AttemptID(job: job, block: 0, attempt: 1)

    private static let submitting: [Message] = [
        .submit(jobText: [1], force: false, watch: false), .cancel(job: job), .control(job: job, .pause),
        .delete(job: job), .fetch(job: job, file: "samples.npy", offset: 0, length: 1), .reloadKeys,
    ]
    private static let asking: [Message] = [.statusRequest(job: nil), .workersRequest, .explain(job: job, chain: 0)]
    private static let working: [Message] = [
        .heartbeat(), .progress(BlockProgress(attempt: attempt, stepsDone: 0, stepsTotal: 1, acceptance: 1)),
        .checkpoint(BlockState(attempt: attempt, stepsDone: 1, state: [1])), .failure(attempt, text: "no"),
        .returned(BlockState(attempt: attempt, stepsDone: 0, state: [])),
        .modelRequest(ModelRequest(model: job, offset: 0, length: 1)), .goodbye(reason: ""),
    ]

    /// Whether a message is refused with 77, and nothing else comes of it.
    private func isForbidden(_ message: Message, to credential: Credential?, after first: Message? = nil) -> Bool {
        let core = CoreUnderTest()
        if let first { hear(core, first, from: [1], as: credential) }
        hear(core, message, from: [1], as: credential)
        let answers = core.sent(to: [1])
        let isRefused = answers.contains {
            switch $0 {
            case .refusal(77, _), .drain(_, 77): true
            default: false
            }
        }
        let others = core.actions.filter {
            switch $0 {
            case .log, .send: false
            default: true
            }
        }
        return isRefused && answers.count == 1 && others.isEmpty
    }

    @Test func `A worker's key can neither submit, ask, cancel, fetch nor delete`() {
        for message in Self.submitting + Self.asking { #expect(isForbidden(message, to: worker), "\(message)") }
        for message in Self.working { #expect(!isForbidden(message, to: worker), "\(message)") }
        #expect(!isForbidden(registration([1]), to: worker))
    }

    @Test func `A submitter's key can't register, and says nothing that workers say`() {
        for message in Self.working + [registration([1])] { #expect(isForbidden(message, to: submitter), "\(message)") }
        for message in Self.submitting + Self.asking { #expect(!isForbidden(message, to: submitter), "\(message)") }
    }

    @Test func `A key for status asks and does nothing else`() {
        for message in Self.working + Self.submitting + [registration([1])] {
            #expect(isForbidden(message, to: status), "\(message)")
        }
        for message in Self.asking { #expect(!isForbidden(message, to: status), "\(message)") }
    }

    @Test func `Without keys a connection keeps the role of its first message`() {
        #expect(isForbidden(Self.asking[0], to: nil, after: registration([1])))
        #expect(isForbidden(Self.submitting[0], to: nil, after: Self.working[0]))
        #expect(isForbidden(registration([1]), to: nil, after: Self.asking[0]))
        #expect(!isForbidden(Self.submitting[0], to: nil, after: Self.asking[0]))
        // Another connection is another peer.
        let core = CoreUnderTest()
        core.hear(registration([1]), from: [1])
        core.hear(.statusRequest(job: nil), from: [2])
        #expect(core.sent(to: [2]).contains { if case .poolStatus = $0 { true } else { false } })
    }

    @Test func `What a revoked worker has goes on elsewhere, at once, and counts against nobody`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        hear(core, registration([1]), from: [1], as: worker)
        _ = try #require(core.run(job))
        #expect(core.leases(to: [1]).count == 1)
        hear(core, registration([2]), from: [2], as: Credential(name: "other", role: .worker))
        core(.revoked([worker]))
        core.wait(.milliseconds(100))
        #expect(!core.asked.contains { if case .note(.report, _) = $0 { true } else { false } })
        hear(core, .heartbeat(), from: [2], as: Credential(name: "other", role: .worker))
        let status = try pool(core)
        #expect(status.workers == 1)
    }

    private func pool(_ core: CoreUnderTest) throws -> PoolStatus {
        hear(core, .statusRequest(job: nil), from: [77], as: submitter)
        return try #require(
            core.sent(to: [77]).compactMap { if case .poolStatus(let status) = $0 { status } else { nil } }.first)
    }

    private func count(_ name: String, _ core: CoreUnderTest) throws -> Int? {
        try pool(core).refused.first { $0.name == name }?.count
    }

    @Test func `Requests beyond the limit are refused, all connections of a key together, and counted`() throws {
        var limits = PeerLimits()
        limits.requestsPerSecond = 10
        let core = CoreUnderTest(limits: limits)
        let busy = Credential(name: "busy", role: .submitter)
        var (answers, refusals) = (0, 0)
        for number in 0..<100 {
            let peer: PeerID = [UInt8(number % 5) + 1]
            hear(core, .workersRequest, from: peer, as: busy)
            for answer in core.sent(to: peer) {
                if case .workers = answer { answers += 1 }
                if case .refusal(75, let text) = answer, text.contains("10 requests a second") { refusals += 1 }
            }
        }
        #expect(answers == 10)
        // Once is enough within a second.
        #expect(refusals == 1)
        #expect(try count("requests", core) == 90)
        core.wait(.seconds(1))
        hear(core, .workersRequest, from: [1], as: busy)
        #expect(core.sent(to: [1]).contains { if case .workers = $0 { true } else { false } })
    }

    @Test func `A long request counts as many, and the longest is taken when nothing else was`() throws {
        var limits = PeerLimits()
        limits.requestsPerSecond = 10
        let core = CoreUnderTest(limits: limits)
        func answers(_ bytes: Int) -> Int {
            (0..<100).count { _ in
                core.hear(.workersRequest, from: [1], of: Origin(credential: status), bytes: bytes)
                return core.sent(to: [1]).contains { if case .workers = $0 { true } else { false } }
            }
        }
        #expect(answers(64 << 20) == 1)
        core.wait(.seconds(1))
        // Each takes three of ten.
        #expect(answers(64 << 10) == 3)
    }

    @Test func `Of workers that have not registered nothing is read, and each message tells them to register`() throws {
        let (core, job) = (CoreUnderTest(), try SmallJob.job())
        core.join([1])
        _ = try #require(core.run(job))
        let attempt = try #require(core.leases(to: [1]).first?.blocks.first)
        let result = SmallJob.result(of: job, attempt)
        core.hear(result, from: [2])
        guard case .registerAgain = try #require(core.sent(to: [2]).first) else {
            Issue.record("not told to register")
            return
        }
        #expect(core.asked.isEmpty)
        core.hear(result, from: [1])
        #expect(!core.asked.isEmpty)
    }

    @Test func `Those who never register are told so a limited number of times, and leave room for who does`() throws {
        var limits = PeerLimits()
        limits.requestsPerSecond = 10
        let core = CoreUnderTest(limits: limits)
        var told = 0
        for _ in 0..<100 {
            hear(core, .heartbeat(), from: [9], as: worker)
            told += core.sent(to: [9]).count
        }
        #expect(told == 6)
        hear(core, registration([1]), from: [1], as: worker)
        #expect(core.sent(to: [1]).contains { if case .welcome = $0 { true } else { false } })
        #expect(try count("requests", core) == 94)
        // A worker's peer with another's key is not that worker.
        hear(core, .heartbeat(), from: [1], as: status)
        #expect(core.sent(to: [1]).contains { if case .refusal(77, _) = $0 { true } else { false } })
    }

    @Test func `Who says too much that is of no use is hung up on, and the log stays short`() throws {
        var limits = PeerLimits()
        limits.errorsPerMinute = 20
        let core = CoreUnderTest(limits: limits)
        var (ends, lines) = (0, 0)
        for _ in 0..<63 {
            core(
                .message(
                    .failure(MessagingError(code: .malformed, message: "nonsense")), from: [1], over: nil,
                    of: Origin(address: "10.0.0.9")))
            for action in core.actions {
                if case .hangUp = action { ends += 1 }
                if case .log(_, let text) = action {
                    lines += 1
                    #expect(text.contains("10.0.0.9"))
                }
            }
        }
        #expect(ends == 3)
        #expect(lines <= 13)
        #expect(try count("unreadable", core) == 63)
        #expect(try count("connections", core) == 3)
    }

    @Test func `Jobs beyond the limit are refused with its number`() throws {
        var limits = PeerLimits()
        limits.jobs = 2
        let core = CoreUnderTest(limits: limits)
        for chains in [4, 8] { #expect(core.run(try SmallJob.job(chains: chains), from: [UInt8(chains)]) != nil) }
        #expect(core.submit(try SmallJob.job(chains: 12), from: [12]) == nil)
        #expect(
            core.sent(to: [12]).contains {
                if case .refusal(75, let text) = $0 { text.contains("no more than 2 ") } else { false }
            })
        #expect(try count("jobs", core) == 1)
    }

    @Test func `Who was not let in is counted, and told of a few times for each host`() throws {
        let core = CoreUnderTest()
        var lines = 0
        for _ in 0..<50 {
            let actions = core(.turnedAway(Stranger(address: "10.0.0.9", problem: "no key", reason: .key)))
            lines += actions.count
        }
        #expect(lines == 10)
        #expect(try count("keys", core) == 50)
    }
}
