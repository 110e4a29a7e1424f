import Synchronization
import TensorGraph
import VectorMath

/// A trained network, ready to evaluate: shared by every block, thread and job that uses it.
public final class Network: Sendable {
    /// What its file says.
    public let description: NetworkDescription
    /// In the order of the architecture's parameters.
    private let parameters: [[Float]]
    /// Made on first use.
    private let plans = Mutex<[Rows: Plan]>([:])

    /// What is evaluated together: so many rows, in equal groups of neighbours with a label each.
    private struct Rows: Hashable {
        let count: Int
        let groups: Int
    }

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
        precondition(label != nil || description.architecture.isUsableWithoutLabel, "a network that needs a label")
        return NetworkLeaf(network: self, label: label)
    }

    /// Energies [n], nil for a network without, and the predicted noise, dE/dx, [n, dimension] row by row.
    /// Not for a classifier: see ``classify(points:level:label:)``.
    ///
    /// - Parameters:
    ///   - points: [n, dimension], row by row.
    ///   - level: as the network knows it, below the number of levels.
    ///   - label: below the number of classes; nil for none.
    public func evaluate(points: [Float], level: Int, label: Int? = nil) -> (energy: [Float]?, gradient: [Float]) {
        precondition(description.architecture.kind == .energy, "a classifier has no energy")
        let dimension = description.architecture.dimension
        let count = points.count / dimension
        var evaluator = NetworkEvaluator(network: self, labels: [label], points: max(1, min(count, 64)), level: level)
        var energy = [Float](repeating: 0, count: count)
        var gradient = [Float](repeating: 0, count: points.count)
        evaluator.evaluate(
            count: count, point: { points[$0 * dimension + $1] }, value: { energy[$1] = $2 },
            gradient: { gradient[$1 * dimension + $2] = $3 })
        return (description.energy?.kind == .noise ? nil : energy, gradient)
    }

    /// A plan for rows in equal groups with a label each, with memory of its own.
    func execution(rows: Int, groups: Int) -> Execution {
        let rows = Rows(count: rows, groups: groups)
        return Execution(
            plans.withLock { plans in
                if let plan = plans[rows] { return plan }
                let plan =
                    switch description.architecture.kind {
                    case .energy:
                        NetworkGraph.plan(description, parameters: parameters, rows: rows.count, groups: groups)
                    case .classifier:
                        ClassifierGraph.plan(description, parameters: parameters, rows: rows.count, groups: groups)
                    }
                plans[rows] = plan
                return plan
            })
    }
}
