import ArgumentParser
import CommandFrame
import Dispatch
import Foundation
import Logging
import MachineCapacity
import Messaging
import PoolKeys
import ProgramVersion
import StopSignals
import Worker

@main
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rrr-worker",
        abstract: "Runs blocks of chains for a coordinator.",
        discussion: """
            Stops on SIGINT or SIGTERM after handing its blocks back, with exit status 130 or 0. A coordinator that is \
            not there yet, or gone, is waited for.
            """,
        version: programVersion)

    @Option(help: "Address of the coordinator (default: RRR_COORDINATOR, else tcp://127.0.0.1:7757).")
    var coordinator: String?

    @Option(help: "Blocks that run side by side (default: the number of cores that this process may use).")
    var slots: Int?

    @Flag(help: "Leave when there was work and no more comes for two seconds.")
    var once = false

    @Option(
        help: ArgumentHelp(
            "Bytes of model files to keep, such as 500MB or 10GiB (default: RRR_MODEL_CACHE, else 10GiB).",
            valueName: "size"))
    var modelCache: String?

    @OptionGroup var networks: MemoryOption

    @Option(
        help: ArgumentHelp(
            """
            A model server to run beside the worker, for jobs that name it: a command of the shell that starts it, or the \
            address of one that runs already. May be given several times.
            """, valueName: "name=command|name=ipc://path"))
    var server: [String] = []

    @Option(help: ArgumentHelp("How long a model server may take to start (default: 600).", valueName: "seconds"))
    var serverStartLimit: Double?

    @Option(help: ArgumentHelp("How long a model server may take to answer (default: 300).", valueName: "seconds"))
    var serverTimeLimit: Double?

    @OptionGroup var keys: KeysOption

    /// The process that started this one, when it is to end with it. Told rather than asked for: by the
    /// time this process could ask, that one may be dead.
    @Option(help: .hidden)
    var parent: Int32?

    static func main() { start() }

    func validate() throws {
        if let slots, !(1...4096).contains(slots) {
            throw ValidationError("--slots must be from 1 to 4096, is \(slots).")
        }
        for (name, limit) in [("start", serverStartLimit), ("time", serverTimeLimit)] {
            if let limit, !(0.001...1e6).contains(limit) {
                throw ValidationError("--server-\(name)-limit must be from 0.001 to 1000000 seconds, is \(limit).")
            }
        }
        _ = try cacheLimit()
        _ = try address()
        _ = try offers()
    }

    private func offers() throws -> [ServerOffer] {
        do throws(ServerOffer.Malformed) {
            return try ServerOffer.all(server)
        } catch {
            throw ValidationError("--server \(error).")
        }
    }

    private func address() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        do throws(Endpoint.Malformed) {
            return try Endpoint.coordinator(flag: coordinator, environment: environment)?.description ?? Endpoint.usual
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private func cacheLimit() throws -> Int {
        guard let text = modelCache ?? ProcessInfo.processInfo.environment["RRR_MODEL_CACHE"], !text.isEmpty else {
            return ModelCache.defaultLimit
        }
        guard let limit = ByteCount.read(text) else {
            throw ValidationError(
                "\(modelCache == nil ? "RRR_MODEL_CACHE" : "--model-cache") must be a number of bytes such as 10GiB, "
                    + "is \"\(text)\".")
        }
        return limit
    }

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        // Workers that a command started for itself say nothing as long as all goes well.
        let logger = Logger.standardError(label: "rrr-worker", saying: parent == nil ? .notice : .warning)
        let ownKeys: ClientKeys?
        do {
            ownKeys = try keys.path.map { try KeyFolder.clientKeys($0, for: [.worker]) }
        } catch let error as KeyError {
            tell("rrr-worker: \(error)")
            throw ExitCode(error.exitStatus)
        }
        var configuration = WorkerService.Configuration(
            coordinator: try address(),
            slots: slots ?? MachineCapacity.processors, once: once,
            parent: parent, version: Self.configuration.version,
            modelCache: ModelCache(
                folder: ModelCache.folder(environment: environment, home: NSHomeDirectory()),
                limit: try cacheLimit()),
            memory: try networks.bytes(), servers: try offers(), keys: ownKeys)
        if let serverStartLimit { configuration.serverLimits.start = .seconds(serverStartLimit) }
        if let serverTimeLimit { configuration.serverLimits.evaluation = .seconds(serverTimeLimit) }
        let service = WorkerService(configuration: configuration, logger: logger)
        let signals = StopSignals { _ in service.stop() }
        let status: Int32
        do {
            status = try service.run()
        } catch {
            tell("rrr-worker: \(error)")
            throw ExitCode(error is UnusableAddress ? 64 : error is RejectedWorker ? 77 : 70)
        }
        if signals.received == SIGINT { throw ExitCode(130) }
        if status != 0 { throw ExitCode(status) }
    }
}
