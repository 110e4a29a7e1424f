import Foundation
import RunFolder

/// Runs the study's jobs and gathers what comes out.
struct Study {
    /// Where everything goes.
    let folder: String
    /// Chains of each run.
    let chains: Int
    /// Where the networks' files are.
    let modelFolder: String
    let pool: PoolRun
    /// The signal that asks the study to end, if one has come.
    let interruption: () -> Int32?

    /// Runs jobs in their order; a job that fails does not keep the others from running.
    ///
    /// - Throws: ``StudyError``: 65 if the networks can't be read, 74 if a file can't be written, 130 or 143 after a
    ///   signal.
    func run(_ jobs: [StudyJob]) throws(StudyError) -> [Experiment] {
        var experiments: [Experiment] = []
        var done = 0
        for task in CompositionTask.allCases where jobs.contains(where: { $0.task == task }) {
            let exact = try level(of: StudyJob(task: task, models: .exact, sampler: .reverse))
            for models in ModelKind.allCases {
                let chosen = jobs.filter { $0.task == task && $0.models == models }
                if chosen.isEmpty { continue }
                let sampled =
                    models == .exact ? exact : try level(of: StudyJob(task: task, models: models, sampler: .reverse))
                var outcomes: [Outcome] = []
                for job in chosen {
                    done += 1
                    Study.tell("[\(done)/\(jobs.count)] \(job.name)")
                    try checkInterruption()
                    let ending = try ending(of: job, exact: exact, sampled: sampled)
                    try checkInterruption()
                    outcomes.append(Outcome(job: job, ending: ending))
                }
                experiments.append(
                    Experiment(
                        task: task, models: models, exact: exact, sampled: sampled, chains: chains, outcomes: outcomes))
            }
        }
        return experiments
    }

    /// Writes tables and pictures. - Returns: the pictures by file name. - Throws: ``StudyError``.
    func write(_ experiments: [Experiment]) throws(StudyError) -> [String: String] {
        var pictures: [String: String] = [:]
        for experiment in experiments {
            pictures["\(experiment.task.rawValue)-\(experiment.models.rawValue).svg"] = experiment.picture.svg
        }
        let tables = [
            "table.md": ResultTables.markdown(experiments), "table.csv": ResultTables.commaSeparated(experiments),
        ]
        for (name, text) in pictures.merging(tables, uniquingKeysWith: { $1 }) { try write(text, to: name) }
        return pictures
    }

    /// Writes a line to standard error.
    static func tell(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data("\(text)\n".utf8)) }

    private func checkInterruption() throws(StudyError) {
        guard let signal = interruption() else { return }
        throw StudyError(exitStatus: 128 + signal, description: "interrupted; the same command goes on from there")
    }

    private func ending(
        of job: StudyJob, exact: LevelZero, sampled: LevelZero
    ) throws(StudyError) -> Outcome.Ending {
        let file = try writeJob(job)
        let output = "\(folder)/runs/\(job.name)"
        if let reason = try pool.submit(file, output: output) { return .failed(reason) }
        do {
            let run = try FinishedRun(folder: output)
            return .finished(run, Scores(of: run.samples, in: job.task, exact: exact, sampled: sampled))
        } catch {
            return .failed("\((error as? RunFolderError)?.description ?? error.localizedDescription)")
        }
    }

    /// The density that a job samples, at its last level.
    private func level(of job: StudyJob) throws(StudyError) -> LevelZero {
        let file = try writeJob(job)
        do {
            return try LevelZero(ofJob: file)
        } catch {
            throw StudyError(exitStatus: 65, description: "\(error)")
        }
    }

    private func writeJob(_ job: StudyJob) throws(StudyError) -> String {
        try write(job.text(chains: chains, modelFolder: modelFolder), to: "jobs/\(job.name).json")
    }

    @discardableResult
    private func write(_ text: String, to name: String) throws(StudyError) -> String {
        let file = URL(fileURLWithPath: "\(folder)/\(name)")
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file, options: .atomic)
        } catch {
            throw StudyError(
                exitStatus: 74, description: "\(file.path) can't be written: \(error.localizedDescription)")
        }
        return file.path
    }
}

extension Experiment {
    /// Panels of exact samples and of each sampler that finished.
    fileprivate var picture: ScatterPicture {
        let panels = outcomes.compactMap { outcome -> ScatterPicture.Panel? in
            guard case .finished(let run, _) = outcome.ending else { return nil }
            return .init(title: outcome.job.sampler.title, samples: run.samples)
        }
        return ScatterPicture(
            title: ResultTables.title(of: self), task: task,
            panels: [.init(title: "exact level 0", samples: exact.samples(chains, seed: 1))] + panels)
    }
}
