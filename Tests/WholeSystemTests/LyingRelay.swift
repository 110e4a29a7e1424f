import Foundation
import Messaging
import PoolKeys
import Synchronization

/// Stands between a worker and a coordinator and changes a bit in one of so many of the worker's results.
final class LyingRelay: Sendable {
    /// Where the worker is to connect to.
    let address: String
    private let state = Mutex((results: 0, lies: 0, ends: false))

    /// - Parameters:
    ///   - socket: the file where the worker connects.
    ///   - coordinator: where the coordinator listens.
    ///   - keys: by which the relay connects there.
    ///   - period: of so many results one is changed.
    init(at socket: String, to coordinator: String, keys: ClientKeys, lyingEvery period: Int) throws {
        address = "ipc://" + socket
        let (address, ready) = (address, DispatchSemaphore(value: 0))
        let thread = Thread { [weak self] in
            do {
                let router = try RouterSocket(MessagingContext())
                _ = try router.bind(to: address)
                ready.signal()
                let dealer = try DealerSocket(MessagingContext(), connectingTo: coordinator, keys: keys)
                let wakeup = Wakeup()
                let other = Wakeup()
                var worker: PeerID?
                while let self, !self.ends {
                    try router.wait(for: wakeup, atMost: .milliseconds(2))
                    while let (peer, bytes) = try router.receive() {
                        worker = peer
                        let bytes = try self.changed(bytes, period)
                        while try !dealer.send(bytes) { try dealer.wait(for: other, atMost: .milliseconds(2)) }
                    }
                    try dealer.wait(for: other, atMost: .milliseconds(2))
                    while let bytes = try dealer.receive() {
                        if let worker { _ = try router.send(bytes, to: worker) }
                    }
                }
            } catch {
                FileHandle.standardError.write(Data("the lying relay has ended: \(error)\n".utf8))
            }
        }
        thread.start()
        ready.wait()
    }

    private var ends: Bool { state.withLock { $0.ends } }

    /// How many results were changed.
    var lies: Int { state.withLock { $0.lies } }

    func end() { state.withLock { $0.ends = true } }

    private func changed(_ bytes: [UInt8], _ period: Int) throws -> [UInt8] {
        guard case .result(var report) = try Message.decode(bytes) else { return bytes }
        let isLie = state.withLock { state in
            state.results += 1
            guard state.results % period == 0 else { return false }
            state.lies += 1
            return true
        }
        guard isLie else { return bytes }
        // The lowest bit of a coordinate.
        report.samples[0] ^= 1
        return Message.result(report).encoded()
    }
}
