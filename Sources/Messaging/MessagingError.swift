import CZeroMQ

/// A socket operation failed, or a message was not what it should be.
public struct MessagingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Sendable, Equatable {
        /// ZeroMQ refused; the number is its errno.
        case socket(Int32)
        /// The bytes are not an envelope, or break a limit.
        case malformed
        /// The peer speaks another version of the protocol.
        case version(UInt32)
    }

    public let code: Code
    public let message: String

    public var description: String { message }

    static func malformed(_ message: String) -> MessagingError { MessagingError(code: .malformed, message: message) }
}

/// Calls into ZeroMQ: repeats what a signal interrupted, turns -1 into an error.
@discardableResult
func zeroMQ(_ operation: @autoclosure () -> String, _ call: () -> Int32) throws(MessagingError) -> Int32 {
    while true {
        let result = call()
        if result != -1 { return result }
        let number = zmq_errno()
        if number == EINTR { continue }
        throw MessagingError(
            code: .socket(number), message: "\(operation()): \(String(cString: zmq_strerror(number)))")
    }
}
