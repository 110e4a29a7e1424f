import EnergyModels
import StrictJSON

/// What the scheduler_config.json beside a UNet2DModel says of the noise levels that it was trained on. Its other keys are
/// of the sampler that they belong to.
struct DiffusersScheduler {
    let schedule: ScheduleDescription
    let prediction: NetworkDescription.Energy.Prediction

    /// Those whose levels are x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps with abar from betas.
    private static let classes = [
        "DDPMScheduler", "DDIMScheduler", "DDIMInverseScheduler", "DDPMParallelScheduler", "DDIMParallelScheduler",
        "PNDMScheduler", "DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler", "DEISMultistepScheduler",
        "UniPCMultistepScheduler", "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "LMSDiscreteScheduler",
        "HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler",
    ]

    /// Reads the file's content. What it leaves out is as DDPMScheduler's own defaults have it.
    init(_ field: JSONField) throws(JSONProblem) {
        let members = try field.members("the configuration of a scheduler")
        _ = try members.required("_class_name", "\"DDPMScheduler\"").choice(Self.classes, "scheduler that is read")
        if let zero = members["rescale_betas_zero_snr"], try zero.bool() {
            throw zero.problem("must be false: at the last level nothing of the data would be left")
        }
        let levels = try members["num_train_timesteps"]?.integer(1...65_535) ?? 1000
        if let trained = try Self.trained(members, levels: levels) {
            schedule = trained
        } else {
            schedule = try Self.formula(members, levels: levels)
        }
        prediction = try Self.prediction(members)
    }

    private static func formula(_ members: JSONMembers, levels: Int) throws(JSONProblem) -> ScheduleDescription {
        func beta(_ name: String, _ usual: Double) throws(JSONProblem) -> Double {
            try members[name]?.number("a variance above zero, at most 0.999") { $0 > 0 && $0 <= 0.999 } ?? usual
        }
        let names = ["linear", "scaled_linear", "squaredcos_cap_v2"]
        let name = try members["beta_schedule"]?.choice(names, "formula of betas that is read") ?? names[0]
        if name == "squaredcos_cap_v2" { return ScheduleDescription(kind: .cosine, levels: levels) }
        let (first, last) = (try beta("beta_start", 1e-4), try beta("beta_end", 0.02))
        return ScheduleDescription(
            kind: name == "linear" ? .linear(first: first, last: last) : .scaledLinear(first: first, last: last),
            levels: levels)
    }

    /// Betas given one by one.
    private static func trained(_ members: JSONMembers, levels: Int) throws(JSONProblem) -> ScheduleDescription? {
        guard let field = members["trained_betas"] else { return nil }
        if case .null = field.node.value { return nil }
        let betas = try field.numbers(
            "a beta for each level", count: levels, entry: "a variance above zero, below 1", where: { $0 > 0 && $0 < 1 }
        )
        var signal = 1.0
        let signals = betas.map { beta in
            signal *= 1 - beta
            return signal
        }
        return ScheduleDescription(kind: .table(signals), levels: levels)
    }

    private static func prediction(
        _ members: JSONMembers
    ) throws(JSONProblem) -> NetworkDescription.Energy.Prediction {
        let names = ["epsilon", "v_prediction", "sample"]
        switch try members["prediction_type"]?.choice(names, "prediction that is read") {
        case "v_prediction": return .v
        case "sample": return .sample
        default: return .epsilon
        }
    }
}
