import ContentHash
import Coordinator
import Foundation
import JobFile
import Logging
import Messaging
import OpenFiles
import PoolCore
import PoolKeys

/// A coordinator in a thread of this process, as `serve` runs it, and workers beside it in other processes.
final class PoolUnderTest {
    /// Who works.
    enum Workforce {
        case nobody
        /// Simulated workers, in as many processes as their connections need.
        case simulated(Int)
        /// `rrr-worker` processes of one slot.
        case real(Int)

        var count: Int {
            switch self {
            case .nobody: 0
            case .simulated(let count), .real(let count): count
            }
        }
    }

    /// How many were started.
    let workers: Int
    private let folder: String
    private let service: CoordinatorService
    private let serving: ServingThread
    private let interruption: Mailbox<Int32>
    private let keys: KeyFolder?
    private var children: [ChildProcess] = []

    /// Starts everything and returns when all workers have registered.
    ///
    /// - Parameters:
    ///   - folder: the coordinator's state, a folder that only this pool uses.
    ///   - interruption: where a signal arrives that ends every wait.
    init(
        _ workforce: Workforce, configuration: CoordinatorService.Configuration, interruption: Mailbox<Int32>
    ) throws {
        try OpenFileLimit.raise(
            toHold: workforce.count + 2 * DealerCrowd.otherFiles, for: "a coordinator with \(workforce.count) workers")
        folder = configuration.stateFolder
        workers = workforce.count
        keys = configuration.keys
        self.interruption = interruption
        let service = CoordinatorService(
            configuration: configuration,
            logger: Logger(label: "rrr-coordinator") { StreamLogHandler.standardError(label: $0) }.quiet)
        self.service = service
        serving = try ServingThread { ready in try service.run(listeningAt: "tcp://127.0.0.1:*", ready) }
        do {
            try start(workforce)
            try awaitWorkers(workforce.count)
        } catch {
            close()
            throw error
        }
    }

    /// Where the coordinator listens.
    var endpoint: String { serving.endpoint }

    /// A connection of its own.
    func client() throws -> PoolClient {
        try PoolClient(
            endpoint: endpoint, keys: try keys.map { try KeyFolder.clientKeys($0.path, for: [.submitter]) },
            interruption: interruption)
    }

    /// Sends the workers home and ends all; call once.
    func close() {
        service.stop()
        serving.join()
        for child in children { child.end() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Makes room on the disk: the files of a job that is over.
    func remove(_ job: Job) { try? FileManager.default.removeItem(atPath: folder + "/jobs/" + job.identity.hex) }

    private func start(_ workforce: Workforce) throws {
        let address = ["--coordinator", endpoint] + (keys.map { ["--keys", $0.path] } ?? [])
        switch workforce {
        case .nobody:
            break
        case .simulated(let count):
            let most = max(1, (OpenFileLimit.highest - DealerCrowd.otherFiles) / DealerCrowd.filesPerMember)
            let processes = (count + most - 1) / most
            for index in 0..<processes {
                let share = count * (index + 1) / processes - count * index / processes
                children.append(
                    try ChildProcess(
                        "rrr-coordinator", ["simulate-workers"] + address + ["--count", "\(share)"]))
            }
        case .real(let count):
            for _ in 0..<count {
                children.append(
                    try ChildProcess(
                        "rrr-worker", address + ["--slots", "1", "--parent", "\(getpid())"]))
            }
        }
    }

    /// Waits until so many workers are registered; at most two minutes.
    func awaitWorkers(_ count: Int) throws {
        var client = try client()
        let deadline = ContinuousClock().now + .seconds(120)
        while true {
            let known = try client.ask(.statusRequest(job: nil), within: .seconds(30)) { answer -> Int? in
                if case .poolStatus(let status) = answer { status.workers } else { nil }
            }
            if known >= count { return }
            guard ContinuousClock().now < deadline, children.allSatisfy(\.isRunning) else {
                throw PoolClientError(exitStatus: 70, "only \(known) of \(count) workers have registered")
            }
            usleep(5_000)
        }
    }
}

extension Logger {
    /// Errors alone: a benchmark's workers come and go by the thousand.
    fileprivate var quiet: Logger {
        var logger = self
        logger.logLevel = .error
        return logger
    }
}
