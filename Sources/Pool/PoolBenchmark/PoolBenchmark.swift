import Coordinator
import Foundation
import JobFile
package import Messaging
import PoolCore
import PoolKeys

/// Measures the coordinator on this machine. Each figure is measured several times and beside what limits it.
package struct PoolBenchmark {
    /// How much is measured.
    package struct Options: Sendable {
        /// How often, at least 1.
        package var repeats = 5
        /// About how long a run of empty blocks is to take.
        package var runTime = Duration.seconds(1)
        /// Numbers of simulated workers beside 2.
        package var crowds = [1_000, 10_000]
        /// Blocks of large samples in a run.
        package var largeBlocks = 200
        /// Blocks that queue in the measurement of memory.
        package var queuedBlocks = 1_000_000
        /// Chains of the job that is handed in while its acceptance and status are timed.
        package var chains = 1_000_000

        /// The whole measurement.
        package init() {}

        /// A few seconds in all: it shows that everything works, its figures mean little.
        package static var quick: Options {
            var options = Options()
            (options.repeats, options.runTime, options.crowds) = (1, .milliseconds(100), [50])
            (options.largeBlocks, options.chains) = (8, 100_000)
            return options
        }
    }

    private let options: Options
    private let folder: String
    private let interruption: Mailbox<Int32>
    private let progress: (String) -> Void
    /// Of the pools that are measured with encryption.
    private let keys: KeyFolder
    private var jobs = BenchmarkJobs()
    private var pools = 0
    private var report = BenchmarkReport()

    /// - Parameters:
    ///   - folder: an empty folder for the coordinator's files, on the disk that is to be measured.
    ///   - interruption: where a signal arrives that should end it.
    ///   - progress: called with what is measured next.
    package init(
        _ options: Options, folder: String, interruption: Mailbox<Int32>, progress: @escaping (String) -> Void
    ) {
        self.options = options
        self.folder = folder
        keys = KeyFolder(folder + "/keys")
        self.interruption = interruption
        self.progress = progress
    }

    /// Measures everything; what breaks down under a crowd is told in the remarks, its figures are missing.
    ///
    /// - Throws: ``PoolClientError``, ``BenchmarkError``, ``MessagingError``, `KeyError`.
    package mutating func run() throws -> BenchmarkReport {
        // Keys are not made beside sockets that use some.
        _ = try keys.generate()
        if try FileSystem.isInMemory(folder) {
            report.remark("\(folder) is in memory (tmpfs): what concerns the disk says nothing. Choose with --state.")
        }
        // First, while the process's memory is untouched.
        try measureMemory()
        try measureRoundTrips()
        let two = try measureTwo()
        try measureLatency()
        for count in options.crowds {
            do {
                try measureCrowd(count, beside: two)
            } catch let error as PoolClientError where error.exitStatus < 128 {
                // A coordinator that breaks down under many workers is a result, too.
                report.remark("With \(count) simulated workers nothing could be measured: \(error).")
            }
        }
        try measureRealWorkers()
        try measureLongJob()
        try measureLargeSamples()
        return report
    }

    // MARK: Pools

    /// How the coordinator under test is set up: as shipped, but for the depth of its queues and what its journal
    /// survives.
    private mutating func configuration(
        deepestQueue: Int? = nil, survivesPowerLoss: Bool = true, encrypts: Bool = false
    ) -> CoordinatorService.Configuration {
        pools += 1
        var pool = PoolConfiguration()
        if let deepestQueue { pool.deepestQueue = deepestQueue }
        var configuration = CoordinatorService.Configuration(stateFolder: folder + "/pool-\(pools)", pool: pool)
        configuration.survivesPowerLoss = survivesPowerLoss
        configuration.keys = encrypts ? keys : nil
        return configuration
    }

    private mutating func withPool<T>(
        _ workforce: PoolUnderTest.Workforce, survivesPowerLoss: Bool = true, encrypts: Bool = false,
        _ body: (inout Self, PoolUnderTest) throws -> T
    ) throws -> T {
        let pool = try PoolUnderTest(
            workforce, configuration: configuration(survivesPowerLoss: survivesPowerLoss, encrypts: encrypts),
            interruption: interruption)
        defer { pool.close() }
        return try body(&self, pool)
    }

    private func repeated(_ what: String, _ body: () throws -> Void) throws {
        for index in 1...options.repeats {
            progress("\(what): \(index) of \(options.repeats)")
            try body()
        }
    }

    // MARK: Empty blocks

    private mutating func measureRoundTrips() throws {
        var rates: [Double] = []
        let time = options.runTime
        try repeated("ZeroMQ round trips") { rates.append(try MessagingLimits.roundTripsPerSecond(over: time)) }
        report.add("zeromq_round_trips_per_second", "ZeroMQ round trips, 64 in flight", "1/s", rates)
    }

    /// Blocks a second, once for each repeat; a short job before tells how long the others must be.
    private mutating func emptyBlockRates(_ what: String, on pool: PoolUnderTest) throws -> [Double] {
        // Every queue is filled once at least: what comes before and after is not the rate of a long job. The second
        // trial is long enough to be taken at its word.
        let queues = min(1_000_000, PoolConfiguration().deepestQueue * pool.workers)
        var blocks = options.runTime < .seconds(1) ? max(2_000, 4 * pool.workers) : max(2_000, queues)
        for _ in 0..<2 {
            let trial = try JobRun(try jobs.empty(blocks: blocks), on: pool)
            let wanted = trial.blocksPerSecond * (options.runTime / .seconds(1))
            blocks = Int(min(max(wanted, Double(blocks)), 10_000_000))
        }
        var rates: [Double] = []
        for index in 1...options.repeats {
            progress("\(what), \(blocks) blocks: \(index) of \(options.repeats)")
            rates.append(try JobRun(try jobs.empty(blocks: blocks), on: pool).blocksPerSecond)
        }
        return rates
    }

    private mutating func measureTwo() throws -> BenchmarkReport.Figure? {
        let rates = try withPool(.simulated(2)) { try $0.emptyBlockRates("2 simulated workers", on: $1) }
        report.add("blocks_per_second_simulated_2", "empty blocks, 2 simulated workers", "1/s", rates)
        let two = report.figures.last
        let encrypted = try withPool(.simulated(2), encrypts: true) {
            try $0.emptyBlockRates("2 simulated workers, encrypted", on: $1)
        }
        report.add("blocks_per_second_encrypted", "  encrypted, with keys", "1/s", encrypted)
        let fractions = zip(encrypted.sorted(), rates.sorted()).map { $0 / $1 }
        report.add("fraction_encrypted", "  as a fraction of the rate without", "", fractions)
        let process = try withPool(.simulated(2), survivesPowerLoss: false) {
            try $0.emptyBlockRates("2 simulated workers, nothing synced", on: $1)
        }
        report.add("blocks_per_second_unsynced", "  with a journal that no disk is waited for", "1/s", process)
        let costs = zip(rates.sorted(), process.sorted()).map { 1e6 / $0 - 1e6 / $1 }
        report.add("sync_microseconds_per_block", "  so waiting for the disk costs a block", "us", costs)
        return two
    }

    private mutating func measureCrowd(_ count: Int, beside two: BenchmarkReport.Figure?) throws {
        let rates = try withPool(.simulated(count)) { try $0.emptyBlockRates("\(count) simulated workers", on: $1) }
        report.add(
            "blocks_per_second_simulated_\(count)", "empty blocks, \(count) simulated workers", "1/s", rates)
        guard let two else { return }
        report.add(
            "fraction_simulated_\(count)", "  as a fraction of the rate with 2", "", rates.map { $0 / two.median })
    }

    private mutating func measureRealWorkers() throws {
        let rates = try withPool(.real(2)) { try $0.emptyBlockRates("2 rrr-worker processes", on: $1) }
        report.add("blocks_per_second_workers_2", "empty blocks, 2 rrr-worker processes", "1/s", rates)
    }

    private mutating func measureLatency() throws {
        var (medians, tails): ([Double], [Double]) = ([], [])
        for index in 1...options.repeats {
            progress("latency: \(index) of \(options.repeats)")
            let pool = try PoolUnderTest(
                .nobody, configuration: configuration(deepestQueue: 1), interruption: interruption)
            defer { pool.close() }
            let blocks = Int(max(200, 5_000 * (options.runTime / .seconds(1))))
            let times = try LatencyProbe(pool).latencies(of: try jobs.empty(blocks: blocks)).sorted()
            medians.append(times[times.count / 2] / .microseconds(1))
            tails.append(times[min(times.count - 1, times.count * 99 / 100)] / .microseconds(1))
        }
        report.add("block_latency_median_microseconds", "from a result to the next block, median", "us", medians)
        report.add("block_latency_p99_microseconds", "  99th percentile", "us", tails)
    }

    // MARK: Long jobs

    private mutating func measureMemory() throws {
        var bytes: [Double] = []
        try withPool(.nobody) { benchmark, pool in
            var client = try pool.client()
            try client.greet()
            for index in 1...benchmark.options.repeats {
                benchmark.progress("memory: \(index) of \(benchmark.options.repeats)")
                let job = try benchmark.jobs.empty(blocks: benchmark.options.queuedBlocks)
                let question = Message.submit(jobText: Array(job.canonicalText.utf8), force: true, watch: false)
                let before = try FileSystem.residentBytes()
                try client.awaitAcceptance(question)
                // Memory is told in pages.
                let growth = max(FileSystem.pageSize, try FileSystem.residentBytes() - before)
                bytes.append(Double(growth) / Double(job.blocks))
            }
        }
        report.add("bytes_per_queued_block", "memory of a queued block, in \(options.queuedBlocks)", "bytes", bytes)
    }

    private mutating func measureLongJob() throws {
        var (acceptances, longest): ([Double], [Double]) = ([], [])
        let clock = ContinuousClock()
        try withPool(.simulated(2)) { benchmark, pool in
            var client = try pool.client()
            try client.greet()
            for index in 1...benchmark.options.repeats {
                benchmark.progress("a long job: \(index) of \(benchmark.options.repeats)")
                let job = try benchmark.jobs.empty(blocks: benchmark.options.chains / 64, block: 64)
                let start = clock.now
                try client.awaitAcceptance(
                    .submit(jobText: Array(job.canonicalText.utf8), force: true, watch: false))
                acceptances.append((clock.now - start) / .milliseconds(1))
                var worst = Duration.zero
                var state = JobStatus.State.queued
                while !state.isOver {
                    let asked = clock.now
                    state = try client.ask(.statusRequest(job: job.identity), within: .seconds(60)) {
                        answer -> JobStatus.State? in
                        if case .poolStatus(let status) = answer { status.jobs.first?.state } else { nil }
                    }
                    worst = max(worst, clock.now - asked)
                    usleep(1_000)
                }
                longest.append(worst / .milliseconds(1))
                pool.remove(job)
            }
        }
        report.add(
            "submit_to_accepted_milliseconds", "a job of \(options.chains) chains, to `accepted`", "ms", acceptances)
        report.add("longest_status_milliseconds", "  longest answer to `status` while it runs", "ms", longest)
    }

    // MARK: Large samples

    private mutating func measureLargeSamples() throws {
        var (pooled, plain): ([Double], [Double]) = ([], [])
        let (blocks, folder) = (options.largeBlocks, folder)
        try withPool(.simulated(2)) { benchmark, pool in
            _ = try JobRun(try benchmark.jobs.large(blocks: 4), on: pool)
            for index in 1...benchmark.options.repeats {
                benchmark.progress("large samples: \(index) of \(benchmark.options.repeats)")
                let run = try JobRun(try benchmark.jobs.large(blocks: blocks), on: pool, limit: .seconds(120))
                pooled.append(run.blocksPerSecond)
                plain.append(
                    try MessagingLimits.writtenBytesPerSecond(
                        messages: blocks, of: BenchmarkJobs.largeBytes, folder: folder))
            }
        }
        let megabytes = Double(BenchmarkJobs.largeBytes) / 1e6
        report.add("large_blocks_per_second", "blocks of 3.1 MB of samples", "1/s", pooled)
        report.add("large_megabytes_per_second", "  to the disk", "MB/s", pooled.map { $0 * megabytes })
        report.add(
            "zeromq_and_write_megabytes_per_second", "  ZeroMQ, write and sync alone", "MB/s", plain.map { $0 / 1e6 })
        let fractions = zip(pooled, plain).map { $0 * megabytes * 1e6 / $1 }
        report.add("large_fraction", "  the pool as a fraction of that", "", fractions)
        var encrypted: [Double] = []
        try withPool(.simulated(2), encrypts: true) { benchmark, pool in
            _ = try JobRun(try benchmark.jobs.large(blocks: 4), on: pool)
            for index in 1...benchmark.options.repeats {
                benchmark.progress("large samples, encrypted: \(index) of \(benchmark.options.repeats)")
                let run = try JobRun(try benchmark.jobs.large(blocks: blocks), on: pool, limit: .seconds(120))
                encrypted.append(run.blocksPerSecond)
            }
        }
        report.add(
            "large_fraction_encrypted", "  encrypted, as a fraction of the rate without", "",
            zip(encrypted.sorted(), pooled.sorted()).map { $0 / $1 })
    }
}

extension PoolClient {
    /// Hands a job in and returns when it is accepted.
    fileprivate mutating func awaitAcceptance(_ question: Message) throws {
        _ = try ask(question, within: .seconds(60)) { answer -> Bool? in
            if case .accepted = answer { true } else { nil }
        }
    }
}
