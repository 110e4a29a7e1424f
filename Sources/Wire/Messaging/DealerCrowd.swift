import CEpoll
import CZeroMQ
import Glibc
import OpenFiles

/// Many workers' connections in one thread: thousands of sockets cost what those cost that have something to say.
///
/// A poll over all sockets would look at each of them every time. Here the kernel tells which have news: each socket
/// has a descriptor (ZMQ_FD) that is watched with epoll. It only says that the socket's state has changed since
/// somebody last looked, and looking, sending too, takes the sign away. So whoever wakes receives until there is
/// nothing more, and after a send looks again.
package final class DealerCrowd {
    private let context: MessagingContext
    private let endpoint: String
    private let keys: ClientKeys?
    /// The epoll descriptor.
    private let watch: Int32
    private var members: [DealerSocket] = []
    /// What a member could not send yet, in order.
    private var outboxes: [[[UInt8]]] = []
    /// Members that may have news which their descriptor does not tell any more.
    private var unchecked: [Int] = []
    private var isUnchecked: [Bool] = []
    /// Whose messages are being taken in now: it will be looked at again anyway.
    private var current: Int?
    private var events = [epoll_event](repeating: epoll_event(), count: 1_024)

    /// A crowd that has nobody yet.
    ///
    /// - Parameters:
    ///   - capacity: the most members that will ``join()``, each taking ``filesPerMember`` open files.
    ///   - endpoint: where each of them connects to.
    ///   - keys: of all of them; nil for plain text.
    /// - Throws: ``MessagingError`` if the process may not have that many files open.
    package init(
        capacity: Int, connectingTo endpoint: String, keys: ClientKeys? = nil
    ) throws(MessagingError) {
        try OpenFileLimit.raise(
            toHold: capacity * Self.filesPerMember + Self.otherFiles, for: "\(capacity) connections in one process")
        context = MessagingContext(sockets: capacity)
        watch = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard watch >= 0 else { throw MessagingError(socket: "watching sockets") }
        (self.endpoint, self.keys) = (endpoint, keys)
    }

    deinit { close(watch) }

    /// A connection and what wakes its owner.
    package static let filesPerMember = 2

    /// What a process has open beside its crowd, and some to spare.
    package static let otherFiles = 64

    /// Members, numbered from 0.
    package var count: Int { members.count }

    /// One more connection. - Returns: the member's number.
    @discardableResult
    package func join() throws(MessagingError) -> Int {
        let member = members.count
        let dealer = try DealerSocket(context, connectingTo: endpoint, keys: keys, isOneOfMany: true)
        var event = epoll_event(
            events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: UInt64(member)))
        guard epoll_ctl(watch, EPOLL_CTL_ADD, try dealer.socket.number(ZMQ_FD), &event) == 0 else {
            throw MessagingError(socket: "watching a socket")
        }
        members.append(dealer)
        outboxes.append([])
        isUnchecked.append(false)
        look(at: member)
        return member
    }

    /// Sends without waiting; what the connection does not take now leaves when it does.
    package func send(_ bytes: [UInt8], from member: Int) throws(MessagingError) {
        let isSent = outboxes[member].isEmpty ? try members[member].send(bytes) : false
        if !isSent { outboxes[member].append(bytes) }
        if member != current { look(at: member) }
    }

    /// Waits until somebody has a message or the time is over, then hands all there are to `take`, which may send.
    package func receive(
        atMost timeout: Duration, _ take: (Int, [UInt8]) throws(MessagingError) -> Void
    ) throws(MessagingError) {
        try wait(atMost: unchecked.isEmpty ? timeout : .zero)
        let awake = unchecked
        unchecked = []
        for member in awake { isUnchecked[member] = false }
        defer { current = nil }
        for member in awake {
            current = member
            try serve(member, take)
        }
    }

    /// Receives and sends until nothing more can be done.
    ///
    /// Any call on a socket may take in that a connection or a message has come, and with it the sign that would wake the
    /// crowd. So the socket's state is asked for after each, until it tells of nothing.
    private func serve(
        _ member: Int, _ take: (Int, [UInt8]) throws(MessagingError) -> Void
    ) throws(MessagingError) {
        while true {
            let state = try members[member].socket.number(ZMQ_EVENTS)
            if state & ZMQ_POLLIN != 0 {
                while let bytes = try members[member].receive() { try take(member, bytes) }
            } else if state & ZMQ_POLLOUT != 0, !outboxes[member].isEmpty {
                try flush(member)
            } else {
                return
            }
        }
    }

    private func flush(_ member: Int) throws(MessagingError) {
        guard !outboxes[member].isEmpty else { return }
        var sent = 0
        while sent < outboxes[member].count, try members[member].send(outboxes[member][sent]) { sent += 1 }
        outboxes[member].removeFirst(sent)
    }

    private func look(at member: Int) {
        guard !isUnchecked[member] else { return }
        isUnchecked[member] = true
        unchecked.append(member)
    }

    private func wait(atMost timeout: Duration) throws(MessagingError) {
        let milliseconds = Int32(clamping: Int((max(.zero, timeout) / .milliseconds(1)).rounded(.up)))
        let found = epoll_wait(watch, &events, Int32(events.count), milliseconds)
        // A signal ends the wait like news do: whoever waits looks around and waits again.
        guard found >= 0 || errno == EINTR else { throw MessagingError(socket: "waiting") }
        for event in events.prefix(Int(max(0, found))) { look(at: Int(event.data.u64)) }
    }
}

extension MessagingContext {
    /// A context for more sockets than ZeroMQ's usual 1023.
    convenience init(sockets: Int) {
        self.init()
        // Should it refuse, making the first socket too many fails, and says so.
        zmq_ctx_set(pointer, ZMQ_MAX_SOCKETS, Int32(clamping: max(1_023, sockets)))
    }
}
