import ContentHash
import StrictJSON

@testable import RunFolder

/// A run of 10 chains in blocks of 4, its numbers a fixed pattern with holes.
enum SmallRun {
    /// What a finished run leaves.
    static let finalNames = ["job.json", "provenance.json", "samples.npy", "statistics.npz", "summary.json"]

    static let text = Array("{\"rrr\":1}".utf8)
    static let hash = SHA256.hash(of: text).hex
    static let levels = 3
    static let description = RunDescription(
        canonicalJob: text, jobHash: hash, name: "small", chains: 10, draws: 2, shape: [3],
        levels: levels, block: 4, statistics: statistics)

    static let statistics = [
        RunStatistic(name: "acceptance", element: .float32, axis: .levels(levels)),
        RunStatistic(name: "log_density", element: .float64),
        RunStatistic(name: "divergences", element: .int32),
        RunStatistic(name: "size", rows: .blocks, element: .float32, axis: .pairs(2)),
    ]

    static let provenance: [(String, JSONText)] = [("seconds", .integer(1))]
    static let conclusion = RunConclusion(stepSizes: [.nan, 0.1, 0.2])

    static func acceptance(_ chain: Int, _ level: Int) -> Float {
        level == 0 ? .nan : Float(chain * 7 % 5) / 5 + Float(level) / 100
    }

    static func logDensity(_ chain: Int) -> Double { chain == 3 ? -.infinity : 0.1 * Double(chain) - 3 }

    static func block(_ chains: Range<Int>) -> BlockRecord {
        BlockRecord(
            firstChain: chains.lowerBound,
            chains: chains.count,
            samples: (chains.lowerBound * 24..<chains.upperBound * 24).map { UInt8(truncatingIfNeeded: $0 * 31) },
            statistics: [
                "acceptance": chains.flatMap { chain in (0..<levels).map { acceptance(chain, $0) } }.littleEndianBytes,
                "log_density": chains.map(logDensity).littleEndianBytes,
                "divergences": chains.map { Int32($0 % 2) }.littleEndianBytes,
                "size": [Float(chains.lowerBound), Float(chains.count)].littleEndianBytes,
            ],
            gradientEvaluations: chains.count * 100 + chains.lowerBound)
    }

    static let blocks = [block(0..<4), block(4..<8), block(8..<10)]

    /// Runs it whole, the blocks in that order.
    static func finish(in folder: String, order: [Int] = [0, 1, 2]) throws -> RunSummary {
        let run = try RunStaging(folder: folder, description: description)
        for index in order { try run.record(blocks[index]) }
        return try run.finish(provenance: SmallRun.provenance, conclusion: conclusion)
    }
}
