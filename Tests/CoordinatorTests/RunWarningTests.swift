import Foundation
import JobFile
import RunFolder
import Testing

@testable import Coordinator
@testable import CoordinatorCore

private func job(_ sampler: String, draws: Int = 1, levels: Int = 8) throws -> Job {
    let text = """
        { "rrr": 1, "name": "warned", "models": { "g": { "kind": "gaussian", "mean": [0, 0], "covariance": [[1, 0], [0, 1]] } },
          "target": "g", "schedule": { "kind": "cosine", "levels": \(levels) }, "sampler": \(sampler), "chains": 100,
          "draws": \(draws) }
        """
    return try Job.decode(Array(text.utf8), file: "job.json")
}

private let mala = #"{ "kind": "mala", "step_size": 0.1, "transitions": 10 }"#
private let population = #"{ "kind": "mala", "step_size": 0.1, "population": { "threshold": 0.5 } }"#

/// A run that gives no reason to doubt it.
private func summary(levels: Int = 8) -> RunSummary {
    RunSummary(
        jobHash: "0a", name: "warned", chains: 100, draws: 1, shape: [2], acceptanceMean: 0.6,
        acceptancePerLevel: [Double?](repeating: 0.6, count: levels),
        stepSize: [Double?](repeating: 0.1, count: levels),
        gradientEvaluations: 1_000, divergences: 0,
        population: RunSummary.PopulationWorth(effectiveSize: 60, distinctChains: 90, ancestors: 40),
        logDensity: RunSummary.LogDensity(mean: -2.8, standardDeviation: 1), samplesSHA256: "")
}

@Suite("Warnings of a run")
struct RunWarningTests {
    @Test("A run that went well is not warned of", arguments: [mala, population])
    func silence(sampler: String) throws {
        #expect(try job(sampler).warnings(of: summary(), RunObservations()) == [])
    }

    @Test(
        "Acceptance out of the usual range is told of with the levels, the worst, and what to do",
        arguments: [
            (
                [0.05, 0.6, 0.01, 0.02, 0.6, 0.6, nil, 0.09],
                "below 0.1 at levels 0, 2-3 and 7 (lowest 0.01 at level 2)"
            ),
            ([0.6, 0.6, 0.6, 0.6, 0.6, 0.6, nil, 0.0001], "below 0.1 at level 7 (lowest 0.0001 at level 7)"),
            ([0.995, 0.995, 0.999, 0.991, 0.992, 1, 1, 0.995], "above 0.99 at levels 0-7 (highest 1 at level 5)"),
        ] as [([Double?], String)])
    func acceptance(perLevel: [Double?], fragment: String) throws {
        var run = summary()
        run.acceptancePerLevel = perLevel
        let found = try job(mala).warnings(of: run, RunObservations())
        #expect(found.count == 1)
        #expect(found.first?.contains(fragment) == true, "\(found)")
        #expect(found.first?.contains("step_size") == true)
        // Where every proposal is taken acceptance tells of nothing but divergences.
        #expect(try job(#"{ "kind": "ula", "step_size": 0.1 }"#).warnings(of: run, RunObservations()) == [])
    }

    @Test("Many levels apart are not listed one by one, and levels below 0 count")
    func levels() throws {
        var run = summary(levels: 40)
        run.acceptancePerLevel = (0..<40).map { $0.isMultiple(of: 2) ? 0.01 : 0.5 }
        let refined = #"{ "kind": "mala", "step_size": 0.1, "refine": { "levels": 2 } }"#
        var observed = RunObservations()
        observed.refinementAcceptance = [0.03, 0.002]
        let found = try job(refined, levels: 40).warnings(of: run, observed)
        #expect(found.first?.contains("at 22 levels from -2 to 38 (lowest 0.002 at level -2)") == true, "\(found)")
    }

    @Test(
        "Divergences are told of with their part of the proposals",
        arguments: [
            (mala, "(0.015 of the proposals)"),
            (#"{ "kind": "reverse" }"#, "120 divergences: "),
        ])
    func divergences(sampler: String, fragment: String) throws {
        var run = summary()
        run.divergences = 120
        let found = try job(sampler).warnings(of: run, RunObservations())
        #expect(found.count == 1)
        #expect(found.first?.contains(fragment) == true, "\(found)")
    }

    @Test("Log densities that are not finite, or lie further apart than those of a sample can, are told of")
    func logDensities() throws {
        var (run, observed) = (summary(), RunObservations())
        observed.chainsWithoutLogDensity = 12
        #expect(try job(mala).warnings(of: run, observed).first?.contains("12 of 100 chains") == true)
        for deviation in [1e3, 1e200, .infinity, .nan] {
            run.logDensity = RunSummary.LogDensity(mean: -4e304, standardDeviation: deviation)
            #expect(try job(mala).warnings(of: run, RunObservations()).count == 1)
        }
    }

    @Test("A population of few is told of")
    func populations() throws {
        var run = summary()
        run.population = RunSummary.PopulationWorth(effectiveSize: 3, distinctChains: 20, ancestors: 2)
        let found = try job(population).warnings(of: run, RunObservations())
        #expect(found.count == 3)
        #expect(found.last?.contains("descend from 2 chains of the start") == true)
    }

    @Test("Replicas that don't swap, and a normaliser that is hardly known, are told of")
    func numbersFound() throws {
        let exchange = #"{ "kind": "mala", "step_size": 0.1, "exchange": { "levels": [0, 3, 7] } }"#
        var (run, observed) = (summary(), RunObservations())
        observed.swapAcceptance = [0.3, 0.001]
        #expect(
            try job(exchange, draws: 5).warnings(of: run, observed).first?.contains("levels 3 and 7 hardly ever swap")
                == true)
        run.preliminaries = [
            RunSummary.PreliminaryRun(
                jobHash: "0b", name: "warned-normalizer", gradientEvaluations: 1, component: "\"g\"",
                logNormalizer: RunSummary.LogNormalizer(estimate: 1, standardError: 0.9, perLevel: []))
        ]
        #expect(try job(mala).warnings(of: run, RunObservations()).first?.contains("± 0.9 nats") == true)
    }

    @Test("Draws between which there are few float32 numbers are told of")
    func precision() throws {
        var observed = RunObservations()
        observed.axes = [.init(mean: 1e6, standardDeviation: 1), .init(mean: 3, standardDeviation: 1)]
        let found = try job(mala).warnings(of: summary(), observed)
        #expect(found.count == 1)
        #expect(found.first?.contains("along axis 0: float32 numbers near 1e+06 are 0.0625 apart") == true, "\(found)")
        observed.axes = [.init(mean: 1e9, standardDeviation: 0), .init(mean: 1e6, standardDeviation: 1)]
        #expect(try job(mala).warnings(of: summary(), observed).first?.contains("2 axes, most of all axis 0") == true)
        observed.axes = [.init(mean: 1e3, standardDeviation: 1), .init(mean: 0, standardDeviation: 1e-20)]
        #expect(try job(mala).warnings(of: summary(), observed) == [])
    }

    @Test("What a run's arrays say is found in them, whatever is not finite")
    func observations() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/rrr-observed-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let job = try job(#"{ "kind": "mala", "step_size": 0.1, "refine": { "levels": 2 } }"#, levels: 2)
        let run = try RunStaging(folder: folder, description: job.description)
        for first in [64, 0] {
            let count = first == 0 ? 64 : 36
            var (draws, densities, below): ([Float], [Double], [Float]) = ([], [], [])
            for chain in first..<first + count {
                draws += [1e6 + Float(chain % 2), chain == 5 ? .infinity : Float(chain)]
                densities.append(chain < 3 ? -.infinity : chain == 70 ? .nan : -1)
                below += [0.25, .nan]
            }
            try run.record(
                BlockRecord(
                    firstChain: first, chains: count, samples: draws.littleEndianBytes,
                    statistics: [
                        "acceptance": [Float](repeating: 0.5, count: 2 * count).littleEndianBytes,
                        "log_density": densities.littleEndianBytes,
                        "divergences": [Int32](repeating: 0, count: count).littleEndianBytes,
                        "refinement_acceptance": below.littleEndianBytes,
                    ], gradientEvaluations: 1))
        }
        let observed = try run.observations(of: job)
        #expect(observed.chainsWithoutLogDensity == 4)
        #expect(observed.refinementAcceptance == [0.25, nil])
        #expect(observed.axes.count == 2)
        #expect(observed.axes[0].mean == 1_000_000.5)
        #expect(abs(observed.axes[0].standardDeviation - 0.502_518_9) < 1e-6)
        #expect(abs(observed.axes[1].mean - (4950 - 5) / 99) < 1e-9)
        try run.discard()
    }
}
