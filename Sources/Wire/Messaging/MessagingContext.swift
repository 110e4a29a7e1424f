import CZeroMQ

/// ZeroMQ's context: its threads and the sockets' common ground. One per process is enough.
///
/// Unchecked because the compiler cannot know that a ZeroMQ context may be used from any thread.
package final class MessagingContext: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer?

    /// A context of its own. Should there be no memory for it, making a socket in it fails.
    package init() { pointer = zmq_ctx_new() }

    deinit {
        // Every socket has a bounded linger, so this ends.
        while zmq_ctx_term(pointer) == -1, zmq_errno() == EINTR {}
    }
}
