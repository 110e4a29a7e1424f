import StrictJSON

/// Reads the optimizer of a training spec.
enum OptimizerDecoder {
    private static let keys = [
        "learning_rate", "final_learning_rate", "decay", "warmup", "beta1", "beta2", "epsilon", "clip_norm",
    ]

    static func optimizer(_ field: JSONField?, iterations: Int) throws(JSONProblem) -> OptimizerSettings {
        var settings = OptimizerSettings(
            learningRate: 1e-3, finalLearningRate: 0, decay: .constant, warmup: 0, beta1: 0.9, beta2: 0.999,
            epsilon: 1e-8, clipNorm: nil)
        guard let field else { return settings }
        let members = try field.members("an optimizer such as {\"learning_rate\": 1e-3}", allowed: keys)
        if let field = members["learning_rate"] { settings.learningRate = try positive(field, "1e-3") }
        if let field = members["decay"] { settings.decay = try field.choice(OptimizerSettings.Decay.self, "decay") }
        if let field = members["final_learning_rate"] {
            guard settings.decay == .cosine else {
                throw field.problem(
                    "a constant learning rate has no other end; leave it out, or use \"decay\": \"cosine\"")
            }
            settings.finalLearningRate = try field.number("a number from 0 to the learning rate") {
                $0 >= 0 && $0 <= settings.learningRate
            }
        }
        if let field = members["warmup"] { settings.warmup = try field.integer(0...iterations - 1) }
        if let field = members["beta1"] { settings.beta1 = try decay(field) }
        if let field = members["beta2"] { settings.beta2 = try decay(field) }
        if let field = members["epsilon"] { settings.epsilon = try positive(field, "1e-8") }
        if let field = members["clip_norm"] { settings.clipNorm = try positive(field, "1") }
        return settings
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
