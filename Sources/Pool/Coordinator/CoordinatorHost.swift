import ContentHash
import CoordinatorCore
import Foundation
import Journal
import Logging
import Messaging
import ModelTransfer
import RunFolder

/// What a coordinator's core lives in: its clock, its connections, its files and its log.
struct CoordinatorHost {
    /// What comes from other threads.
    enum Call: Sendable {
        /// What the reading of a job that was handed in came to.
        case read(Int, JobReader<Int>.Outcome)
        /// What the archive has done.
        case archived([ArchiveReply])
        /// What was found in the folder of a job.
        case inspected(Digest, FolderContent)
        /// A peer wants the allow-list to be read again: for whoever has it.
        case readKeys(for: PeerID)
    }

    var core: CoordinatorCore
    private let stateFolder: String
    private let models: ModelStore
    let archive: Archive
    private let inspector: FolderInspector
    private let logger: Logger
    private let transmit: ([UInt8], PeerID) -> SendOutcome
    private let post: @Sendable (Call) -> Void
    private var reception: ModelReception
    /// What the message at hand has come by.
    private var current: Connection?
    private let clock = ContinuousClock()
    private let start = ContinuousClock().now

    /// Opens what the state folder holds.
    ///
    /// - Parameters:
    ///   - inspector: looks at the folders of jobs.
    ///   - transmit: sends a message to a peer without waiting.
    ///   - post: takes what comes from other threads, for ``take(_:)``.
    /// - Throws: ``ModelTransferError`` if models cannot be kept; `JournalError` if a journal cannot be, or another
    ///   coordinator keeps it.
    init(
        _ configuration: CoordinatorService.Configuration, logger: Logger,
        inspector: FolderInspector = FolderInspector(),
        transmit: @escaping ([UInt8], PeerID) -> SendOutcome, post: @escaping @Sendable (Call) -> Void
    ) throws {
        stateFolder = configuration.stateFolder
        (self.logger, self.inspector, self.transmit, self.post) = (logger, inspector, transmit, post)
        models = try ModelStore(folder: stateFolder + "/models", logger: logger)
        reception = ModelReception(store: models, reader: JobReader(store: models) { post(.read($0, $1)) })
        let past: [PastJob]
        (archive, past) = try Archive.open(
            folder: stateFolder, durability: configuration.survivesPowerLoss ? .power : .process, logger: logger
        ) { post(.archived($0)) }
        var settings = CoordinatorCore.Configuration(
            stateFolder: stateFolder, pool: configuration.pool,
            checkpointInterval: configuration.checkpointInterval, host: ProcessInfo.processInfo.hostName)
        (settings.limits, settings.protection) = (configuration.limits, configuration.protection)
        settings.keptFor = configuration.keptFor
        settings.verification = configuration.verification
        core = CoordinatorCore(settings)
        let known = past.map(\.job.record.hash)
        warnOfFolders(otherThan: Set(known))
        let complete = known.filter { RunFolder.isComplete(folder(of: $0), jobHash: $0.hex) }
        handle(.began(past, lastJob: archive.lastJobNumber, complete: Set(complete)))
    }

    /// Stores what was asked for, for at most so long.
    func close(within limit: Duration) { archive.close(within: limit) }

    /// Where a job's files are.
    private func folder(of job: Digest) -> String { stateFolder + "/jobs/" + job.hex }

    // MARK: What happens

    /// Time since it was made.
    var now: Duration { clock.now - start }

    /// Takes in what has come: what is not for its sender to say is never read.
    mutating func take(_ letter: Letter) {
        current = letter.connection
        defer { current = nil }
        let message: Result<Message, MessagingError>
        var (line, origin): (Line?, Origin) = (nil, Origin(credential: letter.credential))
        do throws(MessagingError) {
            let outline = try letter.outline()
            guard screen(outline, from: letter.peer, letter.credential, letter.address) else { return }
            // Finding out about a line and a host takes time: for what has a long answer, and for who stays.
            if outline.kind.needsLine { line = letter.connection?.identity }
            if outline.kind == .registration { origin.address = letter.address }
            message = .success(try letter.message())
        } catch {
            origin.address = letter.address
            message = .failure(error)
        }
        take(message, from: letter.peer, over: line, of: origin)
    }

    /// Whether a message is to be read; who is refused is told.
    mutating func screen(
        _ outline: EnvelopeOutline, from peer: PeerID, _ credential: Credential?, _ address: @autoclosure () -> String
    ) -> Bool {
        // The time and the host's number take a while to find out, and most messages need neither.
        if core.isOfWorker(outline, peer, credential) { return true }
        let origin = Origin(address: address(), credential: credential)
        let (isAdmitted, actions) = core.screen(outline, from: peer, origin, at: moment)
        if !actions.isEmpty { follow(actions) }
        return isAdmitted
    }

    /// Takes in a message that was let through, or why it can't be read.
    mutating func take(
        _ message: Result<Message, MessagingError>, from peer: PeerID, over line: Line? = nil,
        of origin: Origin = Origin()
    ) {
        if core.isShortOfBudget { tellWhoHasRead() }
        handle(.message(message, from: peer, over: line, of: origin))
    }

    /// Takes in what has come from another thread.
    mutating func take(_ call: Call) {
        switch call {
        case .read(let number, let outcome): handle(.read(number, reception.reading(outcome, of: number)))
        case .archived(let replies): for reply in replies { handle(.archived(reply)) }
        case .inspected(let job, let content): handle(.inspected(job, withoutDamage(content, of: job)))
        case .readKeys(let peer):
            handle(.keysRead(.failure(.init(exitStatus: 64, reason: "this coordinator has no keys")), for: peer))
        }
    }

    /// A damaged run goes, unless its job has begun anew meanwhile: then the files may be those of the new run.
    private func withoutDamage(_ content: FolderContent, of job: Digest) -> FolderContent {
        guard case .nothing(.some) = content, core.isUpToDate(inspectionOf: job) else { return content }
        do {
            try RunFolder.removeSummary(in: folder(of: job))
            return content
        } catch {
            return .unknown("\(error)")
        }
    }

    /// Ends connections that take too much; those of workers are trusted.
    mutating func look(at watch: ConnectionWatch) {
        var workers: Set<Line>?
        let done = watch.look(at: now) { line in
            let known = workers ?? core.workerLines
            workers = known
            return known.contains(line)
        }
        if let done { handle(.connectionsEnded(done)) }
    }

    /// Lets time go by.
    mutating func tick() {
        tellWhoHasRead()
        handle(.ticked)
    }

    private mutating func tellWhoHasRead() {
        for line in core.debtors where line.hasTakenAll { handle(.drained(line)) }
    }

    /// Lets the core handle an event, and does what it wants, and what comes of that.
    mutating func handle(_ event: CoordinatorCore.Event) {
        follow(core.handle(event, at: moment))
    }

    private mutating func follow(_ actions: [CoordinatorCore.Action]) {
        // What has come of them is handled afterwards.
        for event in perform(actions) { handle(event) }
    }

    private var moment: CoordinatorCore.Moment {
        CoordinatorCore.Moment(now: now, date: Date().timeIntervalSince1970, waitingBytes: archive.waitingBytes)
    }

    // MARK: What is to be done

    /// - Returns: what has come of it.
    private mutating func perform(_ actions: [CoordinatorCore.Action]) -> [CoordinatorCore.Event] {
        var events: [CoordinatorCore.Event] = []
        // Peers that could not be sent something: nothing else of these actions is for them.
        var silent: Set<PeerID> = []
        for action in actions {
            switch action {
            case .send(let message, let peer):
                guard !silent.contains(peer) else { continue }
                let outcome = transmit(message.encoded(), peer)
                guard outcome != .sent else { continue }
                silent.insert(peer)
                events.append(.undelivered(message, to: peer, isGone: outcome == .unreachable))
            case .sendFile(let job, let name, let offset, let length, let peer):
                _ = transmit(part(of: job, name, offset, length).encoded(), peer)
            case .sendModel(let request, let peer):
                _ = transmit(ModelUpload.answer(request, from: models.path(of: request.model)).encoded(), peer)
            case .end(let line): line.end()
            case .hangUp: current?.end()
            case .readKeys(let peer): post(.readKeys(for: peer))
            case .ask(let request): archive.ask(request)
            case .inspect(let job):
                inspector.inspect(job, folder: folder(of: job)) { [post] in post(.inspected(job, $0)) }
            case .lookUp(let job, let lookup):
                events.append(.lookedUp(job, hasRun: RunFolder.hasSummary(in: folder(of: job)), lookup))
            case .removeSummary(let job):
                inspector.forget(job)
                try? RunFolder.removeSummary(in: folder(of: job))
            case .discardStaging(let job): try? RunStaging.discard(in: folder(of: job))
            case .receive(let action):
                if let (number, reception) = reception.perform(action) { events.append(.received(number, reception)) }
            case .removeModel(let model): models.remove(model)
            case .trimModels(let limit): models.makeRoom(within: limit) { core.isNeeded($0) }
            case .log(let level, let text): logger.log(level: level, "\(text)")
            }
        }
        return events
    }

    private func part(of job: Digest, _ name: String, _ offset: Int, _ length: Int) -> Message {
        do {
            let (data, total) = try FileSlice.read(folder(of: job) + "/" + name, offset: offset, length: length)
            return .fileChunk(FileChunk(job: job, file: name, offset: offset, total: total, data: data))
        } catch {
            // A finished job has all its files, until it is deleted.
            return RunFolder.hasSummary(in: folder(of: job))
                ? .refusal(exitStatus: error.exitStatus, text: "\(error)")
                : .refusal(exitStatus: 66, text: "job \(job.hex.prefix(8)) has no finished run here; was it deleted?")
        }
    }

    /// Tells of folders of jobs that the journal does not know: it was lost, or was another one.
    private func warnOfFolders(otherThan known: Set<Digest>) {
        let folder = stateFolder + "/jobs"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let unknown = names.compactMap { Digest(hex: $0) }.filter { !known.contains($0) }
            .map { String($0.hex.prefix(8)) }
        guard !unknown.isEmpty else { return }
        logger.warning(
            """
            the journal knows nothing of \(unknown.count) jobs that have folders in \(folder): \
            \(unknown.sorted().prefix(5).joined(separator: ", "))\(unknown.count > 5 ? ", …" : ""). The folders stay: \
            a finished job is handed out when it is submitted again, an unfinished one begins anew. If the journal was \
            removed, stop this coordinator and put it back; else the folders can be removed
            """)
    }
}

extension MessageKind {
    /// Whether what answers it may be long, or its sender stays.
    fileprivate var needsLine: Bool {
        switch self {
        case .registration, .statusRequest, .workersRequest, .fetch, .modelRequest, .explain: true
        default: false
        }
    }
}
