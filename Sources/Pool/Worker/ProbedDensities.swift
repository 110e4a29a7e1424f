import Composition
import ContentHash
import EnergyModels
import RandomStreams
import Sampling
import VectorMath

/// Models of every kind and targets of every operator, evaluated at a few points of a few levels.
enum ProbedDensities {
    private static let dimension = 2
    private static let lanes = 8
    private static let levels = 5

    /// What the small runs sample: it has energy, score and, without noise, walls.
    static let runTarget = TargetExpression.product(
        [.leaf("ring"), .leaf("bar"), .leaf("tilt")], weights: [1, 1, 0.5])

    private static let analytic: [String: ModelDescription] = [
        "ring": .gaussianMixture(
            means: [[0.5, 0], [0, 0.5], [-0.4, -0.3]], standardDeviations: [[0.1, 0.2], [0.3, 0.1], [0.2, 0.2]],
            weights: [1, 2, 1]),
        "bar": .uniformBox(low: [-0.5, -1], high: [0.6, 1]),
        "tilt": .gaussian(mean: [0.1, 0.2], covariance: [[1, 0.3], [0.3, 0.5]]),
    ]

    /// Windows over one another, one of them of every other pixel, that show their parts to one network, with its label and
    /// without.
    private static func tapestry(_ combination: Tapestry.Combination) -> TargetExpression {
        let guided = TargetExpression.guidance(
            unconditional: .leaf("picture"), conditional: [.leaf("picture, label 1")], scale: 1.5)
        func window(_ of: TargetExpression, _ row: Int, _ column: Int, scale: Int = 1) -> (
            of: TargetExpression, place: Tapestry.Placement, weight: Double?
        ) {
            (of, Tapestry.Placement(shape: pictureShape, row: row, column: column, scale: scale), nil)
        }
        let windows = [
            window(guided, 0, 0), window(.leaf("picture"), 0, 4), window(guided, 4, 1), window(.leaf("picture"), 4, 4),
            window(.leaf("picture"), 4, 0), window(guided, 0, 0, scale: 2),
        ]
        return .tapestry(Tapestry(canvas: canvas, windows: windows, combination))
    }

    /// Of the points of the small U-Nets.
    private static let pictureShape = unet(.block).description.architecture.shape
    /// Twice as high and wide.
    private static let canvas = PointShape([1, 8, 8]) ?? pictureShape

    /// Where models have density without noise, by name.
    static let boxes: [String: Bounds] = analytic.compactMapValues { model in
        if case .uniformBox(let low, let high) = model { Bounds(low: low.values, high: high.values) } else { nil }
    }

    /// Targets of the operators; ``name(_:)`` has all of them.
    private static let targets: [TargetExpression] = [
        runTarget,
        .mixture([.leaf("ring"), .leaf("tilt")], weights: [1, 2], logNormalizers: [0, .perLevel([0, 1, 2, 3, 4])]),
        .sharpenedMixture([.leaf("ring"), .leaf("tilt")], sharpness: 3.5, logNormalizers: [0.5, 0]),
        .negation(of: .leaf("tilt"), by: .leaf("ring"), weight: 0.3),
        .guidance(unconditional: .leaf("tilt"), conditional: [.leaf("ring"), .leaf("bar")], scale: 0.7),
        .classifier(of: .leaf("tilt"), by: "judge", label: 1, scale: 0.5),
        .tempered(of: .leaf("ring"), temperature: 2),
        .bounded(of: .leaf("tilt"), low: [-0.5, -0.5], high: [0.5, 0.5]),
        tapestry(.product), tapestry(.average),
    ]

    static func parts() throws -> [Fingerprint.Part] {
        var parts: [Fingerprint.Part] = []
        let kinds: [ScheduleDescription.Kind] = [
            .cosine, .linear(), .scaledLinear(first: 0.01, last: 0.5), .table([0.9, 0.7, 0.5, 0.3, 0.1]),
        ]
        let all = kinds.map { NoiseSchedule(ScheduleDescription(kind: $0, levels: levels)) }
        for (kind, schedule) in zip(kinds, all) {
            var hash = SHA256()
            hash.update(bits: schedule.levels.flatMap { [$0.beta, $0.signalVariance] })
            parts.append(Fingerprint.Part(name: "\(kind.name) schedule", hash: hash.finalize()))
        }
        let below = all[0].refinement(levels: 2)
        for (name, model) in analytic.sorted(by: { $0.key < $1.key }) {
            // Without noise too, where a box is another one.
            parts.append(
                try part(kind(model) + " \(name)", model.density(), at: [all[0].levels[3], all[0].levels[0]] + below))
        }
        for (name, density) in networks {
            parts.append(try part(name, density, at: [all[0].levels[3], all[0].levels[0]]))
        }
        for target in targets {
            parts.append(
                try part(name(target), density(of: target), at: [all[0].levels[3], all[0].levels[0]]))
        }
        return parts
    }

    static func density(of target: TargetExpression) throws -> any Density {
        var classifiers: [String: any Classifier] = [:]
        if target.leaves.contains("judge"), let judge = network(.classifier, energy: nil, classes: 3).classifier {
            classifiers["judge"] = judge
        }
        var densities = analytic.mapValues { $0.density() }
        if target.leaves.contains("picture") {
            let network = unet(.block)
            densities["picture"] = network.density()
            densities["picture, label 1"] = network.density(label: 1)
        }
        return try target.density(models: densities, classifiers: classifiers)
    }

    /// Without a default case, as ``name(_:)``: what is new is not forgotten here.
    private static func kind(_ model: ModelDescription) -> String {
        switch model {
        case .gaussian: "gaussian"
        case .independentGaussian: "independent gaussian"
        case .gaussianMixture: "gaussian mixture"
        case .uniformBox: "uniform box"
        }
    }

    private static func name(_ target: TargetExpression) -> String {
        switch target {
        case .leaf(let name): name
        case .product: "product"
        case .mixture: "mixture"
        case .sharpenedMixture: "sharpened mixture"
        case .negation: "negation"
        case .guidance: "guidance"
        case .classifier: "classifier"
        case .tempered: "tempered"
        case .bounded: "bounded"
        case .tapestry(let tapestry): "tapestry, \(tapestry.combination.rawValue)"
        }
    }

    /// A network of each kind of energy, and one with and without its label.
    private static var networks: [(name: String, density: any Density)] {
        let conditional = network(.energy, energy: .denoising, classes: 2)
        return NetworkDescription.Energy.Kind.allCases.map {
            ("network, \($0.rawValue)", network(.energy, energy: $0, classes: nil).density())
        } + [
            ("network, label 1", conditional.density(label: 1)), ("network, no label", conditional.density()),
        ] + UNet.Resampling.allCases.map { ("unet, \($0.rawValue)", unet($0).density(label: 1)) }
    }

    /// A small U-Net with layers of every kind.
    private static func unet(_ resampling: UNet.Resampling) -> Network {
        var network = UNet(
            height: 4, width: 4, channels: 1, modelChannels: 8, multipliers: [1, 2], blocks: 1, attention: [2],
            heads: .channels(4), groups: 4, levels: levels, classes: 2)
        network.resampling = resampling
        network.scalesAndShifts = resampling == .pool
        return self.network(.unet(network), energy: .denoising)
    }

    /// A small network with fixed weights.
    private static func network(
        _ kind: NetworkDescription.Architecture.Kind, energy: NetworkDescription.Energy.Kind?, classes: Int?
    ) -> Network {
        network(
            NetworkDescription.Architecture(
                kind: kind, dimension: dimension, hidden: 24, widen: 2, blocks: 1, embedding: 5, levels: levels,
                classes: classes), energy: energy)
    }

    private static func network(
        _ architecture: NetworkDescription.Architecture, energy: NetworkDescription.Energy.Kind?
    ) -> Network {
        Network(
            description: NetworkDescription(
                architecture: architecture, energy: energy.map { .init(kind: $0, scale: 0.5) },
                schedule: .init(kind: .cosine, levels: levels)),
            parameters: architecture.parameters.map { parameter in
                (0..<parameter.shape.reduce(1, *)).map { index -> Float in Float(index * 37 % 101 - 50) * 0.01 }
            })
    }

    private static func part(
        _ name: String, _ density: any Density, at levels: [NoiseLevel]
    ) throws -> Fingerprint.Part {
        var points = LaneMatrix(rows: density.dimension, lanes: lanes)
        RandomStream(seed: 3, firstChain: 0).fillNormals(&points, purpose: .initialPosition, level: 0)
        var evaluator = density.evaluator(lanes: lanes, at: levels[0])
        var evaluation = Evaluation(dimension: density.dimension, lanes: lanes)
        var hash = SHA256()
        for level in levels {
            evaluator.move(to: level)
            try evaluator.evaluate(at: points, into: &evaluation)
            hash.update(bits: evaluation.logDensity)
            hash.update(bits: evaluation.score.elements)
        }
        return Fingerprint.Part(name: name, hash: hash.finalize())
    }
}
