import ContentHash
import EnergyModels
import StrictJSON

/// Reads the leaves of a job.
struct ModelDecoder {
    /// In bytes.
    private static let longestName = 512
    private static let kinds = (ModelDescription.analyticKinds + ["network", "server"]).sorted()

    private var files: ModelFiles
    /// The model files that are not there, each with its SHA-256 if that is how the job names it.
    var absent: [(digest: Digest?, problem: JSONProblem)] { files.absent }
    /// Where the model files are.
    var paths: [Digest: String] { files.paths }

    /// - Parameters:
    ///   - folder: what the names of model files are relative to, empty or with a slash at its end; nil for a
    ///     job that may not name files.
    ///   - path: where the model file with a SHA-256 is.
    init(folder: String?, path: @escaping (Digest) -> String?) {
        files = ModelFiles(folder: folder, path: path)
    }

    /// Those models that could be read; the others are ``absent``.
    mutating func models(
        _ field: JSONField, schedule: ScheduleDescription?
    ) throws(JSONProblem) -> [String: JobModel] {
        let members = try field.members("an object of models by name")
        var models: [String: JobModel] = [:]
        var numbers = 0
        var first: (name: String, shape: PointShape)?
        for name in members.names {
            guard let field = members[name] else { continue }
            guard !name.isEmpty else { throw field.problem("a model's name must not be empty") }
            // Whatever is wrong within the model is told with its name.
            guard name.utf8.count <= Self.longestName else {
                throw field.problem(
                    "a model's name has \(name.utf8.count) bytes; at most \(Self.longestName) are possible")
            }
            guard let model = try model(field, schedule) else { continue }
            if let first, first.shape != model.shape {
                throw field.problem(
                    "has points of the shape \(model.shape), but \"\(first.name)\" has \(first.shape); all models share one shape"
                )
            }
            first = first ?? (name, model.shape)
            if case .analytic(let density) = model { numbers += density.numberCount }
            guard numbers <= ModelDescription.mostNumbers else {
                throw field.problem(
                    "with it the exact models of the job have \(numbers) numbers in means, standard deviations and corners; "
                        + "at most \(ModelDescription.mostNumbers) are possible")
            }
            models[name] = model
        }
        guard !members.names.isEmpty else { throw field.problem("must not be empty; give at least one model") }
        return models
    }

    private mutating func model(
        _ field: JSONField, _ schedule: ScheduleDescription?
    ) throws(JSONProblem) -> JobModel? {
        let kindField = try field.members("a model such as {\"kind\": \"gaussian\", …}")
            .required("kind", "one of \(Self.kinds)")
        let kind = try kindField.string("one of \(Self.kinds)")
        guard Self.kinds.contains(kind) else {
            throw kindField.problem("no model \"\(kind)\"; \(Spelling.suggestion(for: kind, among: Self.kinds))")
        }
        guard kind != "network" else { return try network(field, schedule) }
        guard kind != "server" else { return .server(try ServerModel.decode(field)) }
        guard let arrays = try files.arrays(of: field) else { return nil }
        return .analytic(try ModelDescription.decode(field, stored: arrays))
    }

    private mutating func network(
        _ field: JSONField, _ schedule: ScheduleDescription?
    ) throws(JSONProblem) -> JobModel? {
        guard let (digest, network) = try files.network(field) else { return nil }
        if let schedule, schedule.unspaced != network.schedule {
            throw field.problem(
                "was trained on the \(network.schedule.kind.name) schedule with \(network.schedule.levels) levels, but the "
                    + "job's is \(schedule.kind.name) with \(schedule.trainedLevels); write \"schedule\": "
                    + network.schedule.json.canonical)
        }
        let label = try field.members("a network")["label"].map { label throws(JSONProblem) in
            guard network.architecture.kind == .energy else {
                throw label.problem(
                    "the network is a classifier, which is told its label where it guides: {\"classifier\": {…, "
                        + "\"label\": …}}; leave it out")
            }
            guard let classes = network.architecture.conditions else {
                throw label.problem("the network was trained without labels; leave it out")
            }
            return try label.integer(0...classes - 1)
        }
        if label == nil, !network.architecture.isUsableWithoutLabel {
            throw field.problem("the network has no row for points without a label; give it a \"label\"")
        }
        return .network(digest, network, label: label)
    }
}
