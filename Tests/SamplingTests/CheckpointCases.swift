import Composition
import EnergyModels
import Sampling

/// A plan whose blocks are stopped and taken up again.
struct CheckpointCase: Sendable, CustomStringConvertible {
    let name: String
    let plan: SamplingPlan

    var description: String { name }

    /// Every kernel on the plain mixture; ranges of levels, bounds, draws, targets of several parts, a network.
    static let all: [CheckpointCase] = {
        var cases = SamplerSettings.Kind.allCases.map { kind in
            CheckpointCase("\(kind)", .leaf("mixture"), kind, reverseSteps: kind == .reverse)
        }
        for kind in SamplerSettings.Kind.allCases where kind != .reverse {
            cases += [
                CheckpointCase("\(kind), steps between levels", .leaf("mixture"), kind, reverseSteps: true),
                CheckpointCase(
                    "\(kind), some levels, draws at the last", .leaf("mixture"), kind, levels: 1...3, draws: 3,
                    thin: 2),
                CheckpointCase(
                    "\(kind), draws where no transitions anneal", .leaf("mixture"), kind, reverseSteps: true,
                    levels: 2...4, draws: 3, thin: 3),
                CheckpointCase("\(kind), bounded", bounded, kind, reverseSteps: true),
                CheckpointCase("\(kind), mixture of two", mixture, kind),
                CheckpointCase("\(kind), network", tiltedNetwork, kind),
                CheckpointCase("\(kind), denoised", bounded, kind, draws: 3, thin: 2, denoise: true),
            ]
        }
        for rule in [AcceptanceRule.line(points: 5), .line(points: 2), .path] {
            let kinds: [SamplerSettings.Kind] = rule == .path ? [.hmc] : [.mala, .hmc]
            for kind in kinds {
                cases.append(CheckpointCase("\(kind), \(rule)", bounded, kind, acceptance: rule, draws: 3, thin: 2))
                let known = CheckpointCase("", tiltedNetwork, kind, acceptance: rule).plan
                cases.append(
                    CheckpointCase(
                        name: "\(kind), \(rule), score alone",
                        plan: SamplingPlan(
                            density: ScoreOnly(known.density), hasEnergy: false, schedule: known.schedule,
                            settings: known.settings, seed: 3, lanes: 8)))
            }
        }
        for kind in SamplerSettings.Kind.allCases where kind != .reverse {
            cases += [
                CheckpointCase("\(kind), population", mixture, kind, draws: 3, thin: 2, threshold: 1),
                CheckpointCase("\(kind), refined", boxed, kind, draws: 3, thin: 2, refinement: 3),
                CheckpointCase("\(kind), refined population", boxed, kind, threshold: 1, refinement: 2),
                CheckpointCase("\(kind), population of a network", tiltedNetwork, kind, threshold: 0.9),
                // Of so few evaluations a step that one of eleven may fail and it comes through.
                CheckpointCase("\(kind), bridged", mixture, kind, transitions: 1, threshold: 1, bridges: 1),
                CheckpointCase(
                    "\(kind), bridged and refined", boxed, kind, transitions: 1, threshold: 1, bridges: 1,
                    refinement: 2),
                CheckpointCase("\(kind), bounded population", bounded, kind, levels: 1...4, threshold: 0.8),
            ]
        }
        for kind in [SamplerSettings.Kind.mala, .hmc] {
            cases += [
                CheckpointCase("\(kind), exchange", mixture, kind, draws: 4, thin: 3, exchange: [0, 1, 3, 5]),
                CheckpointCase(
                    "\(kind), exchange of two, now and then", bounded, kind, levels: 1...5, draws: 10, denoise: true,
                    exchange: [1, 4], every: 4),
                CheckpointCase(
                    "\(kind), exchange of a network, steps between levels", tiltedNetwork, kind, reverseSteps: true,
                    levels: 0...3, draws: 3, thin: 2, exchange: [0, 2, 3]),
            ]
        }
        cases += [
            CheckpointCase("mala, traced", mixture, .mala, draws: 3, thin: 2, trace: [0, 5, 2]),
            CheckpointCase(
                "hmc, traced between steps, exchange", mixture, .hmc, reverseSteps: true, levels: 0...3, draws: 3,
                exchange: [0, 2, 3], trace: [0, 3, 4]),
            CheckpointCase(
                "hmc, traced population, refined", boxed, .hmc, threshold: 1, refinement: 2, trace: [0, 3]),
            CheckpointCase("reverse, traced", .leaf("mixture"), .reverse, reverseSteps: true, trace: [4, 0]),
        ]
        let unadjusted = CheckpointCase("uhmc", .leaf("mixture"), .uhmc).plan
        cases.append(
            CheckpointCase(
                name: "uhmc, score alone",
                plan: SamplingPlan(
                    density: unadjusted.density, hasEnergy: false, schedule: unadjusted.schedule,
                    settings: unadjusted.settings, seed: 3, lanes: 8)))
        return cases
    }()

    /// HMC with momentum kept from one transition to the next, and several draws.
    static let hamiltonian = CheckpointCase("hmc", .leaf("mixture"), .hmc, draws: 3, thin: 2)

    private static let mixture = TargetExpression.mixture(
        [.leaf("mixture"), .leaf("tilt")], weights: [1, 2], logNormalizers: [0, 1])
    private static let tiltedNetwork = TargetExpression.product([.leaf("network"), .leaf("tilt")], weights: [1, 1])
    private static let boxed = TargetExpression.product([.leaf("mixture"), .leaf("box")], weights: [1, 1])
    private static let bounded = TargetExpression.bounded(of: .leaf("mixture"), low: [-0.5, -0.4], high: [0.6, 0.5])

    private static let network: any Density = {
        let architecture = NetworkDescription.Architecture(
            dimension: 2, hidden: 24, widen: 2, blocks: 1, embedding: 5, levels: 6)
        return Network(
            description: NetworkDescription(
                architecture: architecture, energy: .init(kind: .denoising), schedule: .init(kind: .cosine, levels: 6)),
            parameters: architecture.parameters.map { parameter in
                (0..<parameter.shape.reduce(1, *)).map { index -> Float in Float(index * 37 % 101 - 50) * 0.01 }
            }
        ).density()
    }()

    private static let models: [String: any Density] = [
        "mixture": GaussianMixture(
            means: [[0.8, 0], [-0.5, 0.6]], standardDeviations: [[0.4, 0.6], [0.5, 0.3]], weights: [1, 2]),
        "tilt": Gaussian(mean: [0.1, 0.2], covariance: [[1, 0.3], [0.3, 0.5]]),
        "network": network,
        "box": UniformBox(low: [-1, -1], high: [0.8, 1.2]),
    ]

    private init(name: String, plan: SamplingPlan) {
        self.name = name
        self.plan = plan
    }

    init(
        _ name: String, _ target: TargetExpression, _ kind: SamplerSettings.Kind,
        acceptance: AcceptanceRule = .energy, reverseSteps: Bool = false, levels: ClosedRange<Int> = 0...5,
        draws: Int = 1, thin: Int = 1, seed: UInt64 = 3, lanes: Int = 8, transitions: Int = 3,
        threshold: Double? = nil, bridges: Int = 0, denoise: Bool = false, exchange: [Int]? = nil, every: Int = 1,
        refinement: Int? = nil, trace: [Int]? = nil
    ) {
        guard let density = try? target.density(models: Self.models) else { preconditionFailure() }
        let settings = SamplerSettings(
            kind: kind, acceptance: acceptance, transitions: kind == .reverse ? 0 : transitions,
            leapfrogSteps: kind.isHamiltonian ? 2 : 1, damping: 0.7,
            stepSize: .constant(kind.isHamiltonian ? 0.5 : 0.15), reverseSteps: reverseSteps,
            levels: levels, population: threshold.map { PopulationSettings(threshold: $0, bridges: bridges) },
            denoise: denoise, exchange: exchange.map { ExchangeSettings(levels: $0, every: every) },
            refinement: refinement.map { RefinementSettings(levels: $0, transitions: 2) })
        self.name = name
        plan = SamplingPlan(
            density: density, bounds: target.bounds,
            walls: target.bounds(ofModels: ["box": Bounds(low: [-1, -1], high: [0.8, 1.2])]),
            schedule: NoiseSchedule(ScheduleDescription(kind: .cosine, levels: 6)), settings: settings, seed: seed,
            lanes: lanes, draws: draws, thin: thin,
            trace: trace.map { TraceSettings(levels: $0, chains: 3, shape: [2]) })
    }
}
