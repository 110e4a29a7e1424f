import Foundation
import Messaging

/// Where sockets of a test meet.
enum Transport: CaseIterable, Sendable {
    case ipc, tcp
}

/// An empty folder that goes when its owner goes.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "m-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A router, and the address at which it listens.
struct Meeting {
    let context = MessagingContext()
    let router: RouterSocket
    let address: String
    private let folder: TemporaryFolder

    init(at place: Transport) throws {
        folder = try TemporaryFolder()
        router = try RouterSocket(context)
        address = try router.bind(to: place == .ipc ? "ipc://\(folder.path)/s" : "tcp://127.0.0.1:*")
    }
}

extension RouterSocket {
    /// The next message within five seconds.
    func next() throws -> (peer: PeerID, bytes: [UInt8])? {
        let wakeup = Wakeup()
        let end = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < end {
            if let message = try receive() { return message }
            try wait(for: wakeup, atMost: .milliseconds(100))
        }
        return nil
    }
}

extension DealerSocket {
    /// The next message within five seconds.
    func next() throws -> [UInt8]? {
        let wakeup = Wakeup()
        let end = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < end {
            if let message = try receive() { return message }
            try wait(for: wakeup, atMost: .milliseconds(100))
        }
        return nil
    }

    /// Sends as soon as there is a connection; false if there is none within five seconds.
    func sendWhenConnected(_ bytes: [UInt8]) throws -> Bool {
        let wakeup = Wakeup()
        let end = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < end {
            if try send(bytes) { return true }
            try wait(for: wakeup, atMost: .milliseconds(10))
        }
        return false
    }
}

/// Who may do what with a file.
func permissions(of path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? -1
}
