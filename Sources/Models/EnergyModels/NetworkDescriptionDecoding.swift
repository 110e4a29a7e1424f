package import StrictJSON

extension NetworkDescription {
    /// Reads the JSON of a model file's `rrr.model`. - Throws: ``JSONProblem`` with the place.
    package static func decode(_ field: JSONField) throws(JSONProblem) -> NetworkDescription {
        let members = try field.members(
            "a network's description", allowed: ["format", "architecture", "energy", "schedule"])
        _ = try members.required("format", "the format version: \"format\": 1").integer(1...1)
        return try decode(members)
    }

    /// Reads the members `architecture`, `energy` and `schedule` of an object.
    package static func decode(_ members: JSONMembers) throws(JSONProblem) -> NetworkDescription {
        let architectureField = try members.required("architecture", "the network's shape")
        let architecture = try Architecture.decode(architectureField)
        let description = NetworkDescription(
            architecture: architecture, energy: try energy(members, of: architecture),
            schedule: try .decode(try members.required("schedule", ScheduleDescription.example)))
        guard description.architecture.levels == description.schedule.levels else {
            throw architectureField.problem(
                "embeds \(description.architecture.levels) levels, but the schedule has \(description.schedule.levels)")
        }
        return description
    }

    private static func energy(_ members: JSONMembers, of architecture: Architecture) throws(JSONProblem) -> Energy? {
        if architecture.kind == .classifier {
            try Energy.refuse(members["energy"])
            return nil
        }
        return try .decode(try members.required("energy", "{\"kind\": \"denoising\", \"scale\": 1.0}"))
    }

    /// The text that ``decode(_:)`` reads; the same description gives the same text.
    package var jsonText: String { json.canonical }

    /// What ``decode(_:)`` reads.
    package var json: JSONText {
        JSONText.object(
            [("format", .integer(1)), ("architecture", architecture.json)]
                + (energy.map { [("energy", $0.json)] } ?? []) + [("schedule", schedule.json)])
    }
}

extension NetworkDescription.Architecture {
    /// Reads `{"kind": "residual_mlp", …}`, or what another kind is. - Throws: ``JSONProblem`` with the place.
    package static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        var decoder = ArchitectureDecoder()
        let architecture = decoder.decode(field)
        if let problem = decoder.problems.first { throw problem }
        guard let architecture else { throw field.problem("must be a network's shape") }
        return architecture
    }
}

extension NetworkDescription.Energy {
    /// Reads `{"kind": "denoising", "scale": 1.0}`; the scale may be left out, and so may what a network of the kind
    /// `noise` predicts. - Throws: ``JSONProblem``.
    package static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        let members = try field.members("an energy", allowed: ["kind", "scale", "prediction"])
        let kindField = try members.required("kind", "the energy's form")
        if case .string(let name) = kindField.node.value, let prediction = prediction(calledBy: name) {
            throw kindField.problem(
                "no energy \"\(name)\": write {\"kind\": \"noise\", \"prediction\": \"\(prediction.rawValue)\"}")
        }
        let kind = try kindField.choice(Kind.self, "energy")
        let prediction = try members["prediction"].map { field throws(JSONProblem) in
            guard kind == .noise else {
                throw field.problem("the gradient of an energy predicts the noise; leave it out")
            }
            return try field.choice(Prediction.self, "prediction")
        }
        return Self(
            kind: kind, scale: try members["scale"].map(scale) ?? 1, prediction: prediction ?? .epsilon)
    }

    /// What ``decode(_:)`` reads.
    package var json: JSONText {
        .object(
            [("kind", .string(kind.rawValue)), ("scale", .number(scale))]
                + (prediction == .epsilon ? [] : [("prediction", .string(prediction.rawValue))]))
    }

    /// What a network predicts whose kind is given by what other programs call that.
    private static func prediction(calledBy name: String) -> Prediction? {
        switch name {
        case "epsilon", "eps", "noise_prediction": .epsilon
        case "v", "v_prediction", "velocity": .v
        case "sample", "x0", "x_start", "x0_prediction": .sample
        default: nil
        }
    }

    /// Refuses what says that a classifier has an energy. - Throws: ``JSONProblem`` if there is such a thing.
    package static func refuse(_ field: JSONField?) throws(JSONProblem) {
        if let field { throw field.problem("a classifier has logits and no energy; leave it out") }
    }

    private static func scale(_ field: JSONField) throws(JSONProblem) -> Double {
        // Networks compute in single precision, where a scale must not become zero or infinite.
        try field.number("a number above zero that single precision can hold, such as 1.0") {
            Float($0) > 0 && Float($0).isFinite
        }
    }
}
