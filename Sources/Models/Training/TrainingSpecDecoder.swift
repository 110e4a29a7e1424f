import EnergyModels
import RunFolder
import StrictJSON

/// Reads a training spec section by section, so that one reading names what is wrong in each.
struct TrainingSpecDecoder: JSONSectionDecoder {
    static let keys = [
        "rrr_training", "seed", "architecture", "energy", "schedule", "data", "iterations", "batch", "shard",
        "optimizer", "ema", "label_dropout", "report_every", "checkpoint_every", "weights", "from",
    ]
    /// Each shard's gradient is kept until the batch is through.
    private static let mostShards = 128
    /// Points that a shard may have.
    private static let sizes = 1...1 << 16

    /// What relative file names are put behind: empty, or a folder with a slash at its end.
    let folder: String
    var problems: [JSONProblem] = []
    /// Whether one of them is that a data file is not there.
    private(set) var missesFile = false

    init(folder: String) { self.folder = folder }

    mutating func decode(_ root: JSONField) -> TrainingSpec? {
        guard let spec = attempt({ () throws(JSONProblem) in try root.members("a training spec, an object") }) else {
            return nil
        }
        refuseMembers(of: spec, beside: Self.keys)
        _ = attempt { () throws(JSONProblem) in
            try spec.required("rrr_training", "the format version: \"rrr_training\": 1").integer(1...1)
        }
        let seed = attempt { () throws(JSONProblem) in try spec["seed"]?.seed() ?? 0 }
        let schedule = attempt { () throws(JSONProblem) in
            try spec["schedule"].map { field throws(JSONProblem) in try ScheduleDescription.decode(field) }
        }
        let (data, dimension) = decodeData(spec)
        let architecture = decodeArchitecture(spec, dimension: dimension, levels: schedule??.levels)
        let energy = attempt { () throws(JSONProblem) -> NetworkDescription.Energy? in
            if architecture?.kind == .classifier {
                try NetworkDescription.Energy.refuse(spec["energy"])
                return nil
            }
            return try spec["energy"].map { field throws(JSONProblem) in try NetworkDescription.Energy.decode(field) }
                ?? .init(kind: .denoising)
        }
        let iterations = attempt { () throws(JSONProblem) in
            try spec.required("iterations", "the number of steps, such as 15001").integer(1...1 << 31)
        }
        let batch = attempt { () throws(JSONProblem) in try spec["batch"]?.integer(1...1 << 24) ?? 1000 }
        let shard = attempt { () throws(JSONProblem) -> Int? in
            if let field = spec["shard"] { return try field.integer(Self.sizes) }
            return batch.map(Self.usualShard)
        }
        var optimizerDecoder = OptimizerDecoder()
        let optimizer = optimizerDecoder.optimizer(spec["optimizer"], iterations: iterations)
        problems += optimizerDecoder.problems
        let ema = attempt { () throws(JSONProblem) in
            try spec["ema"]?.number("a number from 0 to below 1, such as 0.999") { $0 >= 0 && $0 < 1 } ?? 0.999
        }
        let dropout = attempt { () throws(JSONProblem) in
            try spec["label_dropout"]?.number("a probability from 0 to below 1; at 1 no label would be learned") {
                $0 >= 0 && $0 < 1
            }
        }
        let reportEvery = attempt { () throws(JSONProblem) in try spec["report_every"]?.integer(1...1 << 31) ?? 100 }
        let checkpointEvery = attempt { () throws(JSONProblem) in
            try spec["checkpoint_every"]?.integer(1...1 << 31) ?? 1000
        }
        let weights = attempt { () throws(JSONProblem) in
            try spec["weights"]?.choice(NetworkFile.Storage.self, "type of weights") ?? .float32
        }
        let from = attempt { [folder] () throws(JSONProblem) in
            try spec["from"]?.path("\"model.safetensors\"", in: folder)
        }
        _ = attempt { () throws(JSONProblem) in
            guard let batch, let shard = shard ?? nil else { return }
            guard batch.isMultiple(of: shard), batch / shard <= Self.mostShards, Self.sizes ~= shard else {
                throw (spec["shard"] ?? spec["batch"] ?? spec.owner).problem(
                    "must cut the batch of \(batch) into at most \(Self.mostShards) equal shards of at most "
                        + "\(Self.sizes.upperBound) points, such as 1000 into 8 of 125")
            }
        }
        guard let architecture else { return nil }
        _ = attempt { () throws(JSONProblem) in
            guard let levels = schedule??.levels, architecture.levels != levels else { return }
            throw (spec["schedule"] ?? spec.owner).problem(
                "has \(levels) levels, the architecture \(architecture.levels); give both the same")
        }
        _ = attempt { () throws(JSONProblem) in
            guard architecture.conditions == nil, dropout != nil, let field = spec["label_dropout"] else { return }
            throw field.problem(
                architecture.kind == .classifier
                    ? "a classifier learns from every label; leave it out"
                    : "there are no labels to hide; leave it out, or give the architecture classes")
        }
        let decoder = DataDecoder(folder: folder)
        _ = attempt { () throws(JSONProblem) in
            guard let data, let field = spec["data"] else { return }
            try decoder.check(data, field, for: architecture)
        }
        guard let seed, let energy, let schedule, let iterations, let batch, let shard = shard ?? nil, let ema,
            let dropout, let reportEvery, let checkpointEvery, let weights, let from, let data
        else { return nil }
        return TrainingSpec(
            seed: seed,
            network: .init(
                architecture: architecture, energy: energy,
                schedule: schedule ?? ScheduleDescription(kind: .cosine, levels: architecture.levels)),
            from: from, data: data, iterations: iterations, batch: batch, shard: shard, optimizer: optimizer, ema: ema,
            labelDropout: dropout ?? (architecture.conditions == nil ? 0 : 0.1), reportEvery: reportEvery,
            checkpointEvery: checkpointEvery,
            weights: weights)
    }

    /// The data, and the network's dimension where they are to tell it.
    private mutating func decodeData(_ spec: JSONMembers) -> (DataDescription?, dimension: Int?) {
        let decoder = DataDecoder(folder: folder)
        let field = attempt { () throws(JSONProblem) in
            try spec.required("data", "where points come from: {\"kind\": \"distribution\", \"name\": …}")
        }
        guard let field, let data = attempt({ () throws(JSONProblem) in try decoder.data(field) }) else {
            return (nil, nil)
        }
        let shape = try? spec["architecture"]?.members("a network's shape")
        let isGiven = shape?["dimension"] != nil || shape?["size"] != nil
        guard !isGiven else { return (data, nil) }
        do {
            return (data, try decoder.dimension(of: data))
        } catch {
            missesFile = error.code == .missing
            problems.append(field.problem("does not tell the network's dimension: \(error)"))
            return (data, nil)
        }
    }

    /// The network's shape, the usual one where the spec leaves it open; nil if it is wrong or not to be known.
    private mutating func decodeArchitecture(
        _ spec: JSONMembers, dimension: Int?, levels: Int?
    ) -> NetworkDescription.Architecture? {
        let usual = ResidualNetwork(
            dimension: dimension ?? 0, hidden: 128, widen: 2, blocks: 4, embedding: 32, levels: levels ?? 100)
        guard let field = spec["architecture"] else { return dimension == nil ? nil : .residual(usual) }
        var decoder = ArchitectureDecoder(usual: usual)
        let architecture = decoder.decode(field)
        problems += decoder.problems
        if case .residual(let network) = architecture, network.dimension == 0 { return nil }
        return architecture
    }

    /// The largest number of shards up to eight that cuts the batch, so that up to eight cores have work; more where
    /// those would be larger than a shard may be.
    private static func usualShard(_ batch: Int) -> Int {
        let usual = (1...8).last { batch.isMultiple(of: $0) } ?? 1
        let many = (usual...max(usual, mostShards)).first {
            batch.isMultiple(of: $0) && batch / $0 <= sizes.upperBound
        }
        return batch / (many ?? usual)
    }
}
