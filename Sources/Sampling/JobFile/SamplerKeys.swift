import EnergyModels
import Sampling
import StrictJSON

extension JSONForm<SamplerSettings> {
    /// The sampler of a job on a schedule. Its kind decides which keys there are besides.
    static func sampler(on schedule: ScheduleDescription) -> JSONForm {
        func list(_ keys: inout JSONKeys, _ settings: inout SamplerSettings) {
            settings.list(&keys, schedule: schedule)
        }
        return JSONForm(
            read: { field throws(JSONProblem) in
                let members = try field.members("a sampler, an object")
                let names = SamplerSettings.Kind.allCases.map(\.rawValue)
                let kind = try members.required("kind", "one of \(names)").choice(SamplerSettings.Kind.self, "sampler")
                var settings = SamplerSettings.start(kind, levels: schedule.levels)
                let known = JSONKeys.names(of: settings, list)
                let all = SamplerSettings.Kind.allCases
                    .flatMap { JSONKeys.names(of: .start($0, levels: schedule.levels), list) }
                for key in members.names where !known.contains(key) && all.contains(key) {
                    throw (members[key] ?? field).problem("\(kind.rawValue) takes no \(key); leave it out")
                }
                _ = try field.members("a sampler", allowed: known)
                try JSONKeys.read(members, into: &settings, list)
                return settings
            },
            write: { .object(JSONKeys.members(of: $0, list)) })
    }
}

extension SamplerSettings {
    /// Settings of a kind, before keys are read.
    fileprivate static func start(_ kind: Kind, levels: Int) -> SamplerSettings {
        let (steps, leapfrog) = (LevelValues.constant(1), LeapfrogSettings())
        let kernel: Kernel =
            switch kind {
            case .reverse: .reverse
            case .ula: .ula(step: steps)
            case .mala: .mala(step: .given(steps), acceptance: .energy)
            case .uhmc: .uhmc(step: steps, leapfrog: leapfrog)
            case .hmc: .hmc(step: .given(steps), leapfrog: leapfrog, acceptance: .energy)
            }
        if kernel == .reverse { return .reverse(levels: levels) }
        return SamplerSettings(kernel: kernel, transitions: 1, levels: 0...levels - 1)
    }

    fileprivate mutating func list(_ keys: inout JSONKeys, schedule: ScheduleDescription) {
        let levels = schedule.levels
        keys.key("kind", known: kind.rawValue)
        keys.key("denoise", &denoise, .bool, leftOut: false)
        guard kernel != .reverse else { return }
        kernel.list(&keys, levels: levels)
        keys.key("levels", &self.levels, .levelRange(levels: levels), default: 0...levels - 1)
        keys.key("transitions", &transitions, .transitions, default: 10)
        keys.key("reverse_steps", &reverseSteps, .bool, default: false)
        keys.key("start", &start, .start, leftOut: .normal)
        keys.key("population", &population, .population)
        keys.key("exchange", &exchange, .exchange(over: self.levels, of: schedule))
        keys.key("refine", &refinement, .refinement(levels: levels, transitions: transitions))
    }
}

extension SamplerSettings.Kernel {
    fileprivate mutating func list(_ keys: inout JSONKeys, levels: Int) {
        switch self {
        case .reverse:
            break
        case .ula(var step):
            keys.key("step_size", &step, .levelValues(levels: levels, notTunedFor: .ula), default: .usualLangevin)
            self = .ula(step: step)
        case .mala(var step, var acceptance):
            keys.key("step_size", &step, .steps(of: .mala, levels: levels), default: .tuned(.usual(for: .mala)))
            keys.key("acceptance", &acceptance, .acceptance(of: .mala), default: .energy)
            self = .mala(step: step, acceptance: acceptance)
        case .uhmc(var step, var leapfrog):
            keys.key("step_size", &step, .levelValues(levels: levels, notTunedFor: .uhmc), default: .usualLeapfrog)
            leapfrog.list(&keys, levels: levels)
            self = .uhmc(step: step, leapfrog: leapfrog)
        case .hmc(var step, var leapfrog, var acceptance):
            keys.key("step_size", &step, .steps(of: .hmc, levels: levels), default: .tuned(.usual(for: .hmc)))
            keys.key("acceptance", &acceptance, .acceptance(of: .hmc), default: .energy)
            leapfrog.list(&keys, levels: levels)
            self = .hmc(step: step, leapfrog: leapfrog, acceptance: acceptance)
        }
        if acceptance == nil {
            // There is nothing to choose, but jobs say so.
            var always = AcceptanceRule.energy
            keys.key("acceptance", &always, .acceptance(of: kind), default: .energy)
        }
    }
}

extension LeapfrogSettings {
    fileprivate mutating func list(_ keys: inout JSONKeys, levels: Int) {
        keys.key("leapfrog", &steps, .integer(1...65_536), default: 3)
        keys.key(
            "damping", &damping, .number("a number from 0 to below 1") { $0 >= 0 && $0 < 1 }, default: 0.5)
        keys.key("mass", &mass, .levelValues(levels: levels), default: .constant(1))
    }
}
