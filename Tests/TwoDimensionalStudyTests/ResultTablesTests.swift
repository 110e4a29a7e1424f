import Foundation
import RunFolder
import Testing

@testable import two_dimensional_study

@Suite struct ResultTablesTests {
    private static func experiment(_ models: ModelKind) throws -> Experiment {
        let exact = try StudyFolder.withJob(StudyJob(task: .product, models: .exact, sampler: .reverse)) {
            try LevelZero(ofJob: $0)
        }
        let samples = exact.samples(500, seed: 1)
        let summary = RunSummary(
            jobHash: "", name: "a", chains: 500, draws: 1, shape: [2], acceptanceMean: 0.75, acceptancePerLevel: [],
            stepSize: [], gradientEvaluations: 500 * 123, divergences: 0,
            logNormalizer: .init(estimate: -1.25, standardError: 0.5, perLevel: []),
            population: .init(effectiveSize: 321.4, distinctChains: 300, ancestors: 700),
            logDensity: .init(mean: 0, standardDeviation: 1),
            samplesSHA256: "f00")
        let run = FinishedRun(samples: samples, summary: summary, seconds: 0.25)
        let scores = Scores(of: samples, in: .product, exact: exact, sampled: exact)
        return Experiment(
            task: .product, models: models, exact: exact, sampled: exact, chains: 500,
            outcomes: [
                Outcome(
                    job: StudyJob(task: .product, models: models, sampler: .populationMALA),
                    ending: .finished(run, scores)),
                Outcome(
                    job: StudyJob(task: .product, models: models, sampler: .hmc),
                    ending: .failed("no | \"room\", none")),
            ])
    }

    @Test(arguments: ModelKind.allCases)
    func `Tables have a row for each run, also for one that failed`(models: ModelKind) throws {
        let experiment = try Self.experiment(models)
        let lines = ResultTables.table(of: experiment).split(separator: "\n")
        #expect(lines.count == 2 + (models == .exact ? 2 : 3) + 2)
        // A bar that is part of a text does not end a cell.
        let bars = lines.map { $0.replacing("\\|", with: "").count { $0 == "|" } }
        #expect(Set(bars) == [models == .exact ? 9 : 10])
        #expect(lines.contains { $0.contains("| population, MALA |") && $0.contains("| 0.750 | 123 | 0.2 |") })
        #expect(lines.contains { $0.contains("| HMC | failed: no \\| \"room\", none |") })
        let populations = try #require(ResultTables.populationTable([experiment]))
        #expect(populations.contains("| -1.250 | 0.500 |") && populations.contains("| 321 | 300 |"))
    }

    @Test func `Comma-separated lines have a field for each column`() throws {
        let lines = ResultTables.commaSeparated([try Self.experiment(.network)]).split(separator: "\n")
        let columns = lines[0].split(separator: ",").count
        #expect(lines.count == 3)
        #expect(lines[1].split(separator: ",", omittingEmptySubsequences: false).count == columns)
        #expect(lines[2].hasSuffix(",\"no | \"\"room\"\", none\""))
        // One comma is within the quotes.
        #expect(lines[2].split(separator: ",", omittingEmptySubsequences: false).count == columns + 1)
    }

    @Test func `A README is renewed in its places and nowhere else`() {
        let text = "# A\n<!-- product-exact -->\nold\n\nold\n<!-- end -->\nb\n<!-- other -->\nkept\n<!-- end -->\n"
        let renewed = ReadmeResults.renewed(text, with: ["product-exact": "new 1\nnew 2", "absent": "x"])
        #expect(
            renewed
                == "# A\n<!-- product-exact -->\nnew 1\nnew 2\n<!-- end -->\nb\n<!-- other -->\nkept\n<!-- end -->\n")
        #expect(ReadmeResults.renewed(renewed, with: ["product-exact": "new 1\nnew 2"]) == renewed)
    }

    @Test func `The study's README has a place for every table`() throws {
        let readme = try String(
            contentsOf: StudyFolder.examples.appendingPathComponent("two-dimensional/README.md"), encoding: .utf8)
        let lines = readme.split(separator: "\n", omittingEmptySubsequences: false)
        let names = lines.filter { $0.hasPrefix("<!-- ") && $0 != "<!-- end -->" }.map { $0.dropFirst(5).dropLast(4) }
        let tables = CompositionTask.allCases.flatMap { task in
            ModelKind.allCases.map { "\(task.rawValue)-\($0.rawValue)" }
        }
        #expect(Set(names.map(String.init)) == Set(tables + ["populations"]))
        #expect(lines.count { $0 == "<!-- end -->" } == names.count)
    }
}
