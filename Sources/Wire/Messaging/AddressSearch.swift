/// Which of several addresses of a host to connect to: one after the other, until one answers.
///
/// A dealer that is connected to several addresses would share its messages out among them. So one is tried at a time,
/// for longer with every round: a link may be slow. The address that has answered is left only after a long silence.
package struct AddressSearch {
    /// How long each address gets in the first round.
    private static let first = Duration.milliseconds(400)
    private static let longest = Duration.seconds(6)

    private let addresses: [String]
    private var tried = 0
    private var since: ContinuousClock.Instant
    private var hasAnswered = false

    /// Begins with the first of the addresses, of which there is at least one.
    package init(_ addresses: [String], at now: ContinuousClock.Instant) {
        self.addresses = addresses
        since = now
    }

    /// The address to be connected to.
    package var current: String { addresses[tried % addresses.count] }

    /// Whether there is no other.
    package var isSettled: Bool { addresses.count == 1 }

    /// There is a connection.
    package mutating func answered(at now: ContinuousClock.Instant) {
        (since, hasAnswered) = (now, true)
    }

    /// There is no connection. - Returns: true if ``current`` has become another.
    package mutating func silent(at now: ContinuousClock.Instant) -> Bool {
        let round = min(tried / addresses.count, 4)
        let patience = hasAnswered ? Self.longest : min(Self.longest, Self.first * (1 << round))
        guard !isSettled, now - since >= patience else { return false }
        (since, hasAnswered) = (now, false)
        tried += 1
        return true
    }
}
