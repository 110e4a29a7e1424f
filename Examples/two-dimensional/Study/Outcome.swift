import Foundation
import RunFolder

/// How the samples of a run compare with what they should be.
struct Scores: Sendable {
    /// The mean log density of the clean composition, over the samples within [-1.1, 1.1]^2; nil if there are none.
    let logLikelihood: Double?
    /// Samples outside that square.
    let leftOut: Int
    /// The fraction of samples where the clean composition is.
    let onTarget: Double
    /// To the exact density of level 0.
    let totalVariation: Double
    /// To the level 0 of what was sampled: the sampler's part in it, where networks are not exact.
    let samplerVariation: Double
    /// Samples beyond the grid of total variation.
    let beyond: Int

    /// - Parameters:
    ///   - exact: the task's level 0, of exact densities.
    ///   - sampled: the level 0 of what was sampled.
    init(of samples: [Point], in task: CompositionTask, exact: LevelZero, sampled: LevelZero) {
        let logDensities = samples.compactMap(task.cleanLogDensity(at:))
        logLikelihood = logDensities.isEmpty ? nil : logDensities.reduce(0, +) / Double(logDensities.count)
        leftOut = samples.count - logDensities.count
        onTarget = Double(samples.count { task.isOnTarget($0) }) / Double(samples.count)
        (totalVariation, beyond) = exact.totalVariation(of: samples)
        samplerVariation = sampled.totalVariation(of: samples).distance
    }
}

/// What a finished run left.
struct FinishedRun: Sendable {
    let samples: [Point]
    let summary: RunSummary
    /// From the first block to the last, by the coordinator's clock.
    let seconds: Double

    /// Evaluations of energy and gradient for each chain.
    var gradientsPerChain: Double { Double(summary.gradientEvaluations) / Double(summary.chains) }
}

extension FinishedRun {
    private struct Provenance: Decodable {
        let seconds: Double
    }

    /// Reads a run's folder. - Throws: `RunFolderError` and what Foundation throws.
    init(folder: String) throws {
        summary = try RunFolder.summary(in: folder)
        let numbers = try NpyReader(path: "\(folder)/\(RunFolder.samplesName)").floats()
        samples = stride(from: 0, to: numbers.count, by: 2).map {
            Point(x: Double(numbers[$0]), y: Double(numbers[$0 + 1]))
        }
        let provenance = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(RunFolder.provenanceName)"))
        seconds = try JSONDecoder().decode(Provenance.self, from: provenance).seconds
    }
}

/// What became of a job of the study.
struct Outcome: Sendable {
    enum Ending: Sendable {
        case finished(FinishedRun, Scores)
        /// Why there is no result.
        case failed(String)
    }

    let job: StudyJob
    let ending: Ending

    var hasFailed: Bool {
        if case .failed = ending { true } else { false }
    }
}

/// A task with its exact densities or networks, and the outcomes of the samplers that ran on it.
struct Experiment: Sendable {
    let task: CompositionTask
    let models: ModelKind
    /// The task's level 0, of exact densities.
    let exact: LevelZero
    /// The level 0 of what was sampled: `exact`, or that of the networks.
    let sampled: LevelZero
    /// Chains of each run.
    let chains: Int
    let outcomes: [Outcome]
}
