import Foundation
import Messaging

/// What ZeroMQ and the disk do without a pool: the same sockets as the pool's, over loopback, in threads of this process.
enum MessagingLimits {
    private static let clock = ContinuousClock()

    /// Round trips a second of 100 bytes, 64 of them on their way at any time.
    static func roundTripsPerSecond(over time: Duration) throws -> Double {
        let stop = Mailbox<Bool>()
        let echo = try ServingThread { ready in
            let router = try RouterSocket(MessagingContext())
            ready(try router.bind(to: "tcp://127.0.0.1:*"))
            while stop.drain().isEmpty {
                try router.wait(for: stop.wakeup, atMost: .milliseconds(50))
                while let (peer, bytes) = try router.receive() { _ = try router.send(bytes, to: peer) }
            }
        }
        defer {
            stop.post(true)
            echo.join()
        }
        let dealer = try DealerSocket(MessagingContext(), connectingTo: echo.endpoint)
        let wakeup = Wakeup()
        let message = [UInt8](repeating: 7, count: 100)
        for _ in 0..<64 { try send(message, by: dealer, wakeup) }
        let start = clock.now
        var done = 0
        while clock.now - start < time {
            try dealer.wait(for: wakeup, atMost: .seconds(1))
            while let answer = try dealer.receive() {
                done += 1
                try send(answer, by: dealer, wakeup)
            }
        }
        return Double(done) / ((clock.now - start) / .seconds(1))
    }

    /// Bytes a second of messages that are sent, received, written to a file in `folder` and synced at the end.
    ///
    /// Eight messages are on their way at any time.
    static func writtenBytesPerSecond(messages: Int, of size: Int, folder: String) throws -> Double {
        let path = folder + "/transfer"
        defer { unlink(path) }
        let receiver = try ServingThread { ready in
            let router = try RouterSocket(MessagingContext())
            let wakeup = Wakeup()
            let file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw BenchmarkError.disk(path, errno) }
            defer { close(file) }
            ready(try router.bind(to: "tcp://127.0.0.1:*"))
            var count = 0
            while count < messages {
                try router.wait(for: wakeup, atMost: .seconds(1))
                while let (peer, bytes) = try router.receive() {
                    // The greeting has one byte.
                    if bytes.count > 1 {
                        guard pwrite(file, bytes, bytes.count, off_t(count * size)) == bytes.count else {
                            throw BenchmarkError.disk(path, errno)
                        }
                        count += 1
                        if count == messages, fsync(file) != 0 { throw BenchmarkError.disk(path, errno) }
                    }
                    _ = try router.send([1], to: peer)
                }
            }
            // What is sent just before a connection closes may not arrive.
            try router.wait(for: wakeup, atMost: .milliseconds(100))
        }
        defer { receiver.join() }
        let dealer = try DealerSocket(MessagingContext(), connectingTo: receiver.endpoint)
        let wakeup = Wakeup()
        let message = [UInt8](repeating: 7, count: size)
        try send([0], by: dealer, wakeup)
        while try dealer.receive() == nil { try dealer.wait(for: wakeup, atMost: .seconds(1)) }
        let start = clock.now
        var (sent, answered) = (0, 0)
        while answered < messages {
            while sent < messages, sent - answered < 8 {
                try send(message, by: dealer, wakeup)
                sent += 1
            }
            let heard = clock.now
            while try dealer.receive() == nil {
                guard clock.now - heard < .seconds(60) else { throw BenchmarkError.silence(path) }
                try dealer.wait(for: wakeup, atMost: .seconds(1))
            }
            answered += 1
        }
        return Double(messages * size) / ((clock.now - start) / .seconds(1))
    }

    private static func send(_ bytes: [UInt8], by dealer: DealerSocket, _ wakeup: borrowing Wakeup) throws {
        while try !dealer.send(bytes) { try dealer.wait(for: wakeup, atMost: .milliseconds(1)) }
    }
}
