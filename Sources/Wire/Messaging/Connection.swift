import CZeroMQ
import Glibc

/// A peer's connection, as the system knows it; what it says holds for as long as the connection lasts. Two values are
/// equal that have the same descriptor: ``identity`` is what to keep.
///
/// ZeroMQ keeps no account of bytes, neither of those that wait for a peer nor of those that a peer has sent and that are
/// no message yet. The system does.
package struct Connection: Hashable, Sendable {
    let descriptor: Int32

    /// What the system was given to send and the peer has not taken; nil if the connection is gone.
    package var bytesNotTaken: Int? {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : nil
    }

    /// What has come over a TCP connection since it began, in bytes; nil for any other.
    var bytesReceived: Int? {
        // linux/tcp.h has it at this place of tcp_info since Linux 4.1; glibc's header ends before.
        let place = 128
        var info = [UInt8](repeating: 0, count: 256)
        var size = socklen_t(info.count)
        guard getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0, Int(size) >= place + 8 else {
            return nil
        }
        return Int(clamping: info[place..<place + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    /// What tells it from a later one with the same descriptor, for as long as it lasts.
    package var identity: Identity {
        var status = stat()
        return Identity(descriptor: descriptor, node: fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0)
    }

    /// One connection and no other: the system gives a descriptor to the next one as soon as it is free.
    package struct Identity: Hashable, Sendable {
        let descriptor: Int32
        let node: UInt64

        /// Both as given.
        package init(descriptor: Int32, node: UInt64) { (self.descriptor, self.node) = (descriptor, node) }

        /// Nil once another connection, or none, has the descriptor.
        private var connection: Connection? {
            let connection = Connection(descriptor: descriptor)
            return connection.identity == self ? connection : nil
        }

        /// Whether the peer has taken everything that the system was given to send; also when the connection is gone.
        package var hasTakenAll: Bool { connection?.bytesNotTaken ?? 0 == 0 }

        /// Ends the connection, if it lasts, for both sides. An honest peer connects again.
        package func end() { connection?.end() }
    }

    /// Whether it was accepted at a TCP port of this process.
    func isAccepted(at port: UInt16) -> Bool {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let hasName = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        let family = Int32(address.sin6_family)
        // The port has the same place in both families.
        guard hasName == 0, family == AF_INET || family == AF_INET6, UInt16(bigEndian: address.sin6_port) == port
        else { return false }
        var listens: Int32 = 0
        size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 0
    }

    /// Ends it, for both sides. An honest peer connects again.
    package func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }
}
