import ArgumentParser
import CommandFrame
import Coordinator
import Foundation
import Messaging
import PoolBenchmark
import PoolKeys
import StopSignals

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the coordinator on this machine.",
        discussion: """
            Runs a coordinator in this process with simulated workers, which compute nothing, in another, over TCP on \
            this host, and measures blocks a second, latency, memory and large samples beside what ZeroMQ and the disk \
            do alone. Latency is what one worker that holds one block at a time (deepestQueue 1) waits from a result to \
            its next block. A rate counts from `accepted` to the job's end, its files written and synced. Each figure \
            is the median of the repeats (least - most). Nothing else should run meanwhile.
            """)

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Take a few seconds: it shows that everything works, the figures mean little.")
    var quick = false

    @Option(help: "How often each figure is measured (default: 5, with --quick 1).")
    var repeats: Int?

    @Option(help: "Also measure with so many simulated workers; may be repeated.")
    var simulated: [Int] = []

    @Option(help: "Folder in which a temporary one is made for the jobs' files (default: TMPDIR, else /tmp).")
    var state: String?

    func validate() throws {
        if let repeats, !(1...1_000).contains(repeats) {
            throw ValidationError("--repeats must be from 1 to 1000, is \(repeats).")
        }
        if let count = simulated.first(where: { !(1...1_000_000).contains($0) }) {
            throw ValidationError("--simulated must be from 1 to 1000000, is \(count).")
        }
    }

    func run() throws {
        try reportingFailure {
            var options = quick ? PoolBenchmark.Options.quick : PoolBenchmark.Options()
            options.repeats = repeats ?? options.repeats
            for count in simulated where count != 2 && !options.crowds.contains(count) { options.crowds.append(count) }
            let folder = try temporaryFolder()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let interruption = Mailbox<Int32>()
            let signals = StopSignals { interruption.post($0) }
            defer { withExtendedLifetime(signals) {} }
            var benchmark = PoolBenchmark(options, folder: folder, interruption: interruption, progress: tell)
            let report: BenchmarkReport
            do {
                report = try benchmark.run()
            } catch let error as BenchmarkError {
                throw PoolClientError(exitStatus: error.exitStatus, "\(error)")
            } catch let error as MessagingError {
                throw PoolClientError(exitStatus: 75, "\(error)")
            }
            try printResult(json ? report.json : report.table)
        }
    }

    private func temporaryFolder() throws -> String {
        let base = state ?? FileManager.default.temporaryDirectory.path
        let folder = base + "/rrr-bench-" + UUID().uuidString.prefix(8).lowercased()
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw PoolClientError(exitStatus: 73, "\(folder) can't be made: \(error.localizedDescription)")
        }
        return folder
    }
}

/// The process of simulated workers that `bench` starts; it ends with its standard input.
struct SimulateWorkers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-workers", abstract: "Workers that compute nothing, for `bench`.", shouldDisplay: false)

    @Option(help: "The coordinator's address.")
    var coordinator: String

    @Option(help: "How many workers, one slot each.")
    var count: Int

    @OptionGroup var keys: KeysOption

    func run() throws {
        try reportingFailure {
            let end = Mailbox<Bool>()
            Thread {
                while let data = try? FileHandle.standardInput.read(upToCount: 64), !data.isEmpty {}
                end.post(true)
            }.start()
            do {
                var workers = try SimulatedWorkers(
                    count: count, coordinator: coordinator,
                    keys: try keys.path.map { try KeyFolder.clientKeys($0, for: [.worker]) })
                try workers.run(until: end)
            } catch let error as MessagingError {
                throw PoolClientError(exitStatus: 75, "\(error)")
            }
        }
    }
}
