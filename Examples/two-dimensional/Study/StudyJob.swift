import EnergyModels
import JobFile
import Sampling
import StrictJSON

/// What a task is composed of.
enum ModelKind: String, CaseIterable, Sendable {
    /// Densities that are exact at every noise level.
    case exact
    /// Networks that were trained on samples.
    case network
}

/// One job of the study.
struct StudyJob: Equatable, Sendable {
    let task: CompositionTask
    let models: ModelKind
    let sampler: SamplerCase

    /// The job's name, and that of its file and folder.
    var name: String { "\(task.rawValue)-\(models.rawValue)-\(sampler.rawValue)" }

    /// The text of the job file.
    ///
    /// - Parameter modelFolder: where the networks' files are, as seen from the job file.
    func text(chains: Int, modelFolder: String) -> String {
        let leaves = task.parts.map { part in
            switch models {
            case .exact: (part.name, part.exact)
            case .network:
                (
                    part.name,
                    JSONText.object([
                        ("kind", .string("network")), ("file", .string("\(modelFolder)/\(part.network).safetensors")),
                    ])
                )
            }
        }
        return JSONText.object([
            ("rrr", .integer(1)), ("name", .string(name)), ("seed", .integer(sampler.seed)),
            ("models", .object(leaves)),
            ("target", task.target),
            ("schedule", .object([("kind", .string("cosine")), ("levels", .integer(100))])),
            ("sampler", sampler.settings), ("chains", .integer(chains)), ("block", .integer(sampler.block)),
        ]).pretty
    }

    /// The jobs that a choice of names leaves, by task and models.
    ///
    /// - Parameter names: of tasks, kinds of models and samplers; of a sort that none names, all are chosen.
    static func chosen(by names: [String]) -> [StudyJob] {
        func chosen<Choice: CaseIterable & RawRepresentable<String>>(_ type: Choice.Type) -> [Choice] {
            let named = Choice.allCases.filter { names.contains($0.rawValue) }
            return named.isEmpty ? Array(Choice.allCases) : named
        }
        return chosen(CompositionTask.self).flatMap { task in
            chosen(ModelKind.self).flatMap { models in
                chosen(SamplerCase.self).map { StudyJob(task: task, models: models, sampler: $0) }
            }
        }
    }

    /// All names that ``chosen(by:)`` knows.
    static let names =
        CompositionTask.allCases.map(\.rawValue) + ModelKind.allCases.map(\.rawValue)
        + SamplerCase.allCases.map(\.rawValue)
}

extension LevelZero {
    /// The density that a job samples, at its last level. - Throws: `JobError`, `SafetensorsError`.
    init(ofJob path: String) throws {
        let job = try Job.load(path: path)
        let plan = try job.plan { digest in try Network(NetworkFile(path: job.modelPaths[digest] ?? "")) }
        // Exact densities cost nothing; networks take some seconds.
        try self.init(plan.density, at: plan.schedule.levels[0], pointsPerCell: job.modelDigests.isEmpty ? 64 : 32)
    }
}
