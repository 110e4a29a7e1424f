import CZeroMQ

/// ZeroMQ's context: its threads and the sockets' common ground. One per process is enough.
///
/// Unchecked because the compiler cannot know that a ZeroMQ context may be used from any thread.
public final class MessagingContext: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer?

    public init() {
        pointer = zmq_ctx_new()
        // As many connections as the process may have files, less those it needs for itself.
        zmq_ctx_set(pointer, ZMQ_MAX_SOCKETS, 20_000)
    }

    deinit {
        // Every socket has a bounded linger, so this ends.
        while zmq_ctx_term(pointer) == -1, zmq_errno() == EINTR {}
    }
}
