import TensorGraph
package import VectorMath

/// A network as a leaf of a composition: a density log p_t = -E / sigma_t, conditioned on a label or on none; or of a
/// classifier log p(label | x, t), a term of a composition, not a density of x.
struct NetworkLeaf: Density {
    let network: Network
    let label: Int?

    var shape: PointShape { network.description.architecture.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        SingleLeaf(leaves: NetworkLeaves(network: network, asked: [(label, nil)], lanes: lanes, at: level))
    }
}

/// Leaves of a composition that one network or server stands for, evaluated together.
protocol JointLeaves {
    /// Goes over to another noise level.
    mutating func move(to level: NoiseLevel)

    /// - Parameters:
    ///   - x: [dimension][lanes], for a leaf with a view that of which it shows a part.
    ///   - places: where each leaf's evaluation goes.
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
    /// What each leaf looks at; nil for the whole point.
    private let views: [PointView?]
    private let isClassifier: Bool
    private var noise: Double

    init(network: Network, asked: [(label: Int?, view: PointView?)], lanes: Int, at level: NoiseLevel) {
        views = asked.map(\.view)
        points = NetworkEvaluator(network: network, labels: asked.map(\.label), points: lanes, level: level.original)
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
        let views = views
        try points.evaluate(
            count: x.lanes,
            point: { place, lane, axis in
                if let view = views[place] { Float(x[Int(view.coordinates[axis]), lane]) } else { Float(x[axis, lane]) }
            },
            value: { evaluations[places[$0]].logDensity[$1] = factor * Double($2) },
            gradient: { evaluations[places[$0]].score[$2, $1] = factor * Double($3) })
    }
}

/// Evaluates several densities at the same points, or at what each looks at of them. Those that one network stands for pass
/// through it together, whatever they look at, which changes no bit of what each gives alone; those that one server
/// evaluates are sent to it together.
package struct JointEvaluator {
    /// A density that has an evaluator of its own, and of the points what it looks at.
    private struct Other {
        var evaluator: any DensityEvaluator
        let place: Int
        let view: PointView?
        var part: LaneMatrix
    }

    private var others: [Other] = []
    private var joint: [(leaves: any JointLeaves, places: [Int])] = []

    /// An evaluator for blocks of `lanes` chains that stands at `level`.
    /// - Parameter views: what each density looks at, nil for the whole point; empty if all do that.
    package init(_ densities: [any Density], views: [PointView?] = [], lanes: Int, at level: NoiseLevel) {
        var shared: [(network: Network, asked: [(label: Int?, view: PointView?)], places: [Int])] = []
        var served: [(models: [ServedModel], views: [PointView?], places: [Int])] = []
        for (place, density) in densities.enumerated() {
            let view = views.isEmpty ? nil : views[place]
            if let model = density as? ServedModel {
                if let known = served.firstIndex(where: { $0.models[0].server === model.server }) {
                    served[known].models.append(model)
                    served[known].views.append(view)
                    served[known].places.append(place)
                } else {
                    served.append(([model], [view], [place]))
                }
                continue
            }
            guard let leaf = density as? NetworkLeaf else {
                others.append(
                    Other(
                        evaluator: density.evaluator(lanes: lanes, at: level), place: place, view: view,
                        part: LaneMatrix(rows: view == nil ? 0 : density.dimension, lanes: lanes)))
                continue
            }
            if let known = shared.firstIndex(where: { $0.network === leaf.network }) {
                shared[known].asked.append((leaf.label, view))
                shared[known].places.append(place)
            } else {
                shared.append((leaf.network, [(leaf.label, view)], [place]))
            }
        }
        joint = shared.map { network, asked, places in
            (NetworkLeaves(network: network, asked: asked, lanes: lanes, at: level), places)
        }
        joint += served.map { models, views, places in
            (
                ServedLeaves(
                    server: models[0].server, conditions: models.map(\.condition), views: views, shape: models[0].shape,
                    lanes: lanes, at: level), places
            )
        }
    }

    /// Goes over to another noise level.
    package mutating func move(to level: NoiseLevel) {
        for index in others.indices { others[index].evaluator.move(to: level) }
        for index in joint.indices { joint[index].leaves.move(to: level) }
    }

    /// Log density and score of every density at `x` [dimension][lanes], or at what it looks at of it, in the order of the
    /// densities.
    package mutating func evaluate(
        at x: LaneMatrix, into evaluations: inout [Evaluation]
    ) throws(EvaluationError) {
        for index in others.indices {
            let place = others[index].place
            guard let view = others[index].view else {
                try others[index].evaluator.evaluate(at: x, into: &evaluations[place])
                continue
            }
            view.take(from: x, into: &others[index].part)
            try others[index].evaluator.evaluate(at: others[index].part, into: &evaluations[place])
        }
        for index in joint.indices {
            try joint[index].leaves.evaluate(at: x, into: &evaluations, places: joint[index].places)
        }
    }
}
