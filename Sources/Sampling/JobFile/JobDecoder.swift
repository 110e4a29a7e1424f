import StrictJSON
import Composition
import ContentHash
import EnergyModels
import Pictures
import RandomStreams
import Sampling

/// Reads a job section by section, so that one reading names what is wrong in each.
struct JobDecoder: JSONSectionDecoder {
    static let keys = [
        "rrr", "name", "seed", "models", "target", "allow_unnormalized", "schedule", "sampler", "pilot", "chains",
        "draws", "thin", "block", "output",
    ]
    var problems: [JSONProblem] = []
    private var models: ModelDecoder

    init(models: ModelDecoder) { self.models = models }

    /// Why there is no job.
    func error(file: String) -> JobError {
        let all = (problems + models.absent.map(\.problem)).sorted { $0.line < $1.line }
        guard problems.isEmpty else { return JobError(code: .badData, file: file, problems: all) }
        var digests: [Digest] = []
        for (digest, _) in models.absent {
            // A file that only has a name cannot be sent for.
            guard let digest else { return JobError(code: .noInput, file: file, problems: all) }
            if !digests.contains(digest) { digests.append(digest) }
        }
        return JobError(code: .missingModels(digests), file: file, problems: all)
    }

    mutating func decode(_ root: JSONField) -> Job? {
        guard let job = attempt({ () throws(JSONProblem) in try root.members("a job, an object") }) else {
            return nil
        }
        refuseMembers(of: job, beside: Self.keys)
        _ = attempt { () throws(JSONProblem) in
            let version = try job.required("rrr", "the format version: \"rrr\": 1")
            _ = try version.integer(1...1)
        }
        let name = attempt { () throws(JSONProblem) in try Self.name(job) }
        let seed = attempt { () throws(JSONProblem) in try job["seed"]?.seed() ?? 0 }
        let schedule = attempt { () throws(JSONProblem) in try Self.schedule(job["schedule"]) }
        var decoder = models
        let found = attempt { () throws(JSONProblem) in
            try decoder.models(
                try job.required("models", "the leaves of the composition by name"), schedule: schedule)
        }
        models = decoder
        let leaves = models.absent.isEmpty ? found : nil
        let count = attempt { () throws(JSONProblem) in
            try job.required("chains", "the number of chains, such as 2000").integer(1...1 << 32)
        }
        let draws = attempt { () throws(JSONProblem) in try job["draws"]?.integer(1...1 << 24) ?? 1 }
        let thin = attempt { () throws(JSONProblem) in try job["thin"]?.integer(1...1 << 24) ?? 1 }
        let block = attempt { () throws(JSONProblem) in try job["block"]?.integer(1...65_536) }
        let output = attempt { () throws(JSONProblem) in try Self.output(job["output"]) }
        let sampler = attempt { () throws(JSONProblem) -> SamplerSettings? in
            let field = try job.required("sampler", "the kernel: {\"kind\": \"hmc\", \"step_size\": 0.03}")
            return try schedule.map { schedule throws(JSONProblem) in
                try JSONForm.sampler(on: schedule).read(field)
            }
        }
        let target = attempt { () throws(JSONProblem) -> TargetExpression? in
            let field = try job.required(
                "target", "a model's name or an operator such as {\"product\": [\"a\", \"b\"]}")
            guard let leaves, let schedule else { return nil }
            var decoder = TargetDecoder(models: leaves, levels: schedule.levels)
            return try decoder.target(field)
        }
        let pilot = attempt { () throws(JSONProblem) in try job["pilot"]?.bool() ?? false }
        let unnormalized = attempt { () throws(JSONProblem) in try job["allow_unnormalized"]?.bool() ?? false }
        guard let name, let seed, let schedule, let leaves, let count, let draws, let thin, let block, let unnormalized,
            let pilot, let output,
            let sampler = sampler ?? nil, let target = target ?? nil, let ofModels = leaves.values.first?.shape
        else { return nil }
        let shape = target.shape(ofModels: ofModels)
        var result = Job(
            name: name, seed: seed, models: leaves, shape: shape, target: target, allowsUnnormalized: unnormalized,
            schedule: schedule, sampler: sampler, isPilot: pilot, chains: count, draws: draws, thin: thin,
            block: block ?? Job.usualBlock(dimension: shape.dimension), grid: output.grid,
            trace: output.trace, modelPaths: models.paths)
        for conflict in result.conflicts {
            problems.append(root.nearest(to: conflict.place).problem(conflict.problem))
        }
        // What is the usual grid anyway makes no other job.
        if output.grid != nil, output.grid == result.usualPictureLayout?.grid { result.grid = nil }
        return result
    }

    private static func name(_ job: JSONMembers) throws(JSONProblem) -> String {
        let wish = "a name of lower-case letters, digits and hyphens, at most 64"
        let field = try job.required("name", wish)
        let name = try field.string(wish)
        let allowed = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
        }
        guard allowed, !name.isEmpty, name.utf8.count <= 64 else {
            throw field.problem("must be \(wish), is \"\(name)\"")
        }
        return name
    }

    private static func schedule(_ field: JSONField?) throws(JSONProblem) -> ScheduleDescription {
        guard let field else { return ScheduleDescription(kind: .cosine, levels: 100) }
        return try ScheduleDescription.decode(field, spacing: true)
    }

    /// What the output says: the grid of the picture, nil where it says nothing of it, and the levels of which points are kept.
    private static func output(_ field: JSONField?) throws(JSONProblem) -> (grid: SheetGrid?, trace: [Int]) {
        guard let field else { return (nil, []) }
        let members = try field.members(
            "{\"formats\": [\"npy\"], \"grid\": [8, 8], \"trace\": [99, 50, 0]}", allowed: ["formats", "grid", "trace"])
        for format in try members["formats"]?.array("the formats to write: [\"npy\"]") ?? [] {
            let name = try format.string("\"npy\"")
            guard name == "npy" else { throw format.problem("no format \"\(name)\" in this version; write \"npy\"") }
        }
        return (try members["grid"].map(grid), try members["trace"].map(trace) ?? [])
    }

    private static func grid(_ grid: JSONField) throws(JSONProblem) -> SheetGrid {
        let wish = "rows and columns of the picture of samples, such as [8, 8]"
        let sides = try grid.array(wish)
        guard sides.count == 2 else { throw grid.problem("must be \(wish)") }
        return SheetGrid(
            rows: try sides[0].integer(1...SheetGrid.most), columns: try sides[1].integer(1...SheetGrid.most))
    }

    /// The levels, the noisiest first; that chains come to them is seen when the job is known.
    private static func trace(_ field: JSONField) throws(JSONProblem) -> [Int] {
        var levels: Set<Int> = []
        for element in try field.array("noise levels, such as [99, 50, 20, 0]") {
            let level = try element.integer(0...Int(Int32.max))
            guard levels.insert(level).inserted else { throw element.problem("level \(level) is named twice") }
        }
        return levels.sorted(by: >)
    }
}
