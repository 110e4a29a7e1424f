public import StrictJSON

extension NetworkDescription {
    /// Reads the JSON of a model file's `rrr.model`. - Throws: ``JSONProblem`` with the place.
    public static func decode(_ field: JSONField) throws(JSONProblem) -> NetworkDescription {
        let members = try field.members(
            "a network's description", allowed: ["format", "architecture", "energy", "schedule"])
        _ = try members.required("format", "the format version: \"format\": 1").integer(1...1)
        return try decode(members)
    }

    /// Reads the members `architecture`, `energy` and `schedule` of an object.
    public static func decode(_ members: JSONMembers) throws(JSONProblem) -> NetworkDescription {
        let architectureField = try members.required("architecture", "the network's shape")
        let architecture = try Architecture.decode(architectureField)
        let description = NetworkDescription(
            architecture: architecture, energy: try energy(members, of: architecture),
            schedule: try .decode(try members.required("schedule", "{\"kind\": \"cosine\", \"levels\": 100}")))
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
    public var jsonText: String { json.canonical }

    /// What ``decode(_:)`` reads.
    public var json: JSONText {
        var shape: [(String, JSONText)] = [
            ("kind", .string(architecture.kind.rawValue)), ("dimension", .integer(architecture.dimension)),
            ("hidden", .integer(architecture.hidden)), ("widen", .integer(architecture.widen)),
            ("blocks", .integer(architecture.blocks)), ("embedding", .integer(architecture.embedding)),
            ("levels", .integer(architecture.levels)),
        ]
        if let classes = architecture.classes { shape.append(("classes", .integer(classes))) }
        let form = energy.map { energy -> [(String, JSONText)] in
            [("energy", .object([("kind", .string(energy.kind.rawValue)), ("scale", .number(energy.scale))]))]
        }
        return JSONText.object(
            [("format", .integer(1)), ("architecture", .object(shape))] + (form ?? []) + [
                (
                    "schedule",
                    .object([("kind", .string(schedule.kind.rawValue)), ("levels", .integer(schedule.levels))])
                )
            ])
    }
}

extension NetworkDescription.Architecture {
    /// Reads `{"kind": "residual_mlp", …}`, or `residual_mlp_classifier`. - Throws: ``JSONProblem`` with the place.
    public static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        var decoder = ArchitectureDecoder()
        let architecture = decoder.decode(field)
        if let problem = decoder.problems.first { throw problem }
        guard let architecture else { throw field.problem("must be a network's shape") }
        return architecture
    }

    /// Numbers in all parameters together.
    public var parameterCount: Int {
        let wide = widen * hidden
        let block =
            2 * hidden + (hidden + 1) * wide + (embedding + 1) * wide + (wide + 1) * wide + (wide + 1) * hidden
        return (levels + (conditions.map { $0 + 1 } ?? 0)) * embedding + (dimension + 1) * hidden + blocks * block
            + (hidden + 1) * outputs
    }
}

extension NetworkDescription.Energy {
    /// Reads `{"kind": "denoising", "scale": 1.0}`; the scale may be left out. - Throws: ``JSONProblem``.
    public static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        let members = try field.members("an energy", allowed: ["kind", "scale"])
        let kind = try members.required("kind", "the energy's form")
        if case .string(let name) = kind.node.value, let advice = predictionAdvice(name) {
            throw kind.problem("no energy \"\(name)\": \(advice)")
        }
        return Self(
            kind: try kind.choice(Kind.self, "energy"),
            scale: try members["scale"].map(scale) ?? 1)
    }

    /// What to do with a network that predicts something, by what other programs call that.
    private static func predictionAdvice(_ name: String) -> String? {
        switch name {
        case "epsilon", "eps", "noise_prediction": "a network that predicts the noise is of the kind \"noise\""
        case "v", "v_prediction", "velocity":
            "a network that predicts v = sqrt(abar) eps - sigma x0 is not read; one that predicts the noise, eps, is of "
                + "the kind \"noise\": train it so"
        case "sample", "x0", "x_start", "x0_prediction":
            "a network that predicts the data, x0, is not read; one that predicts the noise, eps, is of the kind "
                + "\"noise\": train it so"
        default: nil
        }
    }

    /// Refuses what says that a classifier has an energy. - Throws: ``JSONProblem`` if there is such a thing.
    public static func refuse(_ field: JSONField?) throws(JSONProblem) {
        if let field { throw field.problem("a classifier has logits and no energy; leave it out") }
    }

    private static func scale(_ field: JSONField) throws(JSONProblem) -> Double {
        // Networks compute in single precision, where a scale must not become zero or infinite.
        try field.number("a number above zero that single precision can hold, such as 1.0") {
            Float($0) > 0 && Float($0).isFinite
        }
    }
}

extension ScheduleDescription {
    /// Reads `{"kind": "cosine", "levels": 100}`. - Throws: ``JSONProblem``.
    public static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        let members = try field.members("{\"kind\": \"cosine\", \"levels\": 100}", allowed: ["kind", "levels"])
        let kind = try members.required("kind", "one of \(Kind.allCases.map(\.rawValue))").choice(Kind.self, "schedule")
        let levels = try members.required("levels", "the number of noise levels, such as 100").integer(1...65_535)
        return Self(kind: kind, levels: levels)
    }
}
