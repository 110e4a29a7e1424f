import ContentHash
import JobFile
import Messaging
import ModelTransfer

/// A job text that somebody has handed in.
struct HandedIn {
    let text: [UInt8]
    let force: Bool
    let watch: Bool
    var terms = SubmissionTerms()
    let peer: PeerID
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
        var download: ModelDownload?
    }

    /// More submitters than this do not send models at a time.
    private static let mostDownloads = 64
    /// A submitter that sends nothing for this long is gone.
    private static let patience = Duration.seconds(30)

    private let store: ModelStore
    private let reader: JobReader<Int>
    private var entries: [PeerID: Entry] = [:]
    private var lastNumber = 0

    /// - Parameter reader: reads into `store`; its tickets are for ``take(_:of:at:)``.
    init(store: ModelStore, reader: JobReader<Int>) {
        self.store = store
        self.reader = reader
    }

    /// Who waits for an answer.
    var waiting: [PeerID] { Array(entries.keys) }

    /// Takes in a job. The same one again changes nothing, another one takes its place.
    mutating func take(_ submission: HandedIn) {
        if entries[submission.peer]?.submission.text == submission.text { return }
        lastNumber += 1
        entries[submission.peer] = Entry(number: lastNumber, submission: submission)
        reader.read(submission.text, ticket: lastNumber)
    }

    /// Forgets a job that its submitter gives up. - Returns: whether it was here.
    mutating func cancel(_ job: Digest, _ peer: PeerID) -> Bool {
        guard let entry = entries[peer], SHA256.hash(of: entry.submission.text) == job else { return false }
        entries[peer] = nil
        return true
    }

    /// Takes in what a reading came to.
    mutating func take(_ outcome: JobReader<Int>.Outcome, of number: Int, at now: Duration) -> Decision? {
        guard let (peer, entry) = entries.first(where: { $0.value.number == number }) else { return nil }
        switch outcome {
        case .job(let job, _):
            entries[peer] = nil
            return .accepted(job, entry.submission)
        case .refused(let error):
            return refuse(peer, 65, "\(error)")
        case .missing(let models, let found):
            guard entries.values.count(where: { $0.download != nil }) < Self.mostDownloads else {
                return refuse(peer, 75, "too many submitters are sending models; try again later")
            }
            entries[peer]?.missing = models[...]
            entries[peer]?.found = found
            return next(peer, at: now)
        }
    }

    /// Takes in a piece of a model.
    mutating func take(_ chunk: ModelChunk, from peer: PeerID, at now: Duration) -> Decision? {
        guard entries[peer]?.download?.model == chunk.model else { return nil }
        do {
            guard let model = try entries[peer]?.download?.take(chunk, at: now) else { return nil }
            entries[peer]?.found[model.digest] = model
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
            if let entry = entries[peer] {
                reader.read(entry.submission.text, found: entry.found, ticket: entry.number)
            }
            return nil
        }
        do {
            entries[peer]?.download = try ModelDownload(model, into: store, at: now)
            return nil
        } catch {
            return refuse(peer, error.exitStatus, "\(error)")
        }
    }

    private mutating func refuse(_ peer: PeerID, _ status: Int32, _ text: String) -> Decision {
        entries[peer] = nil
        return .refused(peer, exitStatus: status, text: text)
    }

    /// What to ask submitters for now; those that are gone are forgotten.
    mutating func requests(at now: Duration) -> [(peer: PeerID, messages: [Message])] {
        var requests: [(PeerID, [Message])] = []
        for peer in entries.keys {
            guard let last = entries[peer]?.download?.lastProgress else { continue }
            if now - last > Self.patience {
                entries[peer] = nil
            } else if let messages = entries[peer]?.download?.requests(at: now), !messages.isEmpty {
                requests.append((peer, messages))
            }
        }
        return requests
    }
}
