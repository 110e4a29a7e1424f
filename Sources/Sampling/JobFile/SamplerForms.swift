import EnergyModels
import RandomStreams
import Sampling
import StrictJSON

extension JSONForm<LevelValues> {
    /// One number for every level, as masses and step sizes are given.
    ///
    /// - Parameter unadjusted: a kernel whose steps these are, if none can be looked for.
    static func levelValues(levels: Int, notTunedFor unadjusted: SamplerSettings.Kind? = nil) -> JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in
                if let unadjusted, try field.asksForTuning {
                    throw field.problem(
                        "\(unadjusted.rawValue) accepts every proposal, so that there is no acceptance to tune for; give "
                            + "a number")
                }
                if field.isArray {
                    return .perLevel(
                        try field.numbers(
                            "one number per level, index = level; there is none per axis, for which scale the models' "
                                + "coordinates",
                            count: levels, entry: "a finite number above zero", where: { $0 > 0 }))
                }
                guard field.isObject else { return .constant(try field.positive("0.03")) }
                let members = try field.members(
                    "{\"noise_power\": [a, b]} or {\"beta_power\": [a, b]}", allowed: ["noise_power", "beta_power"])
                if let ofNoise = members["noise_power"] {
                    if let ofBeta = members["beta_power"] {
                        throw ofBeta.problem("the steps go with the noise already; leave out one of the two")
                    }
                    let (scale, exponent) = try ofNoise.power(of: "sigma")
                    return .noisePower(scale: scale, exponent: exponent)
                }
                let (scale, exponent) = try members.required("beta_power", "[a, b] for a * beta^b").power(of: "beta")
                return .betaPower(scale: scale, exponent: exponent)
            },
            write: { values in
                switch values {
                case .constant(let value): .number(value)
                case .perLevel(let values): .numbers(values)
                case .betaPower(let scale, let exponent): .object([("beta_power", .numbers([scale, exponent]))])
                case .noisePower(let scale, let exponent): .object([("noise_power", .numbers([scale, exponent]))])
                }
            })
    }
}

extension JSONField {
    /// [a, b], which stands for a times the b-th power of something.
    fileprivate func power(of base: String) throws(JSONProblem) -> (scale: Double, exponent: Double) {
        let entries = try array("[a, b] for a * \(base)^b", count: 2)
        return (try entries[0].positive("0.1"), try entries[1].number())
    }

    /// Whether step sizes are to be looked for.
    fileprivate var asksForTuning: Bool {
        get throws(JSONProblem) {
            guard isObject else { return isString }
            let members = try members("step sizes")
            return members["target_acceptance"] != nil || members["pilots"] != nil
        }
    }
}

extension JSONForm<StepSizes> {
    /// Step sizes, or how they are to be looked for.
    static func steps(of kind: SamplerSettings.Kind, levels: Int) -> JSONForm {
        let usual = TuningSettings.usual(for: kind)
        let tuning = JSONForm<TuningSettings>.tuning(usual: usual)
        let given = JSONForm<LevelValues>.levelValues(levels: levels)
        return JSONForm(
            read: { field throws(JSONProblem) in
                guard try field.asksForTuning else { return .given(try given.read(field)) }
                guard field.isObject else {
                    _ = try field.choice(["tuned"], "way to find step sizes")
                    return .tuned(usual)
                }
                return .tuned(try tuning.read(field))
            },
            write: { steps in
                switch steps {
                case .given(let values): given.write(values)
                case .tuned(let settings): tuning.write(settings)
                }
            })
    }
}

extension JSONForm<TuningSettings> {
    fileprivate static func tuning(usual: TuningSettings) -> JSONForm {
        let targets = TuningSettings.targets
        return .object(
            "{\"target_acceptance\": \(usual.targetAcceptance), \"pilots\": \(usual.pilots)}", from: usual
        ) { keys, tuning in
            keys.key(
                "target_acceptance", &tuning.targetAcceptance,
                .number("a number from \(targets.lowerBound) to \(targets.upperBound)", where: targets.contains),
                default: usual.targetAcceptance)
            keys.key("pilots", &tuning.pilots, .integer(1...4_096), default: usual.pilots)
        }
    }
}

extension JSONForm<AcceptanceRule> {
    /// A rule that the kernel can go by.
    static func acceptance(of kind: SamplerSettings.Kind) -> JSONForm {
        let line = JSONForm<Int>.object("{\"line\": {\"points\": 5}}", from: 5) { keys, points in
            keys.key("line", &points, .linePoints, required: "{\"points\": 5}")
        }
        return JSONForm(
            read: { field throws(JSONProblem) in
                let rule: AcceptanceRule =
                    if field.isObject {
                        .line(points: try line.read(field))
                    } else {
                        switch try field.choice(["energy", "line", "path"], "rule") {
                        case "line": .line(points: 5)
                        case "path": .path
                        default: .energy
                        }
                    }
                guard kind.isAdjusted || rule == .energy else {
                    throw field.problem("\(kind.rawValue) accepts every proposal; leave it out, or use mala or hmc")
                }
                return rule
            },
            write: { rule in
                switch rule {
                case .energy: .string("energy")
                case .line(let points): line.write(points)
                case .path: .string("path")
                }
            })
    }
}

extension JSONForm<Int> {
    fileprivate static var linePoints: JSONForm {
        .object("{\"points\": 5}", from: 5) { keys, points in
            keys.key("points", &points, .integer(AcceptanceRule.points), default: 5)
        }
    }

    /// At each level.
    static var transitions: JSONForm { .integer(1...1 << 24) }
}

extension JSONForm<ClosedRange<Int>> {
    /// The levels that get transitions.
    static func levelRange(levels: Int) -> JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in
                let ends = try field.array("[first, last], the levels that get transitions", count: 2)
                let first = try ends[0].integer(0...levels - 1)
                return first...(try ends[1].integer(first...levels - 1))
            },
            write: { .array([.integer($0.lowerBound), .integer($0.upperBound)]) })
    }
}

extension JSONForm<PopulationSettings> {
    static var population: JSONForm {
        .object("{\"threshold\": 0.5}", from: PopulationSettings(threshold: 0.5)) { keys, population in
            keys.key(
                "threshold", &population.threshold, .number("a number above 0, at most 1") { $0 > 0 && $0 <= 1 },
                default: 0.5)
            keys.key("bridges", &population.bridges, .integer(0...PopulationSettings.mostBridges), leftOut: 0)
        }
    }
}

extension JSONForm<SamplerSettings.Start> {
    static var start: JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in try field.choice(SamplerSettings.Start.self, "start") },
            write: { .string($0.rawValue) })
    }
}

extension JSONForm<RefinementSettings> {
    /// - Parameter transitions: at the levels above; as many below, unless others are asked for.
    static func refinement(levels: Int, transitions: Int) -> JSONForm {
        // Each needs an address of its own beside those of the schedule.
        let most = min(RefinementSettings.mostLevels, RandomStream.levelLimit - levels)
        return .object("{\"levels\": 5}", from: RefinementSettings(levels: 1, transitions: 1)) { keys, refinement in
            keys.key(
                "levels", &refinement.levels, .integer(1...most),
                required: "how many noise levels below level 0, such as 5")
            keys.key("transitions", &refinement.transitions, .transitions, default: transitions)
            keys.key("step_size", &refinement.stepSizes, .stepSizes(count: refinement.levels))
        }
    }
}

extension JSONForm<[Double]> {
    /// Those of levels below 0; a single number stands for all.
    fileprivate static func stepSizes(count: Int) -> JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in
                guard field.isArray else { return [Double](repeating: try field.positive("0.001"), count: count) }
                return try field.numbers(
                    "one number per level below 0, going down", count: count, entry: "a finite number above zero",
                    where: { $0 > 0 })
            },
            write: { .numbers($0) })
    }
}

extension JSONForm<ExchangeSettings> {
    /// Read with the levels or with their number, and written with the levels.
    static func exchange(over range: ClosedRange<Int>, of schedule: ScheduleDescription) -> JSONForm {
        JSONForm(
            read: { field throws(JSONProblem) in
                let wish = "{\"replicas\": 8, \"every\": 1}, or \"levels\" instead of \"replicas\""
                let members = try field.members(wish, allowed: ["replicas", "levels", "every"])
                let most = min(ExchangeSettings.mostReplicas, range.count)
                guard most > 1 else {
                    throw field.problem("replicas need two levels that get transitions, and there is one; leave it out")
                }
                let every = try members["every"]?.integer(1...1 << 24) ?? 1
                if let levels = members["levels"] {
                    if let replicas = members["replicas"] {
                        throw replicas.problem("the levels say how many replicas there are; leave out one of the two")
                    }
                    return ExchangeSettings(levels: try ascending(levels, in: range, most: most), every: every)
                }
                let count = try members.required("replicas", "how many, itself included, such as 8; or give \"levels\"")
                    .integer(2...most)
                let levels = ExchangeSettings.levels(count, over: range, of: NoiseSchedule(schedule))
                return ExchangeSettings(levels: levels, every: every)
            },
            write: { exchange in
                .object([("levels", .array(exchange.levels.map { .integer($0) })), ("every", .integer(exchange.every))])
            })
    }

    private static func ascending(
        _ field: JSONField, in range: ClosedRange<Int>, most: Int
    ) throws(JSONProblem) -> [Int] {
        var list: [Int] = []
        for entry in try field.array("the levels with a replica, such as [0, 5, 10]") {
            let level = try entry.integer(range)
            if let before = list.last, before >= level {
                throw entry.problem("must be above the one before it, \(before); levels ascend")
            }
            list.append(level)
        }
        guard 2...most ~= list.count else { throw field.problem("must have 2 to \(most) entries, has \(list.count)") }
        return list
    }
}
