import EnergyModels
import StrictJSON

/// Reads a training spec section by section, so that one reading names what is wrong in each.
struct TrainingSpecDecoder: JSONSectionDecoder {
    static let keys = [
        "rrr_training", "seed", "architecture", "energy", "schedule", "data", "iterations", "batch", "shard",
        "optimizer", "ema", "label_dropout", "checkpoint_every", "weights",
    ]
    /// Each shard's gradient is kept until the batch is through.
    private static let mostShards = 128

    /// What relative file names are put behind: empty, or a folder with a slash at its end.
    let folder: String
    var problems: [JSONProblem] = []

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
        let architecture = attempt { () throws(JSONProblem) in
            try NetworkDescription.Architecture.decode(
                try spec.required(
                    "architecture", "the network's shape: {\"kind\": \"residual_mlp\", \"dimension\": 2, …}"))
        }
        let energy = attempt { () throws(JSONProblem) -> NetworkDescription.Energy? in
            if architecture?.kind == .classifier {
                try NetworkDescription.Energy.refuse(spec["energy"])
                return nil
            }
            return try spec["energy"].map { field throws(JSONProblem) in try NetworkDescription.Energy.decode(field) }
                ?? .init(kind: .denoising)
        }
        let schedule = attempt { () throws(JSONProblem) -> ScheduleDescription? in
            if let field = spec["schedule"] { return try ScheduleDescription.decode(field) }
            return architecture.map { ScheduleDescription(kind: .cosine, levels: $0.levels) }
        }
        let iterations = attempt { () throws(JSONProblem) in
            try spec.required("iterations", "the number of steps, such as 15001").integer(1...1 << 31)
        }
        let batch = attempt { () throws(JSONProblem) in try spec["batch"]?.integer(1...1 << 24) ?? 1000 }
        let shard = attempt { () throws(JSONProblem) -> Int? in
            if let field = spec["shard"] { return try field.integer(1...1 << 16) }
            return batch.flatMap(Self.defaultShard)
        }
        let optimizer = attempt { () throws(JSONProblem) -> OptimizerSettings? in
            try iterations.map { count throws(JSONProblem) in
                try OptimizerDecoder.optimizer(spec["optimizer"], iterations: count)
            }
        }
        let ema = attempt { () throws(JSONProblem) in
            try spec["ema"]?.number("a number from 0 to below 1, such as 0.999") { $0 >= 0 && $0 < 1 } ?? 0.999
        }
        let dropout = attempt { () throws(JSONProblem) in
            try spec["label_dropout"]?.number("a probability from 0 to 1") { $0 >= 0 && $0 <= 1 }
        }
        let checkpointEvery = attempt { () throws(JSONProblem) in
            try spec["checkpoint_every"]?.integer(1...1 << 31) ?? 1000
        }
        let weights = attempt { () throws(JSONProblem) in
            try spec["weights"]?.choice(NetworkFile.Storage.self, "type of weights") ?? .float32
        }
        let folder = folder
        let data = attempt { () throws(JSONProblem) -> DataDescription? in
            let field = try spec.required("data", "where points come from: {\"kind\": \"distribution\", \"name\": …}")
            return try architecture.map { architecture throws(JSONProblem) in
                try DataDecoder(architecture: architecture, folder: folder).data(field)
            }
        }
        guard let seed, let architecture, let energy, let schedule = schedule ?? nil, let iterations, let batch,
            let shard = shard ?? nil, let optimizer = optimizer ?? nil, let ema, let dropout, let checkpointEvery,
            let weights, let data = data ?? nil
        else { return nil }
        _ = attempt { () throws(JSONProblem) in
            guard batch.isMultiple(of: shard), batch / shard <= Self.mostShards else {
                throw (spec["shard"] ?? spec["batch"] ?? spec.owner).problem(
                    "must cut the batch of \(batch) into at most \(Self.mostShards) equal shards, such as 1000 into 8 of 125"
                )
            }
        }
        _ = attempt { () throws(JSONProblem) in
            guard architecture.levels == schedule.levels else {
                throw (spec["schedule"] ?? spec.owner).problem(
                    "has \(schedule.levels) levels, the architecture \(architecture.levels); give both the same")
            }
        }
        _ = attempt { () throws(JSONProblem) in
            guard architecture.conditions == nil, dropout != nil, let field = spec["label_dropout"] else { return }
            throw field.problem(
                architecture.kind == .classifier
                    ? "a classifier learns from every label; leave it out"
                    : "there are no labels to hide; leave it out, or give the architecture classes")
        }
        return TrainingSpec(
            seed: seed, network: .init(architecture: architecture, energy: energy, schedule: schedule), data: data,
            iterations: iterations, batch: batch, shard: shard, optimizer: optimizer, ema: ema,
            labelDropout: dropout ?? (architecture.conditions == nil ? 0 : 0.1), checkpointEvery: checkpointEvery,
            weights: weights)
    }

    /// An eighth of the batch, so that up to eight cores have work, or all of it if it has no eighth.
    private static func defaultShard(_ batch: Int) -> Int { batch.isMultiple(of: 8) ? batch / 8 : batch }
}
