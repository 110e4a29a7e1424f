import ContentHash
import Coordinator
import CoordinatorCore
import JobFile
package import Messaging
import RunFolder

/// Workers that compute nothing: each takes leases and answers every block at once, with zeros of the right shape.
///
/// What is measured with them is the coordinator and the way to it. They speak as real workers do.
package struct SimulatedWorkers {
    /// Registrations that wait for an answer at a time: a listening socket takes in only so many at once.
    private static let admitted = 64

    private let count: Int
    private let crowd: DealerCrowd
    private let clock = ContinuousClock()
    private var heartbeat = Duration.seconds(1)
    private var welcomed: [Bool] = []
    private var waiting = 0
    private var lastSent: [ContinuousClock.Instant] = []
    /// The number of the last lease that came, by worker.
    private var lastLease: [UInt64] = []
    private var lastRound = ContinuousClock().now
    private var left = 0
    private var jobs: [Digest: Job] = [:]
    private var answers: [Answer: BlockReport] = [:]
    /// When the last block that a worker had was answered; empty unless latencies are wanted.
    private var answered: ContinuousClock.Instant?
    private let wantsLatencies: Bool

    /// Times from the answer to a worker's only block to the arrival of its next.
    package private(set) var latencies: [Duration] = []

    /// Blocks of one size of one job have the same answer.
    private struct Answer: Hashable {
        let job: Digest
        let chains: Int
    }

    /// - Parameters:
    ///   - count: how many, each with one slot.
    ///   - coordinator: whom they work for, as ZeroMQ writes it.
    ///   - keys: of all of them; nil for a coordinator that has none.
    ///   - wantsLatencies: whether to fill ``latencies``, for a single worker.
    /// - Throws: ``MessagingError`` if the process may not have as many files open as that takes.
    package init(
        count: Int, coordinator: String, keys: ClientKeys? = nil, wantsLatencies: Bool = false
    ) throws(MessagingError) {
        self.count = count
        self.wantsLatencies = wantsLatencies
        crowd = try DealerCrowd(capacity: count, connectingTo: coordinator, keys: keys)
    }

    /// Works until all have been sent home or something is posted to `end`, looked at ten times a second.
    package mutating func run(until end: borrowing Mailbox<Bool>) throws {
        while left < count, end.drain().isEmpty {
            while crowd.count < count, waiting < Self.admitted { try admit() }
            try crowd.receive(atMost: .milliseconds(100)) { (member, bytes) throws(MessagingError) in
                try take(bytes, of: member)
            }
            if clock.now - lastRound > .milliseconds(100) { try beat() }
        }
        for member in 0..<crowd.count where welcomed[member] { try send(.goodbye(reason: "done"), from: member) }
    }

    private mutating func admit() throws(MessagingError) {
        let member = try crowd.join()
        welcomed.append(false)
        lastSent.append(clock.now)
        lastLease.append(0)
        waiting += 1
        try register(member)
    }

    private mutating func register(_ member: Int) throws(MessagingError) {
        try send(
            .registration(
                Registration(
                    session: (0..<16).map { _ in UInt8.random(in: 0...255) }, host: "simulated", process: member,
                    slots: 1, version: "simulated", fingerprint: "simulated")), from: member)
    }

    private mutating func send(_ message: Message, from member: Int) throws(MessagingError) {
        try crowd.send(message.encoded(), from: member)
        lastSent[member] = clock.now
    }

    /// Who has said nothing for the time that the coordinator named says that it is here.
    private mutating func beat() throws(MessagingError) {
        lastRound = clock.now
        for member in 0..<crowd.count where lastRound - lastSent[member] >= heartbeat {
            // Whatever it was given it has answered.
            if welcomed[member] {
                try send(.heartbeat(lease: lastLease[member], holding: 0), from: member)
            } else {
                try register(member)
            }
        }
    }

    private mutating func take(_ bytes: [UInt8], of member: Int) throws(MessagingError) {
        switch try Message.decode(bytes) {
        case .welcome(_, _, let heartbeat, _):
            self.heartbeat = heartbeat
            lastLease[member] = 0
            if !welcomed[member] { waiting -= 1 }
            welcomed[member] = true
        case .registerAgain:
            try register(member)
        case .lease(let lease):
            lastLease[member] = lease.number
            try work(lease, member)
        case .drain:
            if welcomed[member] { left += 1 }
            welcomed[member] = false
            try send(.goodbye(reason: "sent home"), from: member)
        default:
            // Nothing runs that could be revoked, and the rest needs no answer.
            break
        }
    }

    private mutating func work(_ lease: Lease, _ member: Int) throws(MessagingError) {
        if wantsLatencies, let answered { latencies.append(clock.now - answered) }
        for block in lease.blocks {
            if var report = answer(to: lease, block) {
                report.attempt = block
                try send(.result(report), from: member)
            } else {
                try send(.failure(block, text: "a simulated worker can't read this job"), from: member)
            }
        }
        answered = clock.now
    }

    /// Made once for a size of block; nil for a job that cannot be read.
    private mutating func answer(to lease: Lease, _ block: AttemptID) -> BlockReport? {
        if jobs[lease.job] == nil { jobs[lease.job] = try? Job.decode(lease.jobText, file: "lease") }
        guard let job = jobs[lease.job], (0..<job.blocks).contains(block.block) else { return nil }
        let chains = job.chains(inBlock: block.block)
        let key = Answer(job: lease.job, chains: chains)
        if let known = answers[key] { return known }
        let report = BlockReport(
            attempt: block, samples: [UInt8](repeating: 0, count: chains * job.draws * job.dimension * 4),
            statistics: StatisticRows(
                job.description.statistics.map {
                    .init(name: $0.name, bytes: [UInt8](repeating: 0, count: $0.size(chains: chains, blocks: 1)))
                }),
            gradientEvaluations: chains, seconds: 0)
        // Of earlier jobs nothing comes any more, and their answers may be large.
        if answers.count > 8 { answers = [:] }
        answers[key] = report
        return report
    }
}
