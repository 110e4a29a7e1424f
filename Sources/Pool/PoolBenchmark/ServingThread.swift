import Foundation
import Synchronization

/// A thread of this process that listens somewhere until it is told to stop.
final class ServingThread: Sendable {
    /// Where it listens, as ZeroMQ writes it.
    let endpoint: String
    private let ended = DispatchSemaphore(value: 0)

    /// Starts `serve`, which calls `ready` with its address once it listens. - Throws: what `serve` throws before that.
    init(_ serve: @escaping @Sendable (_ ready: (String) -> Void) throws -> Void) throws {
        let answer = Mutex<Result<String, any Error>?>(nil)
        let answered = DispatchSemaphore(value: 0)
        let ended = ended
        Thread {
            do {
                try serve { endpoint in
                    answer.withLock { $0 = .success(endpoint) }
                    answered.signal()
                }
            } catch {
                // What fails later is missed by whoever talks to it.
                answer.withLock { $0 = $0 ?? .failure(error) }
                answered.signal()
            }
            ended.signal()
        }.start()
        answered.wait()
        guard let endpoint = try answer.withLock({ try $0?.get() }) else { throw CancellationError() }
        self.endpoint = endpoint
    }

    /// Returns when it has ended; call once.
    func join() { ended.wait() }
}
