import CZeroMQ

/// A worker's connection to a model server. It lives on one thread.
package struct ServerConnection {
    /// A reply with its numbers.
    package struct Answer: Sendable {
        /// What the first frame says.
        package let reply: ServerReply
        /// The float64 of the second frame.
        package let energies: [Double]
        /// The float32 of the third.
        package let gradients: [Float]
    }

    private let socket: Socket
    private let endpoint: String

    /// Connects; that nobody is there shows only when nothing comes back.
    package init(_ context: MessagingContext, connectingTo endpoint: String) throws(MessagingError) {
        socket = try Socket(context, kind: ZMQ_DEALER)
        self.endpoint = endpoint
        try socket.set(ZMQ_IMMEDIATE, 1)
        try socket.set(ZMQ_RECONNECT_IVL, 50)
        // Whom it was for is gone with this.
        try socket.set(ZMQ_LINGER, 0)
        try socket.connect(endpoint)
    }

    /// Sends without waiting. - Returns: false if there is no connection or no room.
    package func send(_ request: ServerRequest, points: [Float]? = nil) throws(MessagingError) -> Bool {
        guard try socket.send(request.encoded(), more: points != nil) == .sent else { return false }
        if let points { return try socket.send(numbers: points, more: false) == .sent }
        return true
    }

    /// The next answer, if one is there. - Throws: ``MessagingError``, also for one that can't be read.
    package func receive() throws(MessagingError) -> Answer? {
        // One frame more than there may be.
        guard let frames = try socket.receive(atMost: 4) else { return nil }
        let reply = try ServerReply(frames[0].bytes)
        guard frames.count > 1 else { return Answer(reply: reply, energies: [], gradients: []) }
        guard frames.count == 3, let energies = Self.numbers(in: frames[1], of: Double.self),
            let gradients = Self.numbers(in: frames[2], of: Float.self)
        else { throw .malformed("a reply whose \(frames.count - 1) frames of numbers are not energies and gradients") }
        return Answer(reply: reply, energies: energies, gradients: gradients)
    }

    /// Waits until an answer is there or the time is over.
    package func wait(atMost timeout: Duration) throws(MessagingError) { try socket.wait(atMost: timeout) }

    /// Little-endian numbers; nil if the last one is cut off.
    private static func numbers<Number: BitwiseCopyable>(in frame: Socket.Frame, of type: Number.Type) -> [Number]? {
        let size = MemoryLayout<Number>.size
        guard frame.count % size == 0 else { return nil }
        return frame.withBytes { bytes in
            [Number](unsafeUninitializedCapacity: bytes.count / size) { buffer, count in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(bytes))
                count = bytes.count / size
            }
        }
    }
}
