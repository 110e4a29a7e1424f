import TensorGraph
package import VectorMath

/// A network as a leaf of a composition: a density log p_t = -E / sigma_t, conditioned on a label or on none; or of a
/// classifier log p(label | x, t), a term of a composition, not a density of x.
struct NetworkLeaf: Density {
    let network: Network
    let label: Int?

    var shape: PointShape { network.description.architecture.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        SingleLeaf(leaves: NetworkLeaves(network: network, labels: [label], lanes: lanes, at: level))
    }
}

/// Leaves of a composition that one network or server stands for, evaluated together.
protocol JointLeaves {
    /// Goes over to another noise level.
    mutating func move(to level: NoiseLevel)

    /// - Parameter places: where each leaf's evaluation goes.
    mutating func evaluate(
        at x: LaneMatrix, into evaluations: inout [Evaluation], places: [Int]
    ) throws(EvaluationError)
}

/// The evaluator of one that is alone.
struct SingleLeaf<Leaves: JointLeaves>: DensityEvaluator {
    var leaves: Leaves

    mutating func move(to level: NoiseLevel) { leaves.move(to: level) }

    mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) throws(EvaluationError) {
        // Not copied on the way: an array of one is made of it and it of the array.
        var evaluations = [Evaluation(dimension: 0, lanes: 0)]
        swap(&evaluations[0], &evaluation)
        defer { swap(&evaluations[0], &evaluation) }
        try leaves.evaluate(at: x, into: &evaluations, places: [0])
    }
}

/// Leaves of one network, evaluated in one pass.
private struct NetworkLeaves: JointLeaves {
    private var points: NetworkEvaluator
    private let isClassifier: Bool
    private var noise: Double

    init(network: Network, labels: [Int?], lanes: Int, at level: NoiseLevel) {
        points = NetworkEvaluator(network: network, labels: labels, points: lanes, level: level.original)
        isClassifier = network.description.architecture.kind == .classifier
        noise = level.noise
    }

    mutating func move(to level: NoiseLevel) {
        noise = level.noise
        points.move(to: level.original)
    }

    mutating func evaluate(
        at x: LaneMatrix, into evaluations: inout [Evaluation], places: [Int]
    ) throws(EvaluationError) {
        // log p = -E / sigma and score = -dE/dx / sigma: the one place where the noise level divides.
        let factor = isClassifier ? 1 : -1 / noise
        try points.evaluate(
            count: x.lanes, point: { Float(x[$1, $0]) },
            value: { evaluations[places[$0]].logDensity[$1] = factor * Double($2) },
            gradient: { evaluations[places[$0]].score[$2, $1] = factor * Double($3) })
    }
}

/// Evaluates several densities at the same points. Those that one network stands for pass through it together, which
/// changes no bit of what each gives alone; those that one server evaluates are sent to it together.
package struct JointEvaluator {
    private var others: [(evaluator: any DensityEvaluator, place: Int)] = []
    private var joint: [(leaves: any JointLeaves, places: [Int])] = []

    /// An evaluator for blocks of `lanes` chains that stands at `level`.
    package init(_ densities: [any Density], lanes: Int, at level: NoiseLevel) {
        var shared: [(network: Network, labels: [Int?], places: [Int])] = []
        var served: [(models: [ServedModel], places: [Int])] = []
        for (place, density) in densities.enumerated() {
            if let model = density as? ServedModel {
                if let known = served.firstIndex(where: { $0.models[0].server === model.server }) {
                    served[known].models.append(model)
                    served[known].places.append(place)
                } else {
                    served.append(([model], [place]))
                }
                continue
            }
            guard let leaf = density as? NetworkLeaf else {
                others.append((density.evaluator(lanes: lanes, at: level), place))
                continue
            }
            if let known = shared.firstIndex(where: { $0.network === leaf.network }) {
                shared[known].labels.append(leaf.label)
                shared[known].places.append(place)
            } else {
                shared.append((leaf.network, [leaf.label], [place]))
            }
        }
        joint = shared.map { network, labels, places in
            (NetworkLeaves(network: network, labels: labels, lanes: lanes, at: level), places)
        }
        joint += served.map { models, places in
            (
                ServedLeaves(
                    server: models[0].server, conditions: models.map(\.condition), shape: models[0].shape, lanes: lanes,
                    at: level), places
            )
        }
    }

    /// Goes over to another noise level.
    package mutating func move(to level: NoiseLevel) {
        for index in others.indices { others[index].evaluator.move(to: level) }
        for index in joint.indices { joint[index].leaves.move(to: level) }
    }

    /// Log density and score of every density at `x` [dimension][lanes], in the order of the densities.
    package mutating func evaluate(
        at x: LaneMatrix, into evaluations: inout [Evaluation]
    ) throws(EvaluationError) {
        for index in others.indices {
            try others[index].evaluator.evaluate(at: x, into: &evaluations[others[index].place])
        }
        for index in joint.indices {
            try joint[index].leaves.evaluate(at: x, into: &evaluations, places: joint[index].places)
        }
    }
}
