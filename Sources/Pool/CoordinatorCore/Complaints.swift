import Messaging

/// Keeps a log readable that peers can write to: of each kind of line a few a minute, then how many were left out.
struct Complaints {
    /// What a line is about.
    enum Kind: String {
        case unreadable = "messages that could not be read"
        case misdirected = "messages that are not for a coordinator"
        case registration = "registrations"
        case departure = "departures of workers"
        case failure = "failures of blocks"
        case connection = "connections that were ended"
        case stranger = "connections that were not let in"
        case role = "messages that were not for their sender to say"
        case request = "requests beyond the limit"
    }

    private static let mostOfAll = 60
    private static let mostOfPeer = 10
    private static let period = Duration.seconds(60)

    private var lines: [Kind: Int] = [:]
    private var linesOfPeers: [PeerID: [Kind: Int]] = [:]
    private var leftOut: [Kind: Int] = [:]
    private var begin = Duration.zero

    /// Whether a line may be written; else it is counted.
    ///
    /// - Parameter peer: whom it is about; nil for nobody alone.
    mutating func admits(_ kind: Kind, about peer: PeerID? = nil) -> Bool {
        let ofPeer = peer.flatMap { linesOfPeers[$0]?[kind] } ?? 0
        guard lines[kind, default: 0] < Self.mostOfAll, ofPeer < Self.mostOfPeer else {
            leftOut[kind, default: 0] += 1
            return false
        }
        lines[kind, default: 0] += 1
        if let peer { linesOfPeers[peer, default: [:]][kind] = ofPeer + 1 }
        return true
    }

    /// What was left out in the minute that has gone by, in words; nil if nothing or it is not over.
    mutating func summary(at now: Duration) -> String? {
        guard now - begin > Self.period else { return nil }
        let counts = leftOut.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
        self = Complaints()
        begin = now
        return counts.isEmpty ? nil : "left out of the log of the last minute: " + counts.joined(separator: ", ")
    }
}
