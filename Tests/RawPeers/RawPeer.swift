import Glibc

/// A TCP connection to a ZeroMQ socket by something that need not keep to ZeroMQ's protocol.
public final class RawPeer: Sendable {
    private let descriptor: Int32

    /// Connects to an address of the form `tcp://127.0.0.1:port`.
    public init?(_ endpoint: String) {
        guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else { return nil }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        // A router that says nothing fails the test, rather than stopping it.
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    deinit { close(descriptor) }

    /// Sends all of it, unless the other side hangs up.
    public func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                // Without a signal if the other side has hung up already.
                let sent = send(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard sent > 0 else { return }
                rest = rest.dropFirst(sent)
            }
        }
    }

    /// What ZMTP 3.0 wants of a dealer before its first message: a greeting without security and
    /// READY, each of them answered.
    ///
    /// - Parameter identity: what the router is to call it by; empty for what the router likes.
    public func introduce(as identity: [UInt8] = []) {
        let greeting: [UInt8] =
            [0xff] + [UInt8](repeating: 0, count: 8) + [0x7f, 3, 0] + Array("NULL".utf8)
            + [UInt8](repeating: 0, count: 48)
        write(greeting)
        _ = read(greeting.count)
        let ready: [UInt8] =
            [5] + Array("READY".utf8) + [11] + Array("Socket-Type".utf8) + [0, 0, 0, 6] + Array("DEALER".utf8)
            + [8] + Array("Identity".utf8) + Self.length(identity.count, bytes: 4) + identity
        write(ready.count < 256 ? [4, UInt8(ready.count)] : [6] + Self.length(ready.count, bytes: 8))
        write(ready)
        _ = read(Int(read(2)[1]))
    }

    private static func length(_ count: Int, bytes: Int) -> [UInt8] {
        (0..<bytes).reversed().map { UInt8(count >> (8 * $0) & 255) }
    }

    private func read(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        _ = recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
        return bytes
    }

    /// Whether the next that comes is this.
    public func reads(_ bytes: [UInt8]) -> Bool { read(bytes.count) == bytes }

    /// One message.
    public func write(frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            let more: UInt8 = index < frames.count - 1 ? 1 : 0
            if frame.count < 256 {
                write([more, UInt8(frame.count)] + frame)
            } else {
                write([more | 2] + Self.length(frame.count, bytes: 8) + frame)
            }
        }
    }

    /// Whether the other side has hung up: what it has sent before is read and dropped.
    public var isEnded: Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count == 0 || count < 0 && errno != EAGAIN { return true }
            if count < 0 { return false }
        }
    }
}
