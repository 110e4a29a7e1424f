import Foundation
import Journal
public import Logging
import Synchronization

/// A coordinator in this process and worker processes beside it: the pool of a `submit` that is given
/// no other. They speak through a socket in a private folder, by the same path as everybody else.
public final class LocalPool: Sendable {
    /// Where the coordinator listens.
    public let endpoint: String

    /// Private to this pool: its socket, the path of which must be short.
    private let folder: String
    private let stateFolder: String
    private let service: CoordinatorService
    private let workers: LocalWorkers
    private let served = DispatchSemaphore(value: 0)

    /// Starts everything.
    ///
    /// - Parameter stateFolder: where the coordinator keeps what must outlast it; what an earlier pool left there goes on.
    /// - Throws: ``PoolClientError`` with exit status 70 or 73.
    public init(workers count: Int, stateFolder: String, logger: Logger) throws {
        self.stateFolder = stateFolder
        let base = FileManager.default.temporaryDirectory.path
        let folder = base + "/rrr-" + UUID().uuidString.prefix(8).lowercased()
        do {
            // Nobody else may look in: the socket has no other lock.
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PoolClientError(exitStatus: 73, "\(folder) can't be made: \(error.localizedDescription)")
        }
        self.folder = folder
        let service = CoordinatorService(configuration: .init(stateFolder: stateFolder), logger: logger)
        self.service = service
        let answer = Mutex<Result<String, any Error>?>(nil)
        let ready = DispatchSemaphore(value: 0)
        let served = served
        Thread {
            do {
                try service.run(listeningAt: "ipc://" + folder + "/pool") { endpoint in
                    answer.withLock { $0 = .success(endpoint) }
                    ready.signal()
                }
            } catch {
                answer.withLock { $0 = .failure(error) }
                ready.signal()
            }
            served.signal()
        }.start()
        ready.wait()
        do {
            guard let endpoint = try answer.withLock({ try $0?.get() }) else { throw CancellationError() }
            self.endpoint = endpoint
            workers = try LocalWorkers(count: count, coordinator: endpoint) {
                service.processDied($0, reason: $1)
            } exhausted: {
                service.failAll(reason: $0)
            }
        } catch {
            try? FileManager.default.removeItem(atPath: folder)
            if let error = error as? JournalError {
                throw PoolClientError(
                    exitStatus: error.exitStatus, "\(error); --force begins anew and drops what is there")
            }
            throw (error as? PoolClientError) ?? PoolClientError(exitStatus: 70, "\(error)")
        }
    }

    /// Sends the workers home, ends the coordinator and removes the private folder.
    ///
    /// - Parameter keepingState: whether what is done stays in the state folder.
    public func close(keepingState: Bool) {
        // While the coordinator still listens to their goodbyes.
        workers.end()
        service.stop()
        served.wait()
        try? FileManager.default.removeItem(atPath: folder)
        if !keepingState { try? FileManager.default.removeItem(atPath: stateFolder) }
    }
}
