import Foundation
import RunFolder

/// The study's figures as Markdown and as comma-separated values.
enum ResultTables {
    /// Everything that `table.md` holds.
    static func markdown(_ experiments: [Experiment]) -> String {
        let tables = experiments.map { "## \(title(of: $0))\n\n\(table(of: $0))" }
        let populations = populationTable(experiments).map { ["## Populations\n\n\($0)"] } ?? []
        return (tables + populations).joined(separator: "\n\n") + "\n"
    }

    static func title(of experiment: Experiment) -> String {
        "\(experiment.task.title); \(experiment.models == .exact ? "exact densities" : "networks")"
    }

    /// A row for the clean target, one for each level 0, and one for each sampler. Networks have a further column, TV to
    /// their own level 0.
    static func table(of experiment: Experiment) -> String {
        let task = experiment.task
        let own = experiment.models == .network
        let columns =
            ["sampler", "LL", "left out", task.onTargetName, "TV"] + (own ? ["TV, own"] : [])
            + ["acceptance", "gradients a chain", "seconds"]
        let clean = task.cleanReference
        var rows = [
            ["*clean target*", number(clean.logLikelihood, 2), "-", number(clean.onTarget, 3)],
            reference("*exact level 0*", experiment.exact, experiment),
        ]
        if own { rows.append(reference("*the networks' level 0*", experiment.sampled, experiment)) }
        // What is not told of exact samples.
        rows = rows.map { $0 + [String](repeating: "-", count: columns.count - $0.count) }
        rows += experiment.outcomes.map { outcome in
            switch outcome.ending {
            case .failed(let reason):
                [outcome.job.sampler.title, "failed: \(reason.replacing("|", with: "\\|"))"]
                    + [String](repeating: "", count: columns.count - 2)
            case .finished(let run, let scores):
                [
                    outcome.job.sampler.title, scores.logLikelihood.map { number($0, 2) } ?? "-",
                    String(scores.leftOut), number(scores.onTarget, 3), number(scores.totalVariation, 3),
                ] + (own ? [number(scores.samplerVariation, 3)] : []) + [
                    acceptance(run, of: outcome.job.sampler), number(run.gradientsPerChain, 0), number(run.seconds, 1),
                ]
            }
        }
        return table(columns, rows)
    }

    /// The log normalisers that populations estimate beside integrals, and what their samples are worth; nil if there are
    /// none.
    static func populationTable(_ experiments: [Experiment]) -> String? {
        var rows: [[String]] = []
        for experiment in experiments {
            for outcome in experiment.outcomes {
                guard case .finished(let run, _) = outcome.ending, let estimate = run.summary.logNormalizer,
                    let population = run.summary.population
                else { continue }
                rows.append([
                    experiment.task.rawValue, experiment.models.rawValue, outcome.job.sampler.title,
                    estimate.estimate.map { number($0, 3) } ?? "-",
                    estimate.standardError.map { number($0, 3) } ?? "-",
                    number(experiment.sampled.logNormalizer, 3), number(population.effectiveSize, 0),
                    String(population.distinctChains),
                ])
            }
        }
        let columns = [
            "task", "models", "sampler", "log normaliser", "standard error", "by integration", "effective size",
            "distinct chains",
        ]
        return rows.isEmpty ? nil : table(columns, rows)
    }

    /// One line for each run, with all digits.
    static func commaSeparated(_ experiments: [Experiment]) -> String {
        let header = [
            "task", "models", "sampler", "chains", "ll", "left_out", "on_target", "tv", "tv_own", "beyond_grid",
            "acceptance", "gradients_per_chain", "divergences", "seconds", "log_normalizer",
            "log_normalizer_standard_error", "log_normalizer_by_integration", "samples_sha256", "failure",
        ]
        let lines = experiments.flatMap { experiment in
            experiment.outcomes.map { outcome in
                let job = [experiment.task.rawValue, experiment.models.rawValue, outcome.job.sampler.rawValue]
                switch outcome.ending {
                case .failed(let reason):
                    let blank = [String](repeating: "", count: header.count - 4)
                    return job + blank + ["\"\(reason.replacing("\"", with: "\"\""))\""]
                case .finished(let run, let scores):
                    let summary = run.summary
                    let normalizer = summary.logNormalizer
                    let figures: [Double?] = [
                        Double(summary.chains), scores.logLikelihood, Double(scores.leftOut), scores.onTarget,
                        scores.totalVariation, scores.samplerVariation, Double(scores.beyond), summary.acceptanceMean,
                        run.gradientsPerChain, Double(summary.divergences), run.seconds, normalizer?.estimate,
                        normalizer?.standardError, normalizer == nil ? nil : experiment.sampled.logNormalizer,
                    ]
                    return job + figures.map { $0.map(plain) ?? "" } + [summary.samplesSHA256, ""]
                }
            }
        }
        return ([header] + lines).map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
    }

    /// What is expected of exact samples of a level 0.
    private static func reference(_ title: String, _ level: LevelZero, _ experiment: Experiment) -> [String] {
        let likelihood = level.mean(experiment.task.cleanLogDensity(at:))
        let onTarget = level.mean { experiment.task.isOnTarget($0) ? 1 : 0 }
        func variation(to other: LevelZero) -> String {
            let ceiling = level.ceiling(of: experiment.chains, to: other)
            return "\(number(ceiling.mean, 3)) ± \(number(ceiling.deviation, 3))"
        }
        return [title, number(likelihood, 2), "-", number(onTarget, 3), variation(to: experiment.exact)]
            + (experiment.models == .network ? [variation(to: experiment.sampled)] : [])
    }

    private static func acceptance(_ run: FinishedRun, of sampler: SamplerCase) -> String {
        switch sampler {
        case .reverse, .ula, .uhmc: "-"
        default: run.summary.acceptanceMean.map { number($0, 3) } ?? "-"
        }
    }

    private static func table(_ columns: [String], _ rows: [[String]]) -> String {
        ([columns, columns.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }
            .joined(separator: "\n")
    }

    private static func number(_ value: Double, _ decimals: Int) -> String {
        let text = String(format: "%.\(decimals)f", value)
        // No minus before a zero.
        return Double(text) == 0 ? String(format: "%.\(decimals)f", 0.0) : text
    }

    /// The shortest text that reads back the same; a whole number without a point.
    private static func plain(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int(value)) : String(value)
    }
}
