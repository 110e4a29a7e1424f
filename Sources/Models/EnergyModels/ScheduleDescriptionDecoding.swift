package import StrictJSON

extension ScheduleDescription {
    /// How one is written.
    static let example = "{\"kind\": \"cosine\", \"levels\": 100}"
    private static let mostLevels = 65_535
    /// Of abar: betas that follow from smaller ones would lose their digits.
    private static let leastSignal = 1e-200

    /// Reads `{"kind": "cosine", "levels": 100}`, `{"kind": "linear", "levels": 1000, "first": 1e-4, "last": 0.02}` or
    /// `{"kind": "table", "abar": […]}`.
    ///
    /// - Parameter spacing: whether fewer levels than those of the formula may be used: `"spaced": 100`.
    /// - Throws: ``JSONProblem``.
    package static func decode(_ field: JSONField, spacing: Bool = false) throws(JSONProblem) -> Self {
        let members = try field.members(example)
        let name = try members.required("kind", "one of \(Kind.names)").choice(Kind.names, "schedule")
        let own =
            switch name {
            case "table": ["abar"]
            case "cosine": ["levels"]
            default: ["levels", "first", "last"]
            }
        _ = try field.members(example, allowed: ["kind"] + own + (spacing ? ["spaced"] : []))
        let schedule =
            name == "table"
            ? try table(members)
            : Self(
                kind: try kind(name, members),
                levels: try members.required("levels", "the number of noise levels, such as 100")
                    .integer(1...mostLevels))
        guard NoiseSchedule(schedule).levels.allSatisfy({ $0.signalVariance > leastSignal }) else {
            throw field.problem("leaves nothing of the data at its last level; give smaller betas, or fewer levels")
        }
        guard let spaced = members["spaced"] else { return schedule }
        guard schedule.trainedLevels > 1 else { throw spaced.problem("there is one level; leave it out") }
        let count = try spaced.integer(2...schedule.trainedLevels)
        return Self(
            kind: schedule.kind, levels: schedule.trainedLevels,
            spaced: count == schedule.trainedLevels ? nil : count)
    }

    private static func kind(_ name: String, _ members: JSONMembers) throws(JSONProblem) -> Kind {
        func beta(_ name: String) throws(JSONProblem) -> Double? {
            try members[name]?.number("a variance above zero, at most 0.999, such as 0.02") { $0 > 0 && $0 <= 0.999 }
        }
        let (first, last) = (try beta("first"), try beta("last"))
        if let first, let last, last < first {
            throw members["last"]?.problem("is \(last), below the first, \(first); level 0 is the least noisy")
                ?? members.owner.problem("must not fall")
        }
        switch name {
        case "linear": return .linear(first: first, last: last)
        case "scaled_linear": return .scaledLinear(first: first, last: last)
        default: return .cosine
        }
    }

    private static func table(_ members: JSONMembers) throws(JSONProblem) -> Self {
        let field = try members.required("abar", "what is left of the data's variance at each level, the most first")
        let signals = try field.numbers(
            "one number per level", entry: "a number between 0 and 1", where: { $0 > 0 && $0 < 1 })
        guard signals.count <= mostLevels else {
            throw field.problem("has \(signals.count) levels; at most \(mostLevels) are possible")
        }
        for level in signals.indices.dropFirst() where signals[level] >= signals[level - 1] {
            throw field.problem(
                "entry \(level) is \(signals[level]), not below the one before, \(signals[level - 1]); level 0 is the "
                    + "least noisy")
        }
        return Self(kind: .table(signals), levels: signals.count)
    }

    /// What ``decode(_:spacing:)`` reads.
    package var json: JSONText {
        var members: [(String, JSONText)] = [("kind", .string(kind.name))]
        switch kind {
        case .cosine: members.append(("levels", .integer(trainedLevels)))
        case .linear(let first, let last), .scaledLinear(let first, let last):
            members.append(("levels", .integer(trainedLevels)))
            if let first { members.append(("first", .number(first))) }
            if let last { members.append(("last", .number(last))) }
        case .table(let signals): members.append(("abar", .array(signals.map { .number($0) })))
        }
        if let spaced { members.append(("spaced", .integer(spaced))) }
        return .object(members)
    }
}
