import ContentHash
import EnergyModels
import StrictJSON

/// Reads the leaves of a job.
struct ModelDecoder {
    private static let kinds = ["gaussian", "gaussian_mixture", "network", "uniform_box"]
    private static let largestDimension = 4096

    private var files: NetworkFiles
    /// The model files that are not there, each with its SHA-256 if that is how the job names it.
    var absent: [(digest: Digest?, problem: JSONProblem)] { files.absent }
    /// Where the model files are.
    var paths: [Digest: String] { files.paths }

    /// - Parameters:
    ///   - folder: what the names of model files are relative to, empty or with a slash at its end; nil for a
    ///     job that may not name files.
    ///   - path: where the model file with a SHA-256 is.
    init(folder: String?, path: @escaping (Digest) -> String?) {
        files = NetworkFiles(folder: folder, path: path)
    }

    /// Those models that could be read; the others are ``absent``.
    mutating func models(
        _ field: JSONField, schedule: ScheduleDescription?
    ) throws(JSONProblem) -> [String: ModelDescription] {
        let members = try field.members("an object of models by name")
        var models: [String: ModelDescription] = [:]
        var first: (name: String, dimension: Int)?
        for name in members.names {
            guard let field = members[name] else { continue }
            guard !name.isEmpty else { throw field.problem("a model's name must not be empty") }
            guard let model = try model(field, schedule) else { continue }
            if let first, first.dimension != model.dimension {
                throw field.problem(
                    "has \(model.dimension) dimensions, but \"\(first.name)\" has \(first.dimension); all models share one shape"
                )
            }
            first = first ?? (name, model.dimension)
            models[name] = model
        }
        guard !models.isEmpty || !absent.isEmpty else {
            throw field.problem("must not be empty; give at least one model")
        }
        return models
    }

    private mutating func model(
        _ field: JSONField, _ schedule: ScheduleDescription?
    ) throws(JSONProblem) -> ModelDescription? {
        let kinds = Self.kinds
        let members = try field.members("a model such as {\"kind\": \"gaussian\", …}")
        let kindField = try members.required("kind", "one of \(kinds)")
        let kind = try kindField.string("one of \(kinds)")
        switch kind {
        case "gaussian":
            return try Self.gaussian(field)
        case "gaussian_mixture":
            return try Self.mixture(field)
        case "uniform_box":
            let members = try field.members("a box", allowed: ["kind", "low", "high"])
            let (low, high) = try Self.box(members)
            return .uniformBox(low: low, high: high)
        case "network":
            return try network(field, schedule)
        default:
            throw kindField.problem("no model \"\(kind)\"; \(Spelling.suggestion(for: kind, among: kinds))")
        }
    }

    private mutating func network(
        _ field: JSONField, _ schedule: ScheduleDescription?
    ) throws(JSONProblem) -> ModelDescription? {
        guard let (digest, network) = try files.network(field) else { return nil }
        let members = try field.members("a network")
        try Self.check(dimension: network.architecture.dimension, field)
        if let schedule, schedule != network.schedule {
            throw field.problem(
                "was trained on the \(network.schedule.kind.rawValue) schedule with \(network.schedule.levels) levels, but "
                    + "the job's is \(schedule.kind.rawValue) with \(schedule.levels); write \"schedule\": {\"kind\": "
                    + "\"\(network.schedule.kind.rawValue)\", \"levels\": \(network.schedule.levels)}")
        }
        let label = try members["label"].map { label throws(JSONProblem) in
            guard let classes = network.architecture.classes else {
                throw label.problem("the network was trained without labels; leave it out")
            }
            return try label.integer(0...classes - 1)
        }
        return .network(sha256: digest.hex, network, label: label)
    }

    /// The corners of a box, low below high.
    static func box(_ members: JSONMembers, dimension: Int? = nil) throws(JSONProblem) -> ([Double], [Double]) {
        let low = try members.required("low", "the lower corner, one number per dimension")
            .numbers("one number per dimension", count: dimension)
        let highField = try members.required("high", "the upper corner, one number per dimension")
        let high = try highField.numbers("one number per dimension", count: low.count)
        try check(dimension: low.count, highField)
        for axis in low.indices where !(low[axis] < high[axis] && (high[axis] - low[axis]).isFinite) {
            throw highField.problem("entry \(axis) is \(high[axis]), not above the lower corner's \(low[axis])")
        }
        return (low, high)
    }

    private static func check(dimension: Int, _ field: JSONField) throws(JSONProblem) {
        guard dimension <= largestDimension else {
            throw field.problem("has \(dimension) dimensions; at most \(largestDimension) are possible")
        }
    }

    /// Weights are divided by their sum, which must therefore be a number.
    static func check(sum weights: [Double]?, _ field: JSONField?) throws(JSONProblem) {
        guard let weights, let field, !weights.reduce(0, +).isFinite else { return }
        throw field.problem("add up to more than a number can hold; divide all weights by the largest")
    }

    private static func gaussian(_ field: JSONField) throws(JSONProblem) -> ModelDescription {
        let members = try field.members("a Gaussian", allowed: ["kind", "mean", "covariance"])
        let mean = try members.required("mean", "one number per dimension").numbers("one number per dimension")
        try check(dimension: mean.count, field)
        let matrix = try members.required("covariance", "a matrix, row by row")
        var rows: [[Double]] = []
        for row in try matrix.array("one row per dimension", count: mean.count) {
            rows.append(try row.numbers("one number per dimension", count: mean.count))
        }
        for i in rows.indices {
            for j in 0..<i where rows[i][j] != rows[j][i] {
                throw matrix.problem(
                    "must be symmetric, but [\(i)][\(j)] is \(rows[i][j]) and [\(j)][\(i)] is \(rows[j][i])")
            }
        }
        guard isPositiveDefinite(rows) else {
            throw matrix.problem("must be positive definite; no direction may have a variance of zero or below")
        }
        return .gaussian(mean: mean, covariance: rows)
    }

    /// By Cholesky's factorisation.
    private static func isPositiveDefinite(_ matrix: [[Double]]) -> Bool {
        var factor = matrix
        for i in matrix.indices {
            for j in 0...i {
                var sum = matrix[i][j]
                for k in 0..<j { sum -= factor[i][k] * factor[j][k] }
                if i == j {
                    guard sum > 0, sum.isFinite else { return false }
                    factor[i][i] = sum.squareRoot()
                } else {
                    factor[i][j] = sum / factor[j][j]
                }
            }
        }
        return true
    }

    private static func mixture(_ field: JSONField) throws(JSONProblem) -> ModelDescription {
        let members = try field.members("a mixture", allowed: ["kind", "means", "std", "weights"])
        let centres = try members.required("means", "one centre per component").array("one centre per component")
        let dimension = try centres[0].array("one number per dimension").count
        try check(dimension: dimension, field)
        var means: [[Double]] = []
        for centre in centres { means.append(try centre.numbers("one number per dimension", count: dimension)) }
        let weights = try members["weights"]?.numbers(
            "one weight per component", count: means.count, entry: "a finite number above zero", where: { $0 > 0 })
        try check(sum: weights, members["weights"])
        let std = try members.required("std", "a number above zero, one per component, or one per component and axis")
        return .gaussianMixture(
            means: means, standardDeviations: try deviations(std, components: means.count, dimension: dimension),
            weights: weights ?? means.map { _ in 1 })
    }

    private static func deviations(
        _ field: JSONField, components: Int, dimension: Int
    ) throws(JSONProblem) -> [[Double]] {
        guard field.isArray else {
            let value = try field.positive("0.03")
            return [[Double]](repeating: [Double](repeating: value, count: dimension), count: components)
        }
        var deviations: [[Double]] = []
        for entry in try field.array("one entry per component", count: components) {
            if entry.isArray {
                deviations.append(
                    try entry.numbers(
                        "one number per dimension", count: dimension, entry: "a finite number above zero",
                        where: { $0 > 0 }))
            } else {
                deviations.append([Double](repeating: try entry.positive("0.03"), count: dimension))
            }
        }
        return deviations
    }
}
