import StrictJSON

/// Reads the optimizer of a training spec, so that one reading names what is wrong in each of its numbers.
struct OptimizerDecoder: JSONSectionDecoder {
    private static let keys = [
        "learning_rate", "final_learning_rate", "decay", "warmup", "beta1", "beta2", "epsilon", "clip_norm",
    ]

    var problems: [JSONProblem] = []

    /// The settings, with what is wrong in them at its default.
    /// - Parameter iterations: nil if the spec does not tell.
    mutating func optimizer(_ field: JSONField?, iterations: Int?) -> OptimizerSettings {
        var settings = OptimizerSettings(
            learningRate: 1e-3, finalLearningRate: 0, decay: .constant, warmup: 0, beta1: 0.9, beta2: 0.999,
            epsilon: 1e-8, clipNorm: nil)
        guard let field else { return settings }
        let wish = "an optimizer such as {\"learning_rate\": 1e-3}"
        guard let members = attempt({ () throws(JSONProblem) in try field.members(wish) }) else { return settings }
        _ = attempt { () throws(JSONProblem) in try field.members(wish, allowed: Self.keys) }
        read(members["learning_rate"], into: &settings.learningRate) { field throws(JSONProblem) in
            try Self.positive(field, "1e-3")
        }
        let decay = attempt { () throws(JSONProblem) in
            try members["decay"]?.choice(OptimizerSettings.Decay.self, "decay") ?? .constant
        }
        settings.decay = decay ?? .constant
        let rate = settings.learningRate
        read(members["final_learning_rate"], into: &settings.finalLearningRate) { field throws(JSONProblem) in
            guard decay != .constant else {
                throw field.problem(
                    "a constant learning rate has no other end; leave it out, or use \"decay\": \"cosine\"")
            }
            return try field.number("a number from 0 to the learning rate") { $0 >= 0 && $0 <= rate }
        }
        read(members["warmup"], into: &settings.warmup) { field throws(JSONProblem) in
            try field.integer(0...(iterations ?? 1 << 31) - 1)
        }
        read(members["beta1"], into: &settings.beta1, Self.decay)
        read(members["beta2"], into: &settings.beta2, Self.decay)
        read(members["epsilon"], into: &settings.epsilon) { field throws(JSONProblem) in
            try Self.positive(field, "1e-8")
        }
        read(members["clip_norm"], into: &settings.clipNorm) { field throws(JSONProblem) in
            try Self.positive(field, "1")
        }
        return settings
    }

    private mutating func read<Value>(
        _ field: JSONField?, into value: inout Value, _ reading: (JSONField) throws(JSONProblem) -> Value
    ) {
        guard let field else { return }
        if let read = attempt({ () throws(JSONProblem) in try reading(field) }) { value = read }
    }

    /// A number that steps, which are in single precision, take for neither zero nor infinite.
    private static func positive(_ field: JSONField, _ example: String) throws(JSONProblem) -> Double {
        try field.number("a number above zero that single precision can hold, such as \(example)") {
            Float($0) > 0 && Float($0).isFinite
        }
    }

    private static func decay(_ field: JSONField) throws(JSONProblem) -> Double {
        try field.number("a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
    }
}
