import Messaging

/// What waits to be sent, in the order in which it has to leave. Of some kinds only the latest is worth sending.
struct Outbox {
    /// What a message is to those after it.
    enum Kind: Hashable {
        case registration, heartbeat
        case progress(AttemptID), checkpoint(AttemptID), result(AttemptID)
        /// Nothing takes its place.
        case statement
    }

    private var entries: ArraySlice<(kind: Kind, bytes: [UInt8])> = []

    var isEmpty: Bool { entries.isEmpty }

    /// Adds a message at the end; one of the same kind that waits goes.
    mutating func add(_ bytes: [UInt8], as kind: Kind) {
        // While there is a connection next to nothing waits, so this costs nothing.
        if kind != .statement { entries.removeAll { $0.kind == kind } }
        entries.append((kind, bytes))
    }

    /// Adds messages that belong together at the end; those of the same kind that wait go.
    mutating func add(_ messages: [[UInt8]], as kind: Kind) {
        if kind != .statement { entries.removeAll { $0.kind == kind } }
        entries += messages.map { (kind, $0) }
    }

    /// Sends as many as `send` takes.
    mutating func flush(_ send: ([UInt8]) throws -> Bool) rethrows {
        while let first = entries.first, try send(first.bytes) { entries.removeFirst() }
    }
}
