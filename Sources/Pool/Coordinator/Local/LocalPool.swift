import Foundation
import Journal
package import Logging
import ModelTransfer
import Synchronization

/// A coordinator in this process and worker processes beside it: the pool of a `submit` that is given
/// no other. They speak through a socket in a private folder, by the same path as everybody else.
package final class LocalPool: Sendable {
    /// Where the coordinator listens.
    package let endpoint: String

    /// Private to this pool: its socket, the path of which must be short.
    private let folder: RuntimeFolder
    private let state: PoolState
    private let service: CoordinatorService
    private let workers: LocalWorkers
    private let served = DispatchSemaphore(value: 0)

    /// Starts everything.
    ///
    /// - Parameters:
    ///   - memory: bytes that networks may take, in all workers together.
    ///   - servers: the model servers that each worker runs, as its command line has them.
    ///   - state: where the coordinator keeps what must outlast it; what an earlier pool left there goes on.
    /// - Throws: ``PoolClientError`` with exit status 70, that of a `JournalError` or 73.
    package init(
        workers count: Int, memory: Int, servers: [String] = [], state: PoolState, logger: Logger
    ) throws {
        self.state = state
        let folder = try RuntimeFolder()
        self.folder = folder
        let service = CoordinatorService(configuration: .init(stateFolder: state.path), logger: logger)
        self.service = service
        let answer = Mutex<Result<String, any Error>?>(nil)
        let ready = DispatchSemaphore(value: 0)
        let served = served
        Thread {
            do {
                try service.run(listeningAt: "ipc://" + folder.socket) { endpoint in
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
            workers = try LocalWorkers(count: count, coordinator: endpoint, memory: memory, servers: servers) {
                service.processDied($0, reason: $1)
            } exhausted: {
                service.failAll(reason: $0)
            }
        } catch {
            service.stop()
            served.wait()
            if !state.holdsWork { state.remove() }
            switch error {
            case let error as PoolClientError:
                throw error
            case let error as ModelTransferError:
                throw PoolClientError(exitStatus: error.exitStatus, "\(error)")
            case let error as JournalError:
                let isBeyondReading = error.code == .malformed || error.code == .newer
                throw PoolClientError(
                    exitStatus: error.exitStatus,
                    "\(error)" + (isBeyondReading ? "; --force begins anew and drops what is there" : ""))
            default:
                throw PoolClientError(exitStatus: 70, "\(error)")
            }
        }
    }

    /// Sends the workers home, ends the coordinator and removes the private folder.
    ///
    /// - Parameter keepingWork: whether what is done, if anything is, stays in the state folder. What is on the disk
    ///   decides: what was last heard of the job may be behind it.
    package func close(keepingWork: Bool) {
        // While the coordinator still listens to their goodbyes.
        workers.end()
        service.stop()
        served.wait()
        if !keepingWork || !state.holdsWork { state.remove() }
    }
}
