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
    /// More numbers than any network that fits a worker: 8 GiB of them.
    private static let mostParameters = 1 << 31

    /// Reads `{"kind": "residual_mlp", …}`, or `residual_mlp_classifier`. - Throws: ``JSONProblem`` with the place.
    public static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        let members = try field.members(
            "a network's shape",
            allowed: ["kind", "dimension", "hidden", "widen", "blocks", "embedding", "levels", "classes"])
        let kind = try members.required("kind", "\"residual_mlp\"").choice(Kind.self, "architecture")
        func number(_ name: String, _ range: ClosedRange<Int>) throws(JSONProblem) -> Int {
            try members.required(name, "a whole number").integer(range)
        }
        let architecture = Self(
            kind: kind, dimension: try number("dimension", 1...4096), hidden: try number("hidden", 1...16_384),
            widen: try number("widen", 1...64), blocks: try number("blocks", 0...1024),
            embedding: try number("embedding", 1...16_384), levels: try number("levels", 1...65_535),
            classes: try classes(members, of: kind))
        // Each factor is small enough for the sum not to overflow.
        guard architecture.parameterCount <= mostParameters else {
            throw field.problem("has \(architecture.parameterCount) parameters; at most \(mostParameters) are possible")
        }
        return architecture
    }

    private static func classes(_ members: JSONMembers, of kind: Kind) throws(JSONProblem) -> Int? {
        switch kind {
        case .energy: try members["classes"]?.integer(1...1 << 20)
        case .classifier: try members.required("classes", "how many labels it tells apart").integer(2...1 << 20)
        }
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
        return Self(
            kind: try members.required("kind", "the energy's form").choice(Kind.self, "energy"),
            scale: try members["scale"].map(scale) ?? 1)
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
