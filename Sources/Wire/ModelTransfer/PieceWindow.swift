/// Asks for a file piece by piece, a few at a time, and takes the pieces in their order.
///
/// A piece that is lost is asked for again after a while, and what follows it with it: connections keep the
/// order, so that nothing else arrives out of turn. Each time the wait doubles, up to a minute, so that a slow
/// connection is not filled with what is on its way already.
package struct PieceWindow: Equatable, Sendable {
    /// What became of a piece.
    package enum Outcome: Equatable {
        /// It is the next one.
        case taken
        /// It was asked for twice, or follows one that was lost.
        case passedOver
        /// Its file has another size than that of the pieces before.
        case contradiction
    }

    /// Bytes of a piece.
    package let length: Int
    /// Pieces that are asked for at a time; few enough that other messages get through beside them.
    package let depth: Int
    /// How long a piece may take.
    package private(set) var patience: Duration
    /// Bytes that have been taken.
    package private(set) var received = 0
    /// Bytes of the file, once the first piece has told.
    package private(set) var total: Int?
    /// When a piece was last taken.
    package private(set) var lastTaken: Duration
    private var requested = 0
    private var lastRequest: Duration

    /// Nothing has come yet. - Parameter depth: pieces that are asked for at a time.
    package init(length: Int, depth: Int = 4, at now: Duration) {
        self.length = length
        self.depth = depth
        patience = .seconds(2)
        (lastTaken, lastRequest) = (now, now)
    }

    /// Whether all pieces have been taken.
    package var isComplete: Bool { received == total }

    /// Where the pieces begin that are to be asked for now.
    package mutating func requests(at now: Duration) -> [Int] {
        guard !isComplete else { return [] }
        if now - max(lastTaken, lastRequest) >= patience {
            requested = received
            patience = min(patience * 2, .seconds(60))
        }
        // Before the first piece tells the size there is nothing else to ask for.
        let end = min(total ?? 1, received + depth * length)
        let offsets = Array(stride(from: requested, to: end, by: length))
        if let last = offsets.last {
            requested = last + length
            lastRequest = now
        }
        return offsets
    }

    /// The sender has started anew and knows nothing of what it was asked.
    package mutating func startAnew() {
        requested = received
        patience = .seconds(2)
    }

    /// Takes in a piece of `count` bytes.
    package mutating func take(offset: Int, count: Int, total: Int, at now: Duration) -> Outcome {
        guard self.total ?? total == total, count <= total - offset else { return .contradiction }
        guard offset == received, !isComplete else { return .passedOver }
        self.total = total
        received += count
        lastTaken = now
        // A sender may give less than was asked for.
        if count < length { requested = received }
        return .taken
    }
}
