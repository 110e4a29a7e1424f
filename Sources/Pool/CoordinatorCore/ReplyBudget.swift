/// How many bytes wait for peers to read them. ZeroMQ counts messages alone, and a message may be megabytes.
///
/// What was sent counts until the peer has taken everything.
struct ReplyBudget {
    let limits: MemoryLimits

    private struct Debt {
        let since: Duration
        var bytes = 0
    }

    private var owed: [Line: Debt] = [:]

    init(_ limits: MemoryLimits) { self.limits = limits }

    /// Bytes that wait for all peers.
    private(set) var waitingBytes = 0

    /// Who has something to read.
    var debtors: [Line] { Array(owed.keys) }

    /// Whether a peer has read enough of what it was sent to be sent more: less than `most` bytes wait.
    func admits(_ line: Line?, below most: Int) -> Bool {
        line.flatMap { owed[$0] }.map { $0.bytes < most } ?? true
    }

    /// Takes in that a message is sent. - Returns: who is to be cut off.
    mutating func note(_ bytes: Int, over line: Line?, at now: Duration) -> [Line] {
        guard let line, bytes >= limits.smallestCounted else { return [] }
        owed[line, default: Debt(since: now)].bytes += bytes
        waitingBytes += bytes
        var slow: [Line] = []
        while waitingBytes > limits.unreadOfAll, let slowest = owed.min(by: { $0.value.since < $1.value.since })?.key {
            slow.append(slowest)
            forget(slowest)
        }
        return slow
    }

    /// Takes in that a peer has taken everything, or is gone.
    mutating func forget(_ line: Line) { waitingBytes -= owed.removeValue(forKey: line)?.bytes ?? 0 }
}
