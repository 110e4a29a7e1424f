import ContentHash
package import Messaging

/// Why a submitter could not get what it wanted, with the exit status to end with.
package struct PoolClientError: Error, Sendable, CustomStringConvertible {
    /// What the command should end with, as sysexits.h has it.
    package let exitStatus: Int32
    /// What went wrong and what to do, in one line.
    package let description: String

    /// An error in words that say what to do.
    package init(exitStatus: Int32, _ description: String) {
        self.exitStatus = exitStatus
        self.description = description
    }
}

/// A submitter's connection to a coordinator, near or far.
package struct PoolClient {
    private let socket: DealerSocket
    private let endpoint: String
    private let hasKeys: Bool
    /// Why connecting failed last.
    private var rejection: Rejection?
    private let clock = ContinuousClock()
    /// Ends a wait early.
    private let interruption: Mailbox<Int32>
    /// The signal that asked to stop, once one has.
    package private(set) var interruptedBy: Int32?

    /// - Parameters:
    ///   - keys: nil for a coordinator that has none.
    ///   - interruption: where a signal's number arrives that should end waiting.
    package init(endpoint: String, keys: ClientKeys? = nil, interruption: Mailbox<Int32>) throws {
        self.endpoint = endpoint
        hasKeys = keys != nil
        self.interruption = interruption
        do {
            socket = try DealerSocket(MessagingContext(), connectingTo: endpoint, keys: keys)
        } catch {
            throw PoolClientError(exitStatus: 64, "\(endpoint) is not an address such as tcp://host:7757 (\(error))")
        }
    }

    /// Sends as soon as there is a connection; false if there is none in time.
    mutating func send(_ message: Message, within limit: Duration) throws -> Bool {
        let bytes = message.encoded()
        let deadline = clock.now + limit
        while try !socket.send(bytes) {
            guard clock.now < deadline, interruptedBy == nil else { return false }
            try pause(.milliseconds(5))
        }
        return true
    }

    private mutating func pause(_ time: Duration) throws {
        // What ends a connection wakes nobody.
        try socket.wait(for: interruption.wakeup, atMost: min(time, .milliseconds(200)))
        if let rejection = try socket.rejection() {
            self.rejection = rejection
            if rejection.isFinal { throw rejected(rejection, exitStatus: 77) }
        }
        if let signal = interruption.drain().first { interruptedBy = interruptedBy ?? signal }
    }

    /// The next message, or nil after `limit` or an interruption.
    mutating func receive(within limit: Duration) throws -> Message? {
        let deadline = clock.now + limit
        while true {
            if let bytes = try socket.receive() { return try Message.decode(bytes) }
            let left = deadline - clock.now
            guard left > .zero, interruptedBy == nil else { return nil }
            try pause(left)
        }
    }

    /// Asks and waits for the first answer that `accept` makes something of.
    ///
    /// - Throws: ``PoolClientError`` with exit status 69 if nobody answers within `limit`, with the
    ///   coordinator's own if it refuses.
    package mutating func ask<T>(
        _ question: Message, within limit: Duration = .seconds(4), _ accept: (Message) -> T?
    ) throws -> T {
        let deadline = clock.now + limit
        guard try send(question, within: limit) else { throw unreachable() }
        while let answer = try receive(within: deadline - clock.now) {
            if case .refusal(let status, let text) = answer { throw PoolClientError(exitStatus: status, text) }
            if let wanted = accept(answer) { return wanted }
        }
        throw unreachable()
    }

    private func rejected(_ rejection: Rejection, exitStatus: Int32) -> PoolClientError {
        PoolClientError(exitStatus: exitStatus, rejection.text(at: endpoint, hasKeys: hasKeys))
    }

    func unreachable() -> PoolClientError {
        if let interruptedBy { return PoolClientError(exitStatus: 128 + interruptedBy, "interrupted") }
        if let rejection { return rejected(rejection, exitStatus: 69) }
        return PoolClientError(
            exitStatus: 69,
            "no coordinator answers at \(endpoint); start one with: rrr-coordinator serve --listen \(endpoint)")
    }
}
