import CZeroMQ

/// A socket operation failed, or a message was not what it should be.
package struct MessagingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    package enum Code: Sendable, Equatable {
        /// ZeroMQ refused; the number is its errno.
        case socket(Int32)
        /// The bytes are not an envelope, or break a limit.
        case malformed
        /// The bytes are more than a message of their kind may have.
        case tooLong
        /// The peer speaks another version of the protocol.
        case version(UInt32)
    }

    /// What went wrong, for code that decides.
    package let code: Code

    /// What was being done and why it failed, for people.
    package let message: String

    package var description: String { message }

    /// Both as given.
    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// What ZeroMQ says about the call that has just failed on this thread.
    init(socket operation: String) {
        let number = zmq_errno()
        self.init(code: .socket(number), message: "\(operation): \(String(cString: zmq_strerror(number)))")
    }

    static func malformed(_ message: String) -> MessagingError { MessagingError(code: .malformed, message: message) }
}

/// What became of a message that was sent without waiting.
package enum SendOutcome: Sendable, Equatable {
    /// It is on its way.
    case sent
    /// There is no connection yet, or as much as may wait for the peer is waiting already.
    case wouldBlock
    /// There is no such peer, or no longer.
    case unreachable
}

/// Calls into ZeroMQ: repeats what a signal interrupted, turns -1 into an error.
@discardableResult
func zeroMQ(_ operation: @autoclosure () -> String, _ call: () -> Int32) throws(MessagingError) -> Int32 {
    while true {
        let result = call()
        if result != -1 { return result }
        if zmq_errno() != EINTR { throw MessagingError(socket: operation()) }
    }
}

/// The same for calls that must not wait, and for which "not now" and "nobody there" are answers.
func zeroMQWithoutWaiting(
    _ operation: @autoclosure () -> String, _ call: () -> Int32
) throws(MessagingError) -> SendOutcome {
    while true {
        if call() != -1 { return .sent }
        switch zmq_errno() {
        case EINTR: continue
        case EAGAIN: return .wouldBlock
        case EHOSTUNREACH: return .unreachable
        default: throw MessagingError(socket: operation())
        }
    }
}
