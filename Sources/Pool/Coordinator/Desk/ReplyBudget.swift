import Messaging

/// How many bytes wait for peers to read them. ZeroMQ counts messages alone, and a message may be megabytes.
///
/// What was sent counts until the system has nothing left that the peer has not taken.
struct ReplyBudget {
    /// A peer that has not read this much gets nothing more.
    static let bytesOfPeer = 8 << 20
    /// The same of a worker: texts of jobs and states of blocks are on their way to it.
    static let bytesOfWorker = 32 << 20
    /// When more waits for all peers together, those that have not read for longest are cut off.
    static let bytesOfAll = 128 << 20
    /// Smaller messages are not counted: how many of them wait is bounded.
    static let smallest = 16 << 10

    private struct Debt {
        let identity: Connection.Identity
        let since: Duration
        var bytes = 0
    }

    private var owed: [Connection: Debt] = [:]
    private var total = 0

    /// Bytes that wait for all peers.
    var waitingBytes: Int { total }

    /// Whether a peer has read enough of what it was sent to be sent more: less than `most` bytes wait.
    mutating func admits(_ connection: Connection?, below most: Int = bytesOfPeer) -> Bool {
        guard let connection else { return true }
        forgetIfPaid(connection)
        return owed[connection].map { $0.bytes < most } ?? true
    }

    /// Takes in that a message was sent.
    mutating func note(_ bytes: Int, over connection: Connection?, at now: Duration) {
        guard let connection, bytes >= Self.smallest else { return }
        let identity = connection.identity
        if let debt = owed[connection], debt.identity != identity { forget(connection) }
        owed[connection, default: Debt(identity: identity, since: now)].bytes += bytes
        total += bytes
        if total > Self.bytesOfAll { cutOff() }
    }

    /// Also when the connection has become another.
    private mutating func forgetIfPaid(_ connection: Connection) {
        guard let debt = owed[connection] else { return }
        if connection.bytesNotTaken ?? 0 == 0 || connection.identity != debt.identity { forget(connection) }
    }

    private mutating func forget(_ connection: Connection) {
        total -= owed.removeValue(forKey: connection)?.bytes ?? 0
    }

    private mutating func cutOff() {
        for connection in owed.keys { forgetIfPaid(connection) }
        for (connection, _) in owed.sorted(by: { $0.value.since < $1.value.since }) where total > Self.bytesOfAll {
            connection.end()
            forget(connection)
        }
    }
}
