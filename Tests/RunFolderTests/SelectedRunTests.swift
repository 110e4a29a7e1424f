import ContentHash
import Foundation
import Testing

@testable import RunFolder

@Suite("Runs whose samples are selected among their chains")
struct SelectedRunTests {
    private static let description: RunDescription = {
        let small = SmallRun.description
        return RunDescription(
            canonicalJob: small.canonicalJob, jobHash: small.jobHash, name: small.name, chains: small.chains,
            draws: small.draws, shape: small.shape, levels: small.levels, block: small.block,
            statistics: small.statistics, selects: true)
    }()
    private static let selection = [0, 2, 2, 2, 3, 5, 5, 7, 9, 9]

    private func conclusion(_ selection: [Int]) -> RunConclusion {
        RunConclusion(
            stepSizes: [.nan, 0.1, 0.2],
            population: RunConclusion.PopulationResult(
                selection: selection,
                logNormalizer: RunSummary.LogNormalizer(estimate: -1, standardError: nil, perLevel: [-1, -0.5, 0]),
                effectiveSize: 6.25, ancestors: 4))
    }

    @Test("Each row is the draws of its chain, the statistics remain those of all chains and say which it is")
    func selected() throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: Self.description)
        for index in [2, 0, 1] {
            try run.record(SmallRun.blocks[index])
            try run.sync()
        }
        #expect(try run.values(of: "log_density") == (0..<10).map(SmallRun.logDensity))
        let summary = try run.finish(provenance: SmallRun.provenance, conclusion: conclusion(Self.selection))
        let output = try TemporaryFolder.contents(of: folder.path)
        #expect(output.keys.sorted() == SmallRun.finalNames)
        let bytes = output["samples.npy"] ?? []
        #expect(
            bytes.suffix(240) == ArraySlice(Self.selection.flatMap { SmallRun.block($0..<$0 + 1).samples }))
        #expect(SHA256.hash(of: bytes).hex == summary.samplesSHA256)
        #expect(summary.population == RunSummary.PopulationWorth(effectiveSize: 6.25, distinctChains: 6, ancestors: 4))
        #expect(summary.divergences == 5)
        // Chain 3 has no density and counts in neither moment, chain 2 counts three times.
        let densities = Self.selection.filter { $0 != 3 }.map(SmallRun.logDensity)
        #expect(summary.logDensity.mean == densities.reduce(0, +) / 9)
        let archive = try ZipReader(output["statistics.npz"] ?? [])
        #expect(archive.entries.map(\.name).last == "selected.npy")
        #expect(RunFolder.isComplete(folder.path, jobHash: SmallRun.hash))
        #expect(try RunFolder.summary(in: folder.path) == summary)
    }

    @Test(
        "A selection that is none of this run is refused, and nothing is lost",
        arguments: [
            nil, [], [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7, 9, 8], [0, 1, 2, 3, 4, 5, 6, 7, 8, 10],
            [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        ] as [[Int]?])
    func refusedSelection(selection: [Int]?) throws {
        let folder = try TemporaryFolder()
        let run = try RunStaging(folder: folder.path, description: Self.description)
        for block in SmallRun.blocks { try run.record(block) }
        let error = failure { () throws(RunFolderError) in
            _ = try run.finish(
                provenance: SmallRun.provenance,
                conclusion: selection.map(conclusion) ?? RunConclusion(stepSizes: [1, 1, 1]))
        }
        #expect(error?.code == .invalidValue)
        _ = try run.finish(provenance: SmallRun.provenance, conclusion: conclusion(Self.selection))
    }

    @Test("A run that selects goes on after it was let go of, to the same bytes")
    func resumed() throws {
        let (folder, calm) = (try TemporaryFolder(), try TemporaryFolder())
        for path in [folder.path, calm.path] {
            var run = try RunStaging(folder: path, description: Self.description)
            try run.record(SmallRun.blocks[1])
            if path == folder.path {
                try run.sync()
                let suspended = run.suspend()
                // The folder is free once nothing holds the run.
                run = try RunStaging(folder: calm("other"), description: Self.description)
                run = try RunStaging(resuming: path, description: Self.description, from: suspended)
            }
            for index in [0, 2] { try run.record(SmallRun.blocks[index]) }
            _ = try run.finish(provenance: SmallRun.provenance, conclusion: conclusion(Self.selection))
        }
        for name in SmallRun.finalNames {
            #expect(
                try Data(contentsOf: URL(fileURLWithPath: folder(name)))
                    == Data(contentsOf: URL(fileURLWithPath: calm(name))))
        }
    }
}
