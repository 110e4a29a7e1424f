import ContentHash
import JobFile
import Messaging
import ModelTransfer

/// A job text that somebody has handed in.
struct HandedIn {
    private(set) var text: [UInt8]
    let force: Bool
    let watch: Bool
    var terms = SubmissionTerms()
    let peer: PeerID
    /// Models that came with it.
    var uploaded: [Digest] = []

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
struct Intake {
    /// What became of a job.
    enum Decision {
        case accepted(Job, HandedIn)
        case refused(PeerID, exitStatus: Int32, text: String)
    }

    private struct Entry {
        let number: Int
        let submission: HandedIn
        var missing: ArraySlice<Digest> = []
        var found: [Digest: StoredModel] = [:]
        /// Models that came with the job.
        var uploaded: [Digest] = []
        var download: ModelDownload?
        /// When the download began, and when it had to bring something next, with what it had then.
        var began = Duration.zero
        var checked = (time: Duration.zero, bytes: 0)
        /// When its submitter was last told to wait for its turn.
        var told: Duration?
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
    /// The most bytes of job texts that wait to be read, or for models.
    static let mostTextBytes = 64 << 20

    private let store: ModelStore
    private let reader: JobReader<Int>
    private var entries: [PeerID: Entry] = [:]
    /// Bytes of texts that are with the reader, by their number.
    private var reading: [Int: Int] = [:]
    /// Models of jobs that came to nothing.
    private var abandoned: [Digest] = []
    /// Whether a model has arrived since this was last set to false.
    var hasReceived = false
    private var lastNumber = 0

    /// - Parameter reader: reads into `store`; its tickets are for ``take(_:of:at:)``.
    init(store: ModelStore, reader: JobReader<Int>) {
        self.store = store
        self.reader = reader
    }

    /// Who waits for an answer.
    var waiting: [PeerID] { Array(entries.keys) }

    /// Why a job cannot be taken in now; nil if it can.
    func problem(of submission: HandedIn) -> String? {
        // Who asks again is here already.
        if entries[submission.peer]?.submission.text == submission.text { return nil }
        // A text that is with the reader is also that of an entry, unless another has taken its place.
        let numbers = Set(entries.values.map(\.number))
        let bytes =
            entries.values.reduce(0) { $0 + $1.submission.text.count }
            + reading.reduce(0) { $0 + (numbers.contains($1.key) ? 0 : $1.value) }
        guard bytes > 0, bytes + submission.text.count > Self.mostTextBytes else { return nil }
        return "the jobs that were handed in and are not read yet have \(bytes) bytes, and with the "
            + "\(submission.text.count) of this one they would be more than \(Self.mostTextBytes); try again later"
    }

    /// Takes in a job. The same one again changes nothing, another one takes its place.
    mutating func take(_ submission: HandedIn) {
        if entries[submission.peer]?.submission.text == submission.text { return }
        forget(submission.peer)
        lastNumber += 1
        let entry = Entry(number: lastNumber, submission: submission)
        entries[submission.peer] = entry
        read(entry)
    }

    private mutating func read(_ entry: Entry) {
        reading[entry.number] = entry.submission.text.count
        reader.read(entry.submission.text, found: entry.found, ticket: entry.number)
    }

    /// Forgets a job that its submitter gives up. - Returns: whether it was here.
    mutating func cancel(_ job: Digest, _ peer: PeerID) -> Bool {
        guard let entry = entries[peer], SHA256.hash(of: entry.submission.text) == job else { return false }
        forget(peer)
        return true
    }

    private mutating func forget(_ peer: PeerID) {
        guard let entry = entries.removeValue(forKey: peer) else { return }
        abandoned += entry.uploaded
    }

    /// Takes in that these models came with a job that was not accepted.
    mutating func abandon(_ models: [Digest]) { abandoned += models }

    /// Models that came with jobs which came to nothing, since the last time.
    mutating func takeAbandoned() -> [Digest] {
        defer { abandoned = [] }
        return abandoned
    }

    /// Whether a job that is here has the model, or waits for it.
    func isNeeded(_ model: Digest) -> Bool {
        entries.values.contains { $0.found[model] != nil || $0.missing.contains(model) || $0.download?.model == model }
    }

    /// Takes in what a reading came to.
    mutating func take(_ outcome: JobReader<Int>.Outcome, of number: Int, at now: Duration) -> Decision? {
        reading[number] = nil
        guard let (peer, entry) = entries.first(where: { $0.value.number == number }) else { return nil }
        switch outcome {
        case .job(let job, _):
            entries[peer] = nil
            var submission = entry.submission
            submission.uploaded = entry.uploaded
            return .accepted(job, submission)
        case .refused(let error):
            return refuse(peer, 65, "\(error)")
        case .missing(let models, let found):
            entries[peer]?.missing = models[...]
            entries[peer]?.found = found
            return entries.values.count(where: { $0.download != nil }) < Self.mostDownloads ? next(peer, at: now) : nil
        }
    }

    /// Takes in a piece of a model.
    mutating func take(_ chunk: ModelChunk, from peer: PeerID, at now: Duration) -> Decision? {
        guard entries[peer]?.download?.model == chunk.model else { return nil }
        do {
            guard let model = try entries[peer]?.download?.take(chunk, at: now) else { return nil }
            entries[peer]?.found[model.digest] = model
            entries[peer]?.uploaded.append(model.digest)
            hasReceived = true
            return next(peer, at: now)
        } catch {
            return refuse(peer, error.exitStatus, "\(error)")
        }
    }

    /// Takes in that a submitter cannot send a model.
    mutating func unavailable(_ model: Digest, reason: String, from peer: PeerID) -> Decision? {
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
        do {
            entries[peer]?.download = try ModelDownload(model, into: store, at: now)
            entries[peer]?.began = now
            entries[peer]?.checked = (now, 0)
            return nil
        } catch {
            return refuse(peer, error.exitStatus, "\(error)")
        }
    }

    private mutating func refuse(_ peer: PeerID, _ status: Int32, _ text: String) -> Decision {
        forget(peer)
        return .refused(peer, exitStatus: status, text: text)
    }

    /// What to ask submitters for now, and who is done with: who sends nothing or too little, and who gives way to
    /// others.
    mutating func requests(at now: Duration) -> (messages: [(peer: PeerID, messages: [Message])], done: [Decision]) {
        guard !entries.isEmpty else { return ([], []) }
        var done: [Decision] = []
        for (peer, entry) in entries {
            guard let received = entry.download?.received, now - entry.checked.time > Self.patience else { continue }
            if received - entry.checked.bytes < Self.leastProgress {
                done.append(refuse(peer, 75, "a model was sent too slowly or not at all; try again later"))
            } else {
                entries[peer]?.checked = (now, received)
            }
        }
        var messages = serveQueue(at: now, &done)
        for peer in entries.keys {
            guard let requests = entries[peer]?.download?.requests(at: now), !requests.isEmpty else { continue }
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
        let queue = entries.filter { !$0.value.missing.isEmpty && $0.value.download == nil }
            .sorted { $0.value.number < $1.value.number }.map(\.key)
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
        func rate(_ entry: Entry) -> Double {
            Double(entry.download?.received ?? 0) / max(1e-3, (now - entry.began) / .seconds(1))
        }
        return entries.filter { $0.value.download != nil && now - $0.value.began > Self.leastTurn }
            .min { rate($0.value) < rate($1.value) }?.key
    }
}
