import Synchronization
import TensorGraph
import VectorMath

/// A trained network, ready to evaluate: shared by every block, thread and job that uses it.
public final class Network: Sendable {
    /// What its file says.
    public let description: NetworkDescription
    /// In the order of the architecture's parameters.
    private let parameters: [[Float]]
    /// By the number of points that are evaluated together; made on first use.
    private let plans = Mutex<[Int: Plan]>([:])

    /// - Parameter parameters: in the order and with the shapes of `description.architecture.parameters`.
    public init(description: NetworkDescription, parameters: [[Float]]) {
        precondition(
            zip(description.architecture.parameters, parameters).allSatisfy { $0.shape.reduce(1, *) == $1.count }
                && description.architecture.parameters.count == parameters.count)
        self.description = description
        self.parameters = parameters
    }

    /// The density log p_t = -E / sigma_t that the network learned, for one label or for none.
    /// Not for a classifier: see ``classifier``.
    public func density(label: Int? = nil) -> any Density {
        precondition(description.architecture.kind == .energy, "a classifier has no density")
        return NetworkDensity(network: self, label: label)
    }

    /// Energies [n], nil for a network without, and the predicted noise, dE/dx, [n, dimension] row by row.
    /// Not for a classifier: see ``classify(points:level:label:)``.
    ///
    /// - Parameters:
    ///   - points: [n, dimension], row by row.
    ///   - level: below the number of levels.
    ///   - label: below the number of classes; nil for none.
    public func evaluate(points: [Float], level: Int, label: Int? = nil) -> (energy: [Float]?, gradient: [Float]) {
        precondition(description.architecture.kind == .energy, "a classifier has no energy")
        let dimension = description.architecture.dimension
        let count = points.count / dimension
        var evaluator = NetworkEvaluator(network: self, label: label, points: 64, level: level)
        var energy = [Float](repeating: 0, count: count)
        var gradient = [Float](repeating: 0, count: points.count)
        evaluator.evaluate(
            count: count, point: { points[$0 * dimension + $1] }, value: { energy[$0] = $1 },
            gradient: { gradient[$0 * dimension + $1] = $2 })
        return (description.energy?.kind == .noise ? nil : energy, gradient)
    }

    /// A plan for a number of points with memory of its own.
    func execution(rows: Int) -> Execution {
        Execution(
            plans.withLock { plans in
                if let plan = plans[rows] { return plan }
                let plan =
                    switch description.architecture.kind {
                    case .energy: NetworkGraph.plan(description, parameters: parameters, rows: rows)
                    case .classifier: ClassifierGraph.plan(description, parameters: parameters, rows: rows)
                    }
                plans[rows] = plan
                return plan
            })
    }
}

/// A network as a leaf of a composition.
private struct NetworkDensity: Density {
    let network: Network
    let label: Int?

    var shape: PointShape { network.description.architecture.shape }

    func evaluator(lanes: Int, at level: NoiseLevel) -> any DensityEvaluator {
        Evaluator(
            points: NetworkEvaluator(network: network, label: label, points: lanes, level: level.index), level: level)
    }

    private struct Evaluator: DensityEvaluator {
        var points: NetworkEvaluator
        var level: NoiseLevel

        mutating func move(to level: NoiseLevel) {
            self.level = level
            points.move(to: level.index)
        }

        mutating func evaluate(at x: LaneMatrix, into evaluation: inout Evaluation) {
            // log p = -E / sigma and score = -dE/dx / sigma: the one place where the noise level divides.
            let factor = -1 / level.noise
            points.evaluate(
                count: x.lanes, point: { Float(x[$1, $0]) },
                value: { evaluation.logDensity[$0] = factor * Double($1) },
                gradient: { evaluation.score[$1, $0] = factor * Double($2) })
        }
    }
}
