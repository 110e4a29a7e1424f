import Glibc
import Synchronization

/// Stands between a client and a server, hands everything on, and remembers what the client has said.
public final class RecordingRelay: Sendable {
    /// Where the client is to connect to, of the form `tcp://127.0.0.1:port`.
    public let endpoint: String
    private let listener: Int32
    private let heard = Mutex<[UInt8]>([])

    /// Relays one connection at a time to an address of the form `tcp://127.0.0.1:port`.
    public init?(to server: String) {
        guard let port = server.split(separator: ":").last.flatMap({ UInt16($0) }) else { return nil }
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard bindAndListen(listener), let own = portOf(listener) else { return nil }
        endpoint = "tcp://127.0.0.1:\(own)"
        let (listener, heard) = (
            listener, { [weak self] bytes in self?.remember(bytes) } as @Sendable ([UInt8]) -> Void
        )
        startThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                let other = connected(to: port)
                startThread { copy(from: other, to: client) { _ in } }
                copy(from: client, to: other, heard)
                for end in [client, other] { shutdown(end, Int32(SHUT_RDWR)) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func remember(_ bytes: [UInt8]) { heard.withLock { $0 += bytes } }

    /// Everything that clients have said.
    public var recording: [UInt8] { heard.withLock { $0 } }
}

private func startThread(_ work: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let work: @Sendable () -> Void
        init(_ work: @escaping @Sendable () -> Void) { self.work = work }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { box in
            if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().work() }
            return nil
        }, Unmanaged.passRetained(Box(work)).toOpaque())
    pthread_detach(thread)
}

private func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

private func bindAndListen(_ socket: Int32) -> Bool {
    var address = loopback(0)
    let isBound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    return isBound == 0 && listen(socket, 8) == 0
}

private func portOf(_ socket: Int32) -> UInt16? {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isKnown = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
    }
    return isKnown == 0 ? UInt16(bigEndian: address.sin_port) : nil
}

private func connected(to port: UInt16) -> Int32 {
    let end = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port)
    _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(end, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    return end
}

private func copy(from source: Int32, to target: Int32, _ note: ([UInt8]) -> Void) {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = recv(source, &bytes, bytes.count, 0)
        guard count > 0 else { return }
        note(Array(bytes[..<count]))
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[..<count]
            while !rest.isEmpty {
                let sent = send(
                    target, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard sent > 0 else { return }
                rest = rest.dropFirst(sent)
            }
        }
    }
}
