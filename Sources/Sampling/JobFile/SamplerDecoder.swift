import EnergyModels
import RandomStreams
import StrictJSON
import Sampling

/// Reads the sampler of a job.
enum SamplerDecoder {
    /// Keys of every kernel but `reverse`, and those of Hamiltonian kernels besides.
    private static let common = [
        "kind", "transitions", "step_size", "reverse_steps", "levels", "acceptance", "population", "denoise",
        "exchange", "refine",
    ]
    private static let hamiltonian = ["leapfrog", "damping", "mass"]

    static func sampler(
        _ field: JSONField, schedule: ScheduleDescription
    ) throws(JSONProblem) -> SamplerSettings {
        let levels = schedule.levels
        let members = try field.members("a sampler, an object")
        let kinds = SamplerSettings.Kind.allCases.map(\.rawValue)
        let kindField = try members.required("kind", "one of \(kinds)")
        let name = try kindField.string("one of \(kinds)")
        guard let kind = SamplerSettings.Kind(rawValue: name) else {
            throw kindField.problem("no sampler \"\(name)\"; \(Spelling.suggestion(for: name, among: kinds))")
        }
        let allowed = kind == .reverse ? ["kind", "denoise"] : common + (kind.isHamiltonian ? hamiltonian : [])
        for key in members.names where !allowed.contains(key) && (common + hamiltonian).contains(key) {
            throw members[key]?.problem("\(name) takes no \(key); leave it out") ?? field.problem("unknown key")
        }
        _ = try field.members("a sampler", allowed: allowed)
        let denoise = try members["denoise"]?.bool() ?? false
        if kind == .reverse {
            return SamplerSettings(
                kind: kind, transitions: 0, stepSize: .constant(1), reverseSteps: true, levels: 0...levels - 1,
                denoise: denoise)
        }
        let step = try members.required(
            "step_size", "a number such as 0.03, one per level, {\"beta_power\": [a, b]}, or \"tuned\"")
        let tuning = try tuning(step, of: kind)
        let range = try range(members["levels"], levels: levels)
        let transitions = try members["transitions"]?.integer(1...1 << 24) ?? 10
        return SamplerSettings(
            kind: kind,
            acceptance: try members["acceptance"].map { field throws(JSONProblem) in
                try acceptance(field, of: kind)
            } ?? .energy,
            transitions: transitions,
            leapfrogSteps: kind.isHamiltonian ? try members["leapfrog"]?.integer(1...65_536) ?? 3 : 1,
            damping: kind.isHamiltonian
                ? try members["damping"]?.number("a number from 0 to below 1", where: { $0 >= 0 && $0 < 1 }) ?? 0.5 : 0,
            stepSize: tuning == nil ? try values(step, levels: levels) : .constant(1), tuning: tuning,
            mass: try members["mass"].map { field throws(JSONProblem) in try values(field, levels: levels) }
                ?? .constant(1),
            reverseSteps: try members["reverse_steps"]?.bool() ?? false,
            levels: range,
            population: try members["population"].map { field throws(JSONProblem) in try population(field) },
            denoise: denoise,
            exchange: try members["exchange"].map { field throws(JSONProblem) in
                try exchange(field, over: range, of: schedule)
            },
            refinement: try members["refine"].map { field throws(JSONProblem) in
                try refinement(field, levels: levels, transitions: transitions)
            })
    }

    private static func refinement(
        _ field: JSONField, levels: Int, transitions: Int
    ) throws(JSONProblem) -> RefinementSettings {
        let members = try field.members("{\"levels\": 5}", allowed: ["levels", "transitions", "step_size"])
        // Each needs an address of its own beside those of the schedule.
        let most = min(RefinementSettings.mostLevels, RandomStream.levelLimit - levels)
        let count = try members.required("levels", "how many noise levels below level 0, such as 5").integer(1...most)
        return RefinementSettings(
            levels: count, transitions: try members["transitions"]?.integer(1...1 << 24) ?? transitions,
            stepSizes: try members["step_size"].map { field throws(JSONProblem) in
                guard field.isArray else { return [Double](repeating: try field.positive("0.001"), count: count) }
                return try field.numbers(
                    "one number per level below 0, going down", count: count, entry: "a finite number above zero",
                    where: { $0 > 0 })
            })
    }

    private static func exchange(
        _ field: JSONField, over range: ClosedRange<Int>, of schedule: ScheduleDescription
    ) throws(JSONProblem) -> ExchangeSettings {
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
            var list: [Int] = []
            for entry in try levels.array("the levels with a replica, such as [0, 5, 10]") {
                let level = try entry.integer(range)
                if let before = list.last, before >= level {
                    throw entry.problem("must be above the one before it, \(before); levels ascend")
                }
                list.append(level)
            }
            guard 2...most ~= list.count else {
                throw levels.problem("must have 2 to \(most) entries, has \(list.count)")
            }
            return ExchangeSettings(levels: list, every: every)
        }
        let count = try members.required("replicas", "how many, itself included, such as 8; or give \"levels\"")
            .integer(2...most)
        let levels = ExchangeSettings.levels(count, over: range, of: NoiseSchedule(schedule))
        return ExchangeSettings(levels: levels, every: every)
    }

    private static func population(_ field: JSONField) throws(JSONProblem) -> PopulationSettings {
        let threshold = try field.members("{\"threshold\": 0.5}", allowed: ["threshold"])["threshold"]
        return PopulationSettings(
            threshold: try threshold?.number("a number above 0, at most 1", where: { $0 > 0 && $0 <= 1 }) ?? 0.5)
    }

    private static func acceptance(
        _ field: JSONField, of kind: SamplerSettings.Kind
    ) throws(JSONProblem) -> AcceptanceRule {
        let rule = try rule(field)
        guard kind.isAdjusted || rule == .energy else {
            throw field.problem("\(kind.rawValue) accepts every proposal; leave it out, or use mala or hmc")
        }
        guard kind.isHamiltonian || rule != .path else {
            throw field.problem(
                "a step of mala is a straight line, not a path; write \"line\", or {\"line\": {\"points\": 2}} for as "
                    + "many evaluations as a path takes")
        }
        return rule
    }

    private static func rule(_ field: JSONField) throws(JSONProblem) -> AcceptanceRule {
        guard field.isObject else {
            switch try field.choice(["energy", "line", "path"], "rule") {
            case "line": return .line(points: 5)
            case "path": return .path
            default: return .energy
            }
        }
        let line = try field.members("{\"line\": {\"points\": 5}}", allowed: ["line"])
            .required("line", "{\"points\": 5}").members("{\"points\": 5}", allowed: ["points"])
        return .line(points: try line["points"]?.integer(AcceptanceRule.points) ?? 5)
    }

    /// How step sizes are to be found; nil where they are given.
    private static func tuning(
        _ field: JSONField, of kind: SamplerSettings.Kind
    ) throws(JSONProblem) -> TuningSettings? {
        let object = field.isObject ? try field.members("step sizes") : nil
        guard field.isString || object?["target_acceptance"] != nil || object?["pilots"] != nil else { return nil }
        guard let usual = kind.usualAcceptance else {
            throw field.problem(
                "\(kind.rawValue) accepts every proposal, so that there is no acceptance to tune for; give a number")
        }
        guard let object else {
            _ = try field.choice(["tuned"], "way to find step sizes")
            return TuningSettings(targetAcceptance: usual, pilots: TuningSettings.usualPilots)
        }
        let wish = "{\"target_acceptance\": \(usual), \"pilots\": \(TuningSettings.usualPilots)}"
        _ = try field.members(wish, allowed: ["target_acceptance", "pilots"])
        let targets = TuningSettings.targets
        let range = "a number from \(targets.lowerBound) to \(targets.upperBound)"
        return TuningSettings(
            targetAcceptance: try object["target_acceptance"]?.number(range, where: { targets.contains($0) }) ?? usual,
            pilots: try object["pilots"]?.integer(1...4_096) ?? TuningSettings.usualPilots)
    }

    private static func values(_ field: JSONField, levels: Int) throws(JSONProblem) -> LevelValues {
        if field.isArray {
            return .perLevel(
                try field.numbers(
                    "one number per level, index = level; there is none per axis, for which scale the models' coordinates",
                    count: levels, entry: "a finite number above zero", where: { $0 > 0 }))
        }
        guard field.isObject else { return .constant(try field.positive("0.03")) }
        let members = try field.members("{\"beta_power\": [a, b]}", allowed: ["beta_power"])
        let power = try members.required("beta_power", "[a, b] for a * beta^b")
        let entries = try power.array("[a, b] for a * beta^b", count: 2)
        return .betaPower(scale: try entries[0].positive("0.1"), exponent: try entries[1].number())
    }

    private static func range(_ field: JSONField?, levels: Int) throws(JSONProblem) -> ClosedRange<Int> {
        guard let field else { return 0...levels - 1 }
        let ends = try field.array("[first, last], the levels that get transitions", count: 2)
        let first = try ends[0].integer(0...levels - 1)
        return first...(try ends[1].integer(first...levels - 1))
    }
}
