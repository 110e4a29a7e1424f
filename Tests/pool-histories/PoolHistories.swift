import ArgumentParser
import Foundation
import PoolSimulator

/// Lives many histories of a pool, on all cores.
@main
struct PoolHistories: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool-histories",
        abstract: "Live random histories of a pool and check that none breaks an invariant.")

    @Option(help: "How many histories.")
    var count = 100_000

    @Option(help: "The first history's seed; the others follow.")
    var seed: UInt64 = 1

    @Option(help: "Print the history of this seed event by event instead.")
    var replay: UInt64?

    @Flag(help: "With --replay: the shortest history instead that breaks the same invariant.")
    var shrink = false

    func run() async throws {
        if let replay {
            try Self.replay(replay, shrink: shrink)
        } else {
            try await liveAll()
        }
    }

    private static func replay(_ seed: UInt64, shrink: Bool) throws {
        let plan = shrink ? HistoryPlan(seed: seed).shrunk() : HistoryPlan(seed: seed)
        print(plan)
        let outcome = plan.outcome(isLogged: true)
        for line in outcome.log { print(line) }
        print(outcome.broken.map { "broken at \($0)" } ?? "\(outcome.events) events, nothing broken")
        if outcome.broken != nil { throw ExitCode(1) }
    }

    private func liveAll() async throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        var total = Tally()
        // Slices of the seeds, so that progress shows and no core waits long for another.
        let slice = 5_000
        var next = 0
        await withTaskGroup(of: Tally.self) { group in
            func add() {
                guard next < count else { return }
                let (start, end) = (seed &+ UInt64(next), seed &+ UInt64(min(count, next + slice)))
                next += slice
                group.addTask { Tally(seeds: start..<end) }
            }
            for _ in 0..<cores { add() }
            while let tally = await group.next() {
                total.add(tally)
                FileHandle.standardError.write(Data("\r\(total.histories) of \(count) histories".utf8))
                add()
            }
        }
        FileHandle.standardError.write(Data("\n".utf8))
        print(
            "\(total.histories) histories, \(total.events) events; jobs: \(total.finished) finished, "
                + "\(total.failed) failed, \(total.cancelled) cancelled; \(total.broken.count) broken")
        guard let first = total.broken.min(by: { $0.seed < $1.seed }) else { return }
        var kinds: [String: Int] = [:]
        for broken in total.broken {
            kinds[broken.what.split(separator: ": ").dropFirst().joined(separator: ": "), default: 0] += 1
        }
        for (kind, number) in kinds.sorted(by: { $0.value > $1.value }) {
            let example = total.broken.filter { $0.what.hasSuffix(kind) }.map(\.seed).min() ?? 0
            print("\(number) x \(kind), first in seed \(example)")
        }
        print("seed \(first.seed), \(first.what)")
        let short = HistoryPlan(seed: first.seed).shrunk()
        print("the shortest history that breaks it:\n\(short)")
        for line in short.outcome(isLogged: true).log { print(line) }
        throw ExitCode(1)
    }
}

/// What came of some histories.
private struct Tally: Sendable {
    private(set) var histories = 0
    private(set) var events = 0
    private(set) var finished = 0
    private(set) var failed = 0
    private(set) var cancelled = 0
    private(set) var broken: [(seed: UInt64, what: String)] = []

    init() {}

    init(seeds: Range<UInt64>) {
        for seed in seeds {
            let outcome = HistoryPlan(seed: seed).outcome()
            histories += 1
            events += outcome.events
            finished += outcome.finished
            failed += outcome.failed
            cancelled += outcome.cancelled
            if let what = outcome.broken { broken.append((seed, what)) }
        }
    }

    mutating func add(_ other: Tally) {
        histories += other.histories
        events += other.events
        finished += other.finished
        failed += other.failed
        cancelled += other.cancelled
        broken += other.broken
    }
}
