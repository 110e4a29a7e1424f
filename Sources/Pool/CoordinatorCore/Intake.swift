package import ContentHash
package import JobFile
package import Messaging
import ModelTransfer

/// A job text that somebody has handed in.
package struct HandedIn: Sendable {
    package private(set) var text: [UInt8]
    let force: Bool
    let watch: Bool
    var terms = SubmissionTerms()
    let peer: PeerID
    /// Models that came with it.
    var uploaded: [Digest] = []

    /// - Parameters:
    ///   - force: whether what is done already is done again.
    ///   - watch: whether its submitter waits for its end.
    package init(
        text: [UInt8], force: Bool, watch: Bool, terms: SubmissionTerms = SubmissionTerms(), peer: PeerID
    ) {
        (self.text, self.force, self.watch, self.terms, self.peer) = (text, force, watch, terms, peer)
    }

    /// The same with another text.
    func with(text: [UInt8]) -> HandedIn {
        var other = self
        other.text = text
        return other
    }
}

/// Jobs that were handed in and are not accepted yet: each is read on another thread, and the model files
/// that are missing here are fetched from whoever handed it in.
///
/// Every submitter has its own downloads, one at a time, so that what one of them sends, or fails to send,
/// is nothing to another.
package struct Intake {
    /// What is to be done for a job that was handed in, by the number that stands for it.
    package enum Action: Sendable {
        /// The text is to be read, with the models that were found for it before.
        case read(Int, [UInt8])
        /// A file is to be begun for a model.
        case begin(Int, Digest)
        /// The next piece of that file.
        case write(Int, [UInt8])
        /// The file is whole.
        case keep(Int)
        /// Nothing more is wanted of it: a file that was begun goes.
        case forget(Int)

        /// What stands for the job.
        package var number: Int {
            switch self {
            case .read(let number, _), .begin(let number, _), .write(let number, _), .keep(let number),
                .forget(let number):
                number
            }
        }
    }

    /// What a reading came to.
    package enum Reading: Sendable {
        case job(Job)
        /// Some model files are not in the store; those that are.
        case missing([Digest], found: [Digest])
        /// The text is no job that can be run.
        case refused(String)
    }

    /// What became of a model that came.
    package enum Reception: Sendable {
        case kept
        case failed(exitStatus: Int32, reason: String)
    }

    /// What became of a job.
    package enum Decision {
        case accepted(Job, HandedIn)
        case refused(PeerID, exitStatus: Int32, text: String)
    }

    private struct Entry {
        let number: Int
        let submission: HandedIn
        var missing: ArraySlice<Digest> = []
        var found: Set<Digest> = []
        /// Models that came with the job.
        var uploaded: [Digest] = []
        var download: Download?
        /// When its submitter was last told to wait for its turn.
        var told: Duration?
    }

    /// A model on its way.
    private struct Download {
        let model: Digest
        var window: PieceWindow
        let began: Duration
        /// When it had to bring something next, with what it had then.
        var checked: (time: Duration, bytes: Int)

        init(_ model: Digest, at now: Duration) {
            (self.model, began, checked) = (model, now, (now, 0))
            window = PieceWindow(length: ModelChunk.longest, at: now)
        }
    }

    /// More submitters than this do not send models at a time; others wait for their turn.
    static let mostDownloads = 64
    /// A submitter that sends less than ``leastProgress`` for this long is done with.
    private static let patience = Duration.seconds(30)
    /// Bytes that a submitter has to send within ``patience``.
    static let leastProgress = 512 << 10
    /// While others wait, the slowest submitter gives way after this long.
    static let leastTurn = Duration.seconds(5)
    /// Those who wait hear this often that they still do.
    private static let reminder = Duration.seconds(5)

    private var entries: [PeerID: Entry] = [:]
    /// Bytes of texts that are with the reader, by their number.
    private var reading: [Int: Int] = [:]
    /// Models of jobs that came to nothing.
    private var abandoned: [Digest] = []
    /// Whether a model has arrived since this was last set to false.
    var hasReceived = false
    private var lastNumber = 0

    private var actions: [Action] = []

    private let limits: PeerLimits

    /// With nothing handed in.
    ///
    /// - Parameter limits: how many jobs, and bytes of their texts, may wait to be read, or for models.
    package init(_ limits: PeerLimits = PeerLimits()) { self.limits = limits }

    /// What is to be done since the last time, in this order.
    package mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// Who waits for an answer.
    package var waiting: [PeerID] { entries.sorted { $0.value.number < $1.value.number }.map(\.key) }

    /// Whether the text that a peer has handed in is being read.
    func isReading(_ peer: PeerID) -> Bool { entries[peer].map { reading[$0.number] != nil } ?? false }

    /// Why a job cannot be taken in now; nil if it can.
    package func problem(of submission: HandedIn) -> String? {
        // Who asks again is here already.
        if entries[submission.peer]?.submission.text == submission.text { return nil }
        // A text that is with the reader is also that of an entry, unless another has taken its place.
        let numbers = Set(entries.values.map(\.number))
        let bytes =
            entries.values.reduce(0) { $0 + $1.submission.text.count }
            + reading.reduce(0) { $0 + (numbers.contains($1.key) ? 0 : $1.value) }
        if entries.count >= limits.jobs {
            return "\(entries.count) jobs that were handed in are not read yet, and no more than \(limits.jobs) may "
                + "wait; try again later"
        }
        guard bytes > 0, bytes + submission.text.count > limits.waitingTextBytes else { return nil }
        return "the jobs that were handed in and are not read yet have \(bytes) bytes, and with the "
            + "\(submission.text.count) of this one they would be more than \(limits.waitingTextBytes); try again later"
    }

    /// Takes in a job. The same one again changes nothing, another one takes its place.
    package mutating func take(_ submission: HandedIn) {
        if entries[submission.peer]?.submission.text == submission.text { return }
        forget(submission.peer)
        lastNumber += 1
        let entry = Entry(number: lastNumber, submission: submission)
        entries[submission.peer] = entry
        read(entry)
    }

    private mutating func read(_ entry: Entry) {
        reading[entry.number] = entry.submission.text.count
        actions.append(.read(entry.number, entry.submission.text))
    }

    /// Forgets a job that its submitter gives up. - Returns: whether it was here.
    package mutating func cancel(_ job: Digest, _ peer: PeerID) -> Bool {
        guard let entry = entries[peer], SHA256.hash(of: entry.submission.text) == job else { return false }
        forget(peer)
        return true
    }

    private mutating func forget(_ peer: PeerID) {
        guard let entry = entries.removeValue(forKey: peer) else { return }
        abandoned += entry.uploaded
        actions.append(.forget(entry.number))
    }

    /// Takes in that these models came with a job that was not accepted.
    package mutating func abandon(_ models: [Digest]) { abandoned += models }

    /// Models that came with jobs which came to nothing, since the last time.
    mutating func takeAbandoned() -> [Digest] {
        defer { abandoned = [] }
        return abandoned
    }

    /// Whether a job that is here has the model, or waits for it.
    func isNeeded(_ model: Digest) -> Bool {
        entries.values.contains {
            $0.found.contains(model) || $0.missing.contains(model) || $0.download?.model == model
        }
    }

    /// Takes in what a reading came to.
    package mutating func take(_ reading: Reading, of number: Int, at now: Duration) -> Decision? {
        self.reading[number] = nil
        guard let (peer, entry) = entries.first(where: { $0.value.number == number }) else { return nil }
        switch reading {
        case .job(let job):
            entries[peer] = nil
            actions.append(.forget(number))
            var submission = entry.submission
            submission.uploaded = entry.uploaded
            return .accepted(job, submission)
        case .refused(let reason):
            return refuse(peer, 65, reason)
        case .missing(let models, let found):
            entries[peer]?.missing = models[...]
            entries[peer]?.found.formUnion(found)
            return entries.values.count(where: { $0.download != nil }) < Self.mostDownloads ? next(peer, at: now) : nil
        }
    }

    /// Takes in a piece of a model.
    package mutating func take(_ chunk: ModelChunk, from peer: PeerID, at now: Duration) -> Decision? {
        guard let entry = entries[peer], entry.download?.model == chunk.model else { return nil }
        guard chunk.total <= ModelStore.largestModel else {
            let limit = "\(chunk.total) bytes; at most \(ModelStore.largestModel) are taken in"
            return refuse(peer, 65, "the model \(chunk.model.hex) has \(limit)")
        }
        switch entries[peer]?.download?.window.take(
            offset: chunk.offset, count: chunk.data.count, total: chunk.total, at: now)
        {
        case .contradiction: return refuse(peer, 65, "the model \(chunk.model.hex) changed its size on the way")
        case .taken: actions.append(.write(entry.number, chunk.data))
        case .passedOver, nil: return nil
        }
        if entries[peer]?.download?.window.isComplete == true { actions.append(.keep(entry.number)) }
        return nil
    }

    /// Takes in what became of a model that came.
    package mutating func take(_ reception: Reception, of number: Int, at now: Duration) -> Decision? {
        guard let (peer, entry) = entries.first(where: { $0.value.number == number }), let download = entry.download
        else { return nil }
        switch reception {
        case .kept:
            entries[peer]?.found.insert(download.model)
            entries[peer]?.uploaded.append(download.model)
            hasReceived = true
            return next(peer, at: now)
        case .failed(let status, let reason):
            return refuse(peer, status, reason)
        }
    }

    /// Takes in that a submitter cannot send a model.
    package mutating func unavailable(_ model: Digest, reason: String, from peer: PeerID) -> Decision? {
        guard entries[peer]?.download?.model == model else { return nil }
        return refuse(peer, 66, "the model \(model.hex) is not here and was not sent: \(reason)")
    }

    /// Goes on to the next model, or back to reading when all have arrived.
    private mutating func next(_ peer: PeerID, at now: Duration) -> Decision? {
        entries[peer]?.download = nil
        guard let model = entries[peer]?.missing.popFirst() else {
            if let entry = entries[peer] { read(entry) }
            return nil
        }
        entries[peer]?.download = Download(model, at: now)
        if let number = entries[peer]?.number { actions.append(.begin(number, model)) }
        return nil
    }

    private mutating func refuse(_ peer: PeerID, _ status: Int32, _ text: String) -> Decision {
        forget(peer)
        return .refused(peer, exitStatus: status, text: text)
    }

    /// What to ask submitters for now, and who is done with: who sends nothing or too little, and who gives way to
    /// others.
    package mutating func requests(
        at now: Duration
    ) -> (messages: [(peer: PeerID, messages: [Message])], done: [Decision]) {
        guard !entries.isEmpty else { return ([], []) }
        var done: [Decision] = []
        for peer in waiting {
            guard let download = entries[peer]?.download, now - download.checked.time > Self.patience else { continue }
            if download.window.received - download.checked.bytes < Self.leastProgress {
                done.append(refuse(peer, 75, "a model was sent too slowly or not at all; try again later"))
            } else {
                entries[peer]?.download?.checked = (now, download.window.received)
            }
        }
        var messages = serveQueue(at: now, &done)
        for peer in waiting {
            guard let model = entries[peer]?.download?.model,
                let offsets = entries[peer]?.download?.window.requests(at: now), !offsets.isEmpty
            else { continue }
            let requests = offsets.map {
                Message.modelRequest(ModelRequest(model: model, offset: $0, length: ModelChunk.longest))
            }
            messages.append((peer, requests))
        }
        return (messages, done)
    }

    /// Lets those begin to send who wait for their turn, as far as there is room: the first one first. When there is
    /// none the slowest gives way, once it has had its turn.
    ///
    /// - Returns: what those who still wait are told.
    private mutating func serveQueue(
        at now: Duration, _ done: inout [Decision]
    ) -> [(peer: PeerID, messages: [Message])] {
        let queue = waiting.filter { entries[$0]?.missing.isEmpty == false && entries[$0]?.download == nil }
        var messages: [(PeerID, [Message])] = []
        for peer in queue {
            if entries.values.count(where: { $0.download != nil }) >= Self.mostDownloads, let slow = slowest(at: now) {
                done.append(refuse(slow, 75, "others wait to send models, and this one came slowest; try again later"))
            }
            if entries.values.count(where: { $0.download != nil }) < Self.mostDownloads {
                if let decision = next(peer, at: now) { done.append(decision) }
            } else if now - (entries[peer]?.told ?? .zero) > Self.reminder || entries[peer]?.told == nil {
                entries[peer]?.told = now
                messages.append((peer, [.heartbeat()]))
            }
        }
        return messages
    }

    /// Who has sent least in its time, of those who have had their turn.
    private func slowest(at now: Duration) -> PeerID? {
        func rate(_ download: Download) -> Double {
            Double(download.window.received) / max(1e-3, (now - download.began) / .seconds(1))
        }
        return entries.compactMap { peer, entry in entry.download.map { (peer: peer, download: $0) } }
            .filter { now - $0.download.began > Self.leastTurn }
            .min { rate($0.download) < rate($1.download) }?.peer
    }
}
