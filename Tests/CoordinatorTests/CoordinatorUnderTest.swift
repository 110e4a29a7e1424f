import ContentHash
import Foundation
import JobFile
import Journal
import Logging
import Messaging
import ModelTransfer
import PoolCore
import Synchronization
import Testing

@testable import Coordinator
@testable import CoordinatorCore

/// A coordinator without sockets, in a folder of its own, and peers that are played by the test.
final class CoordinatorUnderTest {
    /// What the coordinator has sent and nobody has looked at yet.
    private final class Sent {
        var messages: [(peer: PeerID, message: Message)] = []
    }

    let folder: String
    private let mailbox = Mailbox<CoordinatorHost.Call>()
    private let sent = Sent()
    private var host: CoordinatorHost
    /// The texts that workers were sent, by job.
    private(set) var texts: [Digest: [UInt8]] = [:]
    /// Every lease that was sent, in order.
    private(set) var leases: [(peer: PeerID, lease: Lease)] = []

    /// Who was told that a job is accepted, and whether it was finished already.
    private(set) var accepted: [(peer: PeerID, isFinished: Bool)] = []
    private(set) var refusals: [(peer: PeerID, status: Int32, text: String)] = []
    /// A model file that submitters send when they are asked for it.
    var model: String?
    /// Who was told to register again.
    private(set) var registersAgain: [PeerID] = []
    /// The states and pieces of states that were sent, in order.
    private(set) var states: [(peer: PeerID, state: BlockState)] = []
    /// What workers were told is stored of their blocks' states.
    private(set) var settled: [(peer: PeerID, attempt: AttemptID, bytes: Int)] = []

    /// What was logged, in order.
    var log: [String] { logged.lines.withLock { $0 } }
    private let logged = KeptLog()

    /// - Parameters:
    ///   - earlier: the coordinator in whose folder it goes on; it may not be used any more.
    ///   - verification: which results are computed twice.
    ///   - inspector: looks at the files of finished jobs.
    init(
        _ pool: PoolConfiguration = PoolConfiguration(), after earlier: CoordinatorUnderTest? = nil,
        verification: VerificationRule? = nil, inspector: FolderInspector = FolderInspector()
    ) throws {
        folder =
            earlier?.folder
            ?? FileManager.default.temporaryDirectory.path + "/rrr-coordinator-\(UUID().uuidString.prefix(8))"
        earlier?.close()
        let logged = logged
        let logger = Logger(label: "test") { _ in logged }
        let (mailbox, sent) = (mailbox, sent)
        var configuration = CoordinatorService.Configuration(stateFolder: folder, pool: pool)
        configuration.survivesPowerLoss = false
        configuration.verification = verification
        host = try CoordinatorHost(configuration, logger: logger, inspector: inspector) { bytes, peer in
            if let message = try? Message.decode(bytes) { sent.messages.append((peer, message)) }
            return .sent
        } post: {
            mailbox.post($0)
        }
    }

    func remove() {
        close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Does what is still to be done, and gives what the journal then has of the jobs.
    func stored() throws -> [RecoveredJob] {
        close()
        return try Journal(folder: folder, durability: .process).recover()
    }

    /// Removes what is staged of a job, as somebody who tidies up.
    func removeStaging(of job: Job) throws {
        let place = folder + "/jobs/" + job.identity.hex
        for name in try FileManager.default.contentsOfDirectory(atPath: place) where name.hasSuffix(".partial") {
            try FileManager.default.removeItem(atPath: place + "/" + name)
        }
    }

    func take(_ message: Message, from peer: PeerID, over connection: Connection? = nil) {
        let outline = EnvelopeOutline(kind: message.kind, bytes: 0)
        guard host.screen(outline, from: peer, nil, "") else { return }
        host.take(.success(message), from: peer, over: connection?.identity)
    }

    /// Takes it that so many bytes were sent that way and wait to be read.
    func owe(_ bytes: Int, over connection: Connection) { host.core.owe(bytes, over: connection.identity) }

    /// Ends the archive's work, so that the folder is the caller's.
    func close() { host.close(within: .seconds(5)) }

    func join(_ peer: PeerID, arithmetic: String) {
        let registration = Registration(
            session: [UInt8](repeating: peer[0], count: 16), host: "host", process: Int(peer[0]), slots: 1,
            version: "1", fingerprint: arithmetic)
        take(.registration(registration), from: peer)
    }

    func submit(_ job: Job, force: Bool = false, from peer: PeerID = [200]) {
        take(.submit(jobText: Array(job.canonicalText.utf8), force: force, watch: true), from: peer)
    }

    /// Bytes of texts that wait for inspections of finished jobs, and how many submitters do.
    var waitingForInspections: (bytes: Int, submitters: Int) {
        host.core.inspections.values.reduce(into: (0, 0)) { sums, inspection in
            sums.0 += inspection.text.count + inspection.submissions.reduce(0) { $0 + $1.text.count }
            sums.1 += inspection.submissions.count
        }
    }

    /// What the status of a job tells.
    func status(of job: Job) -> JobStatus? {
        take(.statusRequest(job: job.identity), from: [201])
        let answer = sent.messages.last { $0.peer == [201] }
        guard case .poolStatus(let status) = answer?.message else { return nil }
        return status.jobs.first
    }

    /// Lets the coordinator work, and its workers by what `work` makes of each lease's block, until a condition holds, for at
    /// most ten seconds.
    ///
    /// - Parameter work: called with who is to run the block and what it is of; nil for a worker that says nothing.
    func work(
        until condition: () -> Bool, _ work: (PeerID, Job, AttemptID) throws -> Message? = { _, _, _ in nil }
    ) throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(10)
        while !condition() {
            guard clock.now < deadline else {
                take(.statusRequest(job: nil), from: [201])
                Issue.record("it takes too long: \(String(describing: sent.messages.last?.message))")
                return
            }
            for call in mailbox.drain() { host.take(call) }
            host.tick()
            let messages = sent.messages
            sent.messages = []
            for case (let peer, .checkpoint(let state)) in messages { states.append((peer, state)) }
            for case (let peer, .settled(let attempt, let bytes)) in messages { settled.append((peer, attempt, bytes)) }
            for case (let peer, .accepted(_, let isFinished)) in messages { accepted.append((peer, isFinished)) }
            for case (let peer, .refusal(let status, let text)) in messages { refusals.append((peer, status, text)) }
            for case (let peer, .modelRequest(let request)) in messages {
                take(ModelUpload.answer(request, from: model), from: peer)
            }
            for case (let peer, .registerAgain) in messages { registersAgain.append(peer) }
            for case (let peer, .lease(let lease)) in messages {
                leases.append((peer, lease))
                if !lease.jobText.isEmpty { texts[lease.job] = lease.jobText }
                let job = try Job.decode(try #require(texts[lease.job]), file: "lease")
                for block in lease.blocks {
                    if let answer = try work(peer, job, block) { take(answer, from: peer) }
                }
            }
            if messages.isEmpty { Thread.sleep(forTimeInterval: 0.002) }
        }
    }

    /// The same with honest workers, until the job has ended. - Returns: how.
    @discardableResult
    func finish(_ job: Job) throws -> JobStatus.State? {
        try work(until: { status(of: job)?.state.isOver == true }) { _, job, attempt in
            .result(try SmallJobs.result(of: job, block: attempt.block, attempt: attempt))
        }
        return status(of: job)?.state
    }

    /// Who was leased blocks of jobs of that name since the first `count` leases.
    func workers(of name: String, since count: Int = 0) -> Set<PeerID> {
        Set(
            leases.dropFirst(count).filter { entry in
                texts[entry.lease.job].flatMap { try? Job.decode($0, file: "lease") }?.name == name
            }.map(\.peer))
    }
}

/// Keeps the lines that are logged.
private final class KeptLog: LogHandler {
    let lines = Mutex<[String]>([])
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
}
