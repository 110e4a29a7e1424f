import CZeroMQ

/// A ZeroMQ socket with every option that matters set on purpose. It lives on one
/// thread: not being Sendable, it cannot be handed to another.
final class Socket {
    /// The largest message that is let in; a result is smaller (the job file sees to that).
    static let largestMessage = Int64(DecodingLimits().messageBytes)

    /// Far below what ZeroMQ can count; nobody waits that long.
    private static let longestWait = Duration.seconds(86_400)

    private let pointer: UnsafeMutableRawPointer
    // The context must outlive its sockets.
    private let context: MessagingContext

    init(_ context: MessagingContext, kind: Int32) throws(MessagingError) {
        guard let socket = zmq_socket(context.pointer, kind) else {
            throw MessagingError(socket: "making a socket")
        }
        pointer = socket
        self.context = context
        // Half-open connections are not kept for long.
        try set(ZMQ_HANDSHAKE_IVL, 10_000)
        try set(ZMQ_MAXMSGSIZE, long: Self.largestMessage)
        // What waits for a peer is bounded in messages; leases bound it far below.
        try set(ZMQ_SNDHWM, 4_096)
        try set(ZMQ_RCVHWM, 4_096)
        // Closing waits this long for goodbyes to leave, never for ever.
        try set(ZMQ_LINGER, 500)
        try set(ZMQ_IPV6, 1)
        // A dead link is noticed by the kernel: asked after 10 s of silence, given up 6 s later. ZeroMQ's own pings
        // (ZMQ_HEARTBEAT_IVL, and ZMQ_HEARTBEAT_TTL at the peer) would keep timers for each connection, and libzmq 4.3
        // looks through those of all connections whenever it stops one: at thousands of workers it does nothing else.
        try set(ZMQ_TCP_KEEPALIVE, 1)
        try set(ZMQ_TCP_KEEPALIVE_IDLE, 10)
        try set(ZMQ_TCP_KEEPALIVE_INTVL, 2)
        try set(ZMQ_TCP_KEEPALIVE_CNT, 3)
    }

    deinit { zmq_close(pointer) }

    func set(_ option: Int32, _ value: Int32) throws(MessagingError) {
        var value = value
        try zeroMQ("setting socket option \(option)") {
            zmq_setsockopt(pointer, option, &value, MemoryLayout<Int32>.size)
        }
    }

    func set(_ option: Int32, long value: Int64) throws(MessagingError) {
        var value = value
        try zeroMQ("setting socket option \(option)") {
            zmq_setsockopt(pointer, option, &value, MemoryLayout<Int64>.size)
        }
    }

    func set(_ option: Int32, bytes: [UInt8]) throws(MessagingError) {
        try zeroMQ("setting socket option \(option)") { zmq_setsockopt(pointer, option, bytes, bytes.count) }
    }

    /// What an option is set to, or what the socket tells of itself by it.
    func number(_ option: Int32) throws(MessagingError) -> Int32 {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        try zeroMQ("asking for socket option \(option)") { zmq_getsockopt(pointer, option, &value, &size) }
        return value
    }

    /// Listens; returns the address with its real port.
    func bind(_ endpoint: String) throws(MessagingError) -> String {
        try zeroMQ("listening at \(endpoint)") { zmq_bind(pointer, endpoint) }
        var text = [CChar](repeating: 0, count: 512)
        var size = text.count
        try zeroMQ("asking for the address of \(endpoint)") {
            zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &size)
        }
        let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // An IPv4 address as IPv6 sockets write it; [::ffff:127.0.0.1] is 127.0.0.1.
        guard let mapped = address.firstRange(of: "[::ffff:"), let end = address.firstIndex(of: "]") else {
            return address
        }
        return String(
            address[..<mapped.lowerBound] + address[mapped.upperBound..<end] + address[address.index(after: end)...])
    }

    func connect(_ endpoint: String) throws(MessagingError) {
        try zeroMQ("connecting to \(endpoint)") { zmq_connect(pointer, endpoint) }
    }

    /// Lets nobody in but those whose keys the context's ``Gate`` knows, and encrypts.
    ///
    /// Without a gate this ZeroMQ would let everybody in (ZMQ_ZAP_ENFORCE_DOMAIN, which changes that, is a draft): whoever
    /// calls this holds one, and passes over messages that come without the name that it gives.
    func serve(with pair: CurvePair, domain: String) throws(MessagingError) {
        try set(ZMQ_CURVE_SERVER, 1)
        try set(ZMQ_CURVE_SECRETKEY, bytes: pair.secret.bytes)
        try set(ZMQ_ZAP_DOMAIN, bytes: Array(domain.utf8))
    }

    /// Talks to the owner of one key alone, and proves itself with its own.
    func prove(_ keys: ClientKeys) throws(MessagingError) {
        try set(ZMQ_CURVE_SERVERKEY, bytes: keys.server.bytes)
        try set(ZMQ_CURVE_PUBLICKEY, bytes: keys.pair.publicKey.bytes)
        try set(ZMQ_CURVE_SECRETKEY, bytes: keys.pair.secret.bytes)
    }

    /// Lets events of its connections be told at an address within the process.
    func tellEvents(at address: String, _ events: Int32) throws(MessagingError) {
        try zeroMQ("watching connections") { zmq_socket_monitor(pointer, address, events) }
    }

    /// What a poll looks at.
    var pollItem: zmq_pollitem_t { zmq_pollitem_t(socket: pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }

    func disconnect(_ endpoint: String) throws(MessagingError) {
        try zeroMQ("leaving \(endpoint)") { zmq_disconnect(pointer, endpoint) }
    }

    /// Sends one frame of numbers, as they lie in memory, without waiting.
    func send(numbers: [Float], more: Bool) throws(MessagingError) -> SendOutcome {
        try zeroMQWithoutWaiting("sending") {
            numbers.withUnsafeBytes {
                zmq_send(pointer, $0.baseAddress, $0.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0))
            }
        }
    }

    /// Sends one frame without waiting.
    func send(_ bytes: [UInt8], more: Bool) throws(MessagingError) -> SendOutcome {
        try zeroMQWithoutWaiting("sending") {
            zmq_send(pointer, bytes, bytes.count, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0))
        }
    }

    /// The frames of the next message where they lie, at most so many; nil if there is none now.
    ///
    /// - Parameter most: frames that are kept. A peer may put any number into one message: one too many is all that a
    ///   reader has to know.
    func receive(atMost most: Int = 3) throws(MessagingError) -> [Frame]? {
        var frames: [Frame] = []
        while let frame = try receiveFrame() {
            if frames.count < most { frames.append(frame) }
            if !frame.isFollowed { return frames }
        }
        return nil
    }

    private func receiveFrame() throws(MessagingError) -> Frame? {
        let frame = Frame()
        return try zeroMQWithoutWaiting("receiving") { zmq_msg_recv(frame.message, pointer, ZMQ_DONTWAIT) } == .sent
            ? frame : nil
    }

    /// One frame of a message, which lies where ZeroMQ has put it for as long as this does.
    final class Frame {
        // A zmq_msg_t must stay where it was initialised until it is closed.
        fileprivate let message = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)

        fileprivate init() { zmq_msg_init(message) }

        deinit {
            zmq_msg_close(message)
            message.deallocate()
        }

        /// Whether it is not its message's last.
        fileprivate var isFollowed: Bool { zmq_msg_more(message) != 0 }

        var count: Int { zmq_msg_size(message) }

        /// Its bytes, copied.
        var bytes: [UInt8] { withBytes { Array($0) } }

        /// Its bytes where they lie.
        func withBytes<Value, Failure: Error>(
            _ read: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Value
        ) throws(Failure) -> Value {
            let content = UnsafeRawBufferPointer(start: zmq_msg_data(message), count: count)
            return try withExtendedLifetime(self) { () throws(Failure) in
                try read(content.bindMemory(to: UInt8.self))
            }
        }

        /// What it came by; nil within a process.
        var connection: Connection? {
            let descriptor = zmq_msg_get(message, ZMQ_SRCFD)
            return descriptor >= 0 ? Connection(descriptor: descriptor) : nil
        }

        /// The number of the host that it came from; empty within a host.
        var address: String { property("Peer-Address").map(HostName.plain) ?? "" }

        /// What the ``Gate`` calls its sender; nil where there is none.
        var user: String? { property("User-Id") }

        private func property(_ name: String) -> String? {
            zmq_msg_gets(message, name).flatMap { String(validatingCString: $0) }
        }
    }

    /// Waits until a message is there or the time is over.
    func wait(atMost timeout: Duration) throws(MessagingError) {
        var item = zmq_pollitem_t(socket: pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
        let milliseconds = Int((min(max(.zero, timeout), Self.longestWait) / .milliseconds(1)).rounded(.up))
        if zmq_poll(&item, 1, milliseconds) == -1, zmq_errno() != EINTR { throw MessagingError(socket: "waiting") }
    }

    /// Waits until a message is there, somebody calls, or the time is over.
    ///
    /// - Parameter others: sockets beside this one that end the wait.
    func wait(
        for wakeup: borrowing Wakeup, atMost timeout: Duration, beside others: [zmq_pollitem_t] = []
    ) throws(MessagingError) {
        // A wakeup without its pipe cannot end the wait, so the wait is kept short.
        let hasPipe = wakeup.readable >= 0
        var items = [pollItem] + others
        if hasPipe {
            items.append(zmq_pollitem_t(socket: nil, fd: wakeup.readable, events: Int16(ZMQ_POLLIN), revents: 0))
        }
        let longest = hasPipe ? Self.longestWait : .milliseconds(10)
        let milliseconds = Int((min(max(.zero, timeout), longest) / .milliseconds(1)).rounded(.up))
        // A signal ends the wait like a wakeup does: whoever waits looks around and waits again.
        if zmq_poll(&items, Int32(items.count), milliseconds) == -1, zmq_errno() != EINTR {
            throw MessagingError(socket: "waiting")
        }
        if hasPipe, items[items.count - 1].revents != 0 { wakeup.clear() }
    }
}
