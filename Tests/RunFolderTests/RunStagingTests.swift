import ContentHash
import Testing

@testable import RunFolder

@Suite("Output folders")
struct RunStagingTests {
    @Test("A finished run leaves its five files and nothing else")
    func finished() throws {
        let folder = try TemporaryFolder()
        let summary = try SmallRun.finish(in: folder("a/b"))
        let path = folder("a/b")
        let output = try TemporaryFolder.contents(of: path)
        #expect(output.keys.sorted() == SmallRun.finalNames)
        #expect(output["job.json"] == SmallRun.description.canonicalJob)
        #expect(output["provenance.json"]?.starts(with: Array("{\n  \"seconds\": 1,\n".utf8)) == true)
        #expect(output["summary.json"] == Array(summary.json.utf8))
        #expect(SHA256.hash(of: output["samples.npy"] ?? []).hex == summary.samplesSHA256)
        #expect(SHA256.hash(of: output["statistics.npz"] ?? []).hex == summary.statisticsSHA256)
        #expect(try RunFolder.summary(in: path) == summary)
        #expect(RunFolder.isComplete(path, jobHash: SmallRun.hash))

        let samples = try NpyReader(path: path + "/samples.npy")
        #expect(samples.header.shape == [10, 2, 3])
        let archive = try ZipReader(output["statistics.npz"] ?? [])
        #expect(archive.entries.map(\.name) == ["acceptance.npy", "log_density.npy", "divergences.npy", "size.npy"])
    }

    @Test("The summary's numbers are those of the chains")
    func numbers() throws {
        let folder = try TemporaryFolder()
        let summary = try SmallRun.finish(in: folder.path)
        #expect(summary.jobHash == SmallRun.hash)
        #expect(summary.name == "small")
        #expect(summary.shape == [3])
        #expect(summary.stepSize == [nil, 0.1, 0.2])
        #expect(summary.gradientEvaluations == 1012)
        #expect(summary.divergences == 5)
        let means = (1...2).map { level in
            (0..<10).map { Double(SmallRun.acceptance($0, level)) }.reduce(0, +) / 10
        }
        #expect(summary.acceptancePerLevel == [nil, means[0], means[1]])
        let mean = try #require(summary.acceptanceMean)
        #expect(abs(mean - (means[0] + means[1]) / 2) < 1e-15)

        // Chain 3 has a density of zero and counts in neither moment.
        let finite = (0..<10).map(SmallRun.logDensity).filter(\.isFinite)
        let average = finite.reduce(0, +) / 9
        let squares = finite.map { ($0 - average) * ($0 - average) }.reduce(0, +)
        #expect(summary.logDensity.mean == average)
        #expect(summary.logDensity.standardDeviation == (squares / 8).squareRoot())
    }

    @Test(
        "The order of the blocks changes no byte",
        arguments: [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
    func anyOrder(order: [Int]) throws {
        let (one, other) = (try TemporaryFolder(), try TemporaryFolder())
        let first = try SmallRun.finish(in: one.path)
        let second = try SmallRun.finish(in: other.path, order: order)
        #expect(first == second)
        #expect(try TemporaryFolder.contents(of: one.path) == TemporaryFolder.contents(of: other.path))
    }

    @Test("Statistics larger than one piece of memory add up the same in any order of the blocks")
    func severalPieces() throws {
        let (chains, levels) = (6000, 100)
        let description = RunDescription(
            canonicalJob: [], jobHash: SmallRun.hash, name: "large", chains: chains, draws: 1, shape: [1],
            levels: levels,
            block: 1500,
            statistics: [RunStatistic(name: "acceptance", element: .float32, axis: .levels(levels))]
                + SmallRun.statistics[1...2])
        let conclusion = RunConclusion(stepSizes: Array(repeating: 0.1, count: levels))
        func block(_ first: Int) -> BlockRecord {
            BlockRecord(
                firstChain: first, chains: 1500, samples: Array(repeating: 0, count: 6000),
                statistics: [
                    "acceptance": (0..<150_000).map { Float(($0 + first) % 97) / 97 }.littleEndianBytes,
                    "log_density": (0..<1500).map { 1e9 + Double(($0 + first) % 2) }.littleEndianBytes,
                    "divergences": [Int32](repeating: 1, count: 1500).littleEndianBytes,
                ], gradientEvaluations: 1)
        }
        var summaries: [RunSummary] = []
        for order in [[0, 1500, 3000, 4500], [4500, 0, 3000, 1500]] {
            let folder = try TemporaryFolder()
            let run = try RunStaging(folder: folder.path, description: description)
            for first in order { try run.record(block(first)) }
            summaries.append(try run.finish(provenance: SmallRun.provenance, conclusion: conclusion))
        }
        #expect(summaries[0] == summaries[1])
        #expect(summaries[0].divergences == chains)
        #expect(summaries[0].logDensity.mean == 1e9 + 0.5)
        let deviation = try #require(summaries[0].logDensity.standardDeviation)
        #expect(abs(deviation - (0.25 * 6000 / 5999).squareRoot()) < 1e-12)
        var sum = 0.0
        for first in stride(from: 0, to: chains, by: 1500) {
            sum += stride(from: 7, to: 150_000, by: levels).map { Double(Float(($0 + first) % 97) / 97) }.reduce(0, +)
        }
        let level = try #require(summaries[0].acceptancePerLevel[7])
        #expect(abs(level - sum / Double(chains)) < 1e-12)
    }

    @Test("One chain without transitions has no acceptance and a deviation of 0")
    func oneChain() throws {
        let folder = try TemporaryFolder()
        let description = RunDescription(
            canonicalJob: [], jobHash: SmallRun.hash, name: "one", chains: 1, draws: 1, shape: [1], levels: 2,
            block: 64,
            statistics: [RunStatistic(name: "acceptance", element: .float32, axis: .levels(2))]
                + SmallRun.statistics[1...2])
        let run = try RunStaging(folder: folder.path, description: description)
        try run.record(
            BlockRecord(
                firstChain: 0, chains: 1, samples: [0, 0, 0, 0],
                statistics: [
                    "acceptance": [Float.nan, .nan].littleEndianBytes, "log_density": [-2.0].littleEndianBytes,
                    "divergences": [Int32(0)].littleEndianBytes,
                ], gradientEvaluations: 0))
        let summary = try run.finish(
            provenance: SmallRun.provenance, conclusion: RunConclusion(stepSizes: [.nan, .infinity]))
        #expect(summary.acceptanceMean == nil)
        #expect(summary.acceptancePerLevel == [nil, nil])
        #expect(summary.stepSize == [nil, nil])
        #expect(summary.logDensity == RunSummary.LogDensity(mean: -2, standardDeviation: 0))
    }

    @Test("numpy reads what a run leaves", .enabled(if: Python.hasNumpy))
    func numpy() throws {
        let folder = try TemporaryFolder()
        _ = try SmallRun.finish(in: folder.path)
        let script = """
            import json, sys, numpy
            samples = numpy.load(sys.argv[1] + "/samples.npy")
            statistics = numpy.load(sys.argv[1] + "/statistics.npz")
            print(samples.dtype, samples.shape, bytes(samples.tobytes()[:4]).hex())
            for name in statistics.files: print(name, statistics[name].dtype, statistics[name].shape)
            summary = json.load(open(sys.argv[1] + "/summary.json"))
            mean = numpy.nanmean(statistics["acceptance"].astype("f8"))
            print(abs(summary["acceptance"]["mean"] - mean) < 1e-15)
            """
        #expect(
            try Python.run(script, [folder.path]) == """
                float32 (10, 2, 3) 001f3e5d
                acceptance float32 (10, 3)
                log_density float64 (10,)
                divergences int32 (10,)
                size float32 (3, 2)
                True

                """)
    }
}
