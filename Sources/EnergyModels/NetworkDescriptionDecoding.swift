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
        let description = NetworkDescription(
            architecture: try .decode(architectureField),
            energy: try .decode(try members.required("energy", "{\"kind\": \"denoising\", \"scale\": 1.0}")),
            schedule: try .decode(try members.required("schedule", "{\"kind\": \"cosine\", \"levels\": 100}")))
        guard description.architecture.levels == description.schedule.levels else {
            throw architectureField.problem(
                "embeds \(description.architecture.levels) levels, but the schedule has \(description.schedule.levels)")
        }
        return description
    }

    /// The text that ``decode(_:)`` reads; the same description gives the same text.
    public var jsonText: String { json.canonical }

    /// What ``decode(_:)`` reads.
    public var json: JSONText {
        var shape: [(String, JSONText)] = [
            ("kind", .string("residual_mlp")), ("dimension", .integer(architecture.dimension)),
            ("hidden", .integer(architecture.hidden)), ("widen", .integer(architecture.widen)),
            ("blocks", .integer(architecture.blocks)), ("embedding", .integer(architecture.embedding)),
            ("levels", .integer(architecture.levels)),
        ]
        if let classes = architecture.classes { shape.append(("classes", .integer(classes))) }
        return JSONText.object([
            ("format", .integer(1)), ("architecture", .object(shape)),
            ("energy", .object([("kind", .string(energy.kind.rawValue)), ("scale", .number(energy.scale))])),
            ("schedule", .object([("kind", .string(schedule.kind.rawValue)), ("levels", .integer(schedule.levels))])),
        ])
    }
}

extension NetworkDescription.Architecture {
    /// More numbers than any network that fits a worker: 8 GiB of them.
    private static let mostParameters = 1 << 31

    /// Reads `{"kind": "residual_mlp", …}`. - Throws: ``JSONProblem`` with the place.
    public static func decode(_ field: JSONField) throws(JSONProblem) -> Self {
        let members = try field.members(
            "a network's shape",
            allowed: ["kind", "dimension", "hidden", "widen", "blocks", "embedding", "levels", "classes"])
        _ = try members.required("kind", "\"residual_mlp\"").choice(["residual_mlp"], "architecture")
        func number(_ name: String, _ range: ClosedRange<Int>) throws(JSONProblem) -> Int {
            try members.required(name, "a whole number").integer(range)
        }
        let architecture = Self(
            dimension: try number("dimension", 1...4096), hidden: try number("hidden", 1...16_384),
            widen: try number("widen", 1...64), blocks: try number("blocks", 0...1024),
            embedding: try number("embedding", 1...16_384), levels: try number("levels", 1...65_535),
            classes: try members["classes"]?.integer(1...1 << 20))
        // Each factor is small enough for the sum not to overflow.
        guard architecture.parameterCount <= mostParameters else {
            throw field.problem("has \(architecture.parameterCount) parameters; at most \(mostParameters) are possible")
        }
        return architecture
    }

    /// Numbers in all parameters together.
    public var parameterCount: Int {
        let wide = widen * hidden
        let block =
            2 * hidden + (hidden + 1) * wide + (embedding + 1) * wide + (wide + 1) * wide + (wide + 1) * hidden
        return (levels + (classes.map { $0 + 1 } ?? 0)) * embedding + (dimension + 1) * hidden + blocks * block
            + (hidden + 1) * dimension
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
